/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup: pve-vfio doctor. Says what is wrong with the node, or VMs; changes nothing. */
#include <stdio.h>
#include <string.h>

#include "doctor/doctor.h"
#include "report/verdicts.h"
#include "setup/print.h"
#include "setup/setup.h"
#include "setup/terminal.h"

/* What one is of: a VM, or the node for 0. */
struct judged {
	uint32_t vmid;
	struct verdicts verdicts;
};

struct judgement {
	struct judged *items;
	size_t count;
	size_t vms; /* that have devices */
	uint32_t first_vm;
};

static void judgement_done(struct judgement *judgement)
{
	for (size_t i = 0; i < judgement->count; i++)
		verdicts_done(&judgement->items[i].verdicts);
	free(judgement->items);
}

static bool is_well(const struct judgement *judgement)
{
	bool well = true;

	for (size_t i = 0; i < judgement->count; i++)
		well &= verdicts_are_well(&judgement->items[i].verdicts);
	return well;
}

/* The last line about a node: whether there is anything for setup to do. */
static void print_whether_set_up(const struct verdicts *verdicts)
{
	for (size_t i = 0; i < verdicts->count; i++) {
		const struct verdict *verdict = &verdicts->items[i];

		if (strcmp(verdict->id, "setup") != 0)
			continue;
		if (verdict->level == VERDICT_OK)
			print_wrapped("", 0, "This node is set up.");
		else if (verdict->level == VERDICT_INFO)
			print_wrapped("", 0,
				      "This node is not set up: 'pve-vfio setup' shows what is "
				      "missing, and asks.");
		return;
	}
}

static void print_text(const struct command *command, const struct judgement *judgement)
{
	struct terminal terminal = terminal_of_output();
	enum verdicts_view view = command_has(command, "--problems") ? VIEW_PROBLEMS
				  : command_has(command, "--all")    ? VIEW_ALL
								     : VIEW_SHORT;

	for (size_t i = 0; i < judgement->count; i++) {
		const struct judged *judged = &judgement->items[i];
		cleanup_free char *words = verdicts_words(&judged->verdicts, view, &terminal);
		cleanup_free char *end = verdicts_end(&judged->verdicts, view, &terminal);

		if (judgement->count > 1 && judged->vmid > 0)
			printf("\n%sVM %u%s\n", terminal.colour ? "\033[1m" : "", judged->vmid,
			       terminal.colour ? "\033[0m" : "");
		printf("%s%s%s", words ? words : "", words && *words ? "\n" : "", end ? end : "");
		if (judged->vmid == 0)
			print_whether_set_up(&judged->verdicts);
	}
}

static int print(const struct command *command, const struct judgement *judgement,
		 struct error *err)
{
	const struct judged *first = &judgement->items[0];
	json_t *document, *vms;

	if (!command->json) {
		print_text(command, judgement);
		return 0;
	}
	document = json_pack("{s:b, s:o}", "well", is_well(judgement), "verdicts",
			     verdicts_json(&first->verdicts));
	if (command->argc > 0 || !command_has(command, "--all"))
		return print_json(document, err);
	vms = json_array();
	for (size_t i = 1; i < judgement->count; i++) {
		const struct judged *judged = &judgement->items[i];

		json_array_append_new(vms,
				      json_pack("{s:I, s:b, s:o}", "vmid", (json_int_t)judged->vmid,
						"well", verdicts_are_well(&judged->verdicts),
						"verdicts", verdicts_json(&judged->verdicts)));
	}
	json_object_set_new(document, "vms", vms);
	return print_json(document, err);
}

/* The node, the VM that is asked for, or with --all the node and all VMs with devices. */
static int judge_asked(const struct command *command, struct doctor *doctor, uint32_t vmid,
		       struct judgement *ret, struct error *err)
{
	const struct pve_node *node = doctor->node;
	int r;

	ret->items = calloc(node->vm_count + 1, sizeof(*ret->items));
	if (!ret->items)
		return error_set_memory(err);
	ret->count = 1;
	ret->items[0].vmid = vmid;
	if (command->argc > 0)
		return doctor_vm(doctor, vmid, &ret->items[0].verdicts, err);
	r = doctor_node(doctor, &ret->items[0].verdicts, err);
	for (size_t i = node->vm_count; i-- > 0;)
		if (node_vm_has_passthrough(&node->vms[i])) {
			ret->first_vm = node->vms[i].vmid;
			ret->vms++;
		}
	if (!command_has(command, "--all"))
		return r;
	for (size_t i = 0; i < node->vm_count && r == 0; i++) {
		struct judged *judged = &ret->items[ret->count];

		if (!node_vm_has_passthrough(&node->vms[i]))
			continue;
		judged->vmid = node->vms[i].vmid;
		ret->count++;
		r = doctor_vm(doctor, judged->vmid, &judged->verdicts, err);
	}
	return r;
}

static int judge(struct command *command, struct judgement *ret, struct error *err)
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
		r = pve_node_read(&node, err);
	if (r == 0)
		r = doctor_quirks_read(&node, &quirks, err);
	if (r == 0)
		r = safeties_judge(&node, &safeties, err);
	if (r == 0 && pci_claims_read(&command->root, &node.inventory, &claims) < 0)
		r = error_set_memory(err);
	return r < 0 ? r : judge_asked(command, &doctor, vmid, ret, err);
}

int verb_doctor(struct command *command, struct error *err)
{
	cleanup(judgement_done) struct judgement judgement = { 0 };
	int r;

	if (command_has(command, "--all") && command_has(command, "--problems"))
		return usage_error(err, command, "give --all or --problems, one at a time");
	r = judge(command, &judgement, err);
	if (r == 0)
		r = print(command, &judgement, err);
	if (r < 0)
		return r;
	return is_well(&judgement) ? 0 : error_refuse_silently(err);
}

int verb_next(struct command *command, struct error *err)
{
	cleanup(judgement_done) struct judgement judgement = { 0 };
	cleanup_free char *summary = NULL, *whole = NULL, *vms = NULL;
	int r = judge(command, &judgement, err);

	if (r < 0)
		return r;
	summary = verdicts_summary(&judgement.items[0].verdicts);
	whole = text_format("%s 'pve-vfio doctor' says more.", summary ? summary : "");
	print_wrapped("", 0, whole ? whole : "");
	print_whether_set_up(&judgement.items[0].verdicts);
	if (judgement.vms == 0)
		vms = strdup("No VM has a device: 'pve-vfio attach' asks for both, and gives it.");
	else
		vms = text_format(
			"%zu VM%s devices: 'pve-vfio plan %u' shows the next start of VM %u.",
			judgement.vms, judgement.vms == 1 ? " has" : "s have", judgement.first_vm,
			judgement.first_vm);
	print_wrapped("", 0, vms ? vms : "");
	return 0;
}
