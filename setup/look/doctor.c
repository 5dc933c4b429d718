/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup: pve-vfio doctor. Says what is wrong with the node, or a VM; changes nothing. */
#include <stdio.h>

#include "doctor/doctor.h"
#include "report/verdicts.h"
#include "setup/print.h"
#include "setup/setup.h"
#include "setup/terminal.h"

static int print(const struct command *command, const struct verdicts *verdicts, struct error *err)
{
	struct terminal terminal = terminal_of_output();
	cleanup_free char *words = NULL, *summary = NULL;

	if (command->json)
		return print_json(json_pack("{s:b, s:o}", "well", verdicts_are_well(verdicts),
					    "verdicts", verdicts_json(verdicts)),
				  err);
	words = verdicts_words(verdicts, &terminal);
	summary = verdicts_summary(verdicts);
	printf("%s\n%s\n", words ? words : "", summary ? summary : "");
	return 0;
}

static int judge(struct command *command, struct verdicts *verdicts, struct error *err)
{
	cleanup_pve_node struct pve_node node = { .root = &command->root };
	cleanup_safeties struct safeties safeties = { 0 };
	cleanup_pci_claims struct pci_claims claims = { 0 };
	cleanup_quirks struct quirks quirks = { 0 };
	struct doctor doctor = {
		.node = &node, .safeties = &safeties, .claims = &claims, .quirks = &quirks
	};
	uint32_t vmid = 0;
	int r = command->argc > 0 ? command_parse_vmid(command, 0, &vmid, err) : 0;

	if (r == 0)
		r = quirks_read(&command->root, NULL, 0, &quirks, err);
	if (r == 0)
		r = pve_node_read(&node, err);
	if (r == 0)
		r = safeties_judge(&node, &safeties, err);
	if (r == 0 && pci_claims_read(&command->root, &node.inventory, &claims) < 0)
		r = error_set_memory(err);
	if (r == 0)
		r = command->argc > 0 ? doctor_vm(&doctor, vmid, verdicts, err)
				      : doctor_node(&doctor, verdicts, err);
	return r;
}

int verb_doctor(struct command *command, struct error *err)
{
	cleanup_verdicts struct verdicts verdicts = { 0 };
	int r = judge(command, &verdicts, err);

	if (r == 0)
		r = print(command, &verdicts, err);
	if (r < 0)
		return r;
	return verdicts_are_well(&verdicts) ? 0 : error_refuse_silently(err);
}
