/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: processes that hold nodes of the plan's devices. */
#include <errno.h>

#include "change/release.h"
#include "check/check.h"
#include "host/unit.h"

static int add_opener(const struct start *start, const struct opener *opener, struct strings *uses)
{
	cleanup_free char *unit = unit_of_process(start->root, opener->pid);
	cleanup_free char *sentence =
		text_format("process %d (%s)%s%s has %s open", (int)opener->pid, opener->command,
			    unit ? " of " : "", unit ? unit : "", opener->node);

	return sentence ? strings_add(uses, sentence) : -ENOMEM;
}

/* One finding for all devices: a display and its audio have the same users. */
int check_opener(const struct start *start, struct findings *findings, struct error *err)
{
	cleanup_openers struct openers openers = { 0 };
	cleanup_strings struct strings uses = { 0 };
	struct error reason = { 0 };
	const char *subject;
	int r = release_openers(&start->plan, start->root, &openers, &reason);

	if (start->plan.device_count == 0)
		return 0;
	subject = start->plan.devices[0].device.name;
	if (r < 0)
		r = finding_add(findings, CHECK_NODE_IN_USE, subject,
				"It cannot be told who uses its device nodes: %s.", reason.message);
	for (size_t i = 0; i < openers.count && r == 0; i++)
		r = add_opener(start, &openers.items[i], &uses);
	if (r == 0)
		r = finding_add_list(findings, CHECK_NODE_IN_USE, subject, &uses);
	return r < 0 ? error_set_memory(err) : 0;
}
