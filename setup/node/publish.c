/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * setup: pve-vfio publish. What other nodes may know of this one, into /etc/pve. It is a verb and a timer
 * of its own, which is off unless enabled: a start must not wait for the cluster, and who only looks
 * writes nothing.
 */
#include <stdio.h>

#include "cluster/facts.h"
#include "setup/print.h"
#include "setup/setup.h"

int verb_publish(struct command *command, struct error *err)
{
	cleanup_facts struct facts facts = { 0 };
	bool written = false;
	int r = facts_look(&command->root, &facts, err);

	if (r == 0 && !command_has(command, "--dry-run"))
		r = facts_write(&command->root, &facts, &written, err);
	if (r < 0)
		return r;
	if (command->json)
		return print_json(json_pack("{s:b, s:o}", "written", written, "facts",
					    facts_json(&facts)),
				  err);
	if (command_has(command, "--dry-run"))
		printf("Would publish %zu devices of %s; --json shows them.\n", facts.device_count,
		       facts.node);
	else
		printf("%s: %zu devices in " FACTS_FOLDER "/%s.json.\n",
		       written ? "Published" : "Nothing has changed", facts.device_count,
		       facts.node);
	return 0;
}
