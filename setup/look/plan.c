/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup: pve-vfio plan. Shows what the hook would do at a start; changes nothing. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/json.h"
#include "change/recover.h"
#include "check/check.h"
#include "check/forecast.h"
#include "doctor/pve_node.h"
#include "report/json.h"
#include "report/words.h"
#include "setup/print.h"
#include "setup/setup.h"

static void print_device(struct pci_names *names, const struct start *start,
			 const struct plan_device *planned)
{
	const struct pci_device *device = &planned->device;
	cleanup_free char *name = pci_name(names, start->root, device);
	const char *driver = device->driver ? device->driver : "no driver";

	printf("%s %s\n  %s, ", device->name, name ? name : "", planned->source);
	if (device->iommu_group != IOMMU_GROUP_NONE && !planned->sibling)
		printf("group %d, ", device->iommu_group);
	if (start_has(start, planned))
		printf("%s: VM %u runs and has it\n", driver, start->vmid);
	else if (planned->foreseen)
		printf("%s: only if Proxmox VE chooses it\n", driver);
	else if (text_equal(device->driver, planned->vfio.name))
		printf("%s already\n", driver);
	else
		printf("%s -> %s\n", driver, planned->vfio.name);
}

static void print_left(struct pci_names *names, const struct start *start)
{
	for (size_t i = 0; i < start->wanted.count; i++) {
		const struct wanted_device *device = &start->wanted.devices[i];
		cleanup_free char *words = NULL, *name = NULL;
		char address[PCI_ADDRESS_TEXT];

		if (device->use != WANTED_LEAVE)
			continue;
		name = words_name(names, start->root, pci_address_format(device->address, address));
		words = words_left(device, &start->config);
		printf("%s %s\n  %s: %s\n", address, name ? name : "", device->source,
		       words ? words : "");
	}
}

/* What else changes while the VM has them. */
static void print_releases(const struct actions *actions)
{
	for (size_t i = 0; i < actions->count; i++) {
		cleanup_free char *words = words_planned(&actions->items[i]);

		if (words)
			printf("%s (%s)\n", words, actions->items[i].source);
	}
}

/* What QEMU and the kernel do then. */
static void print_forecast(const struct forecast *forecast)
{
	cleanup_strings struct strings words = { 0 };

	if (forecast_words(forecast, &words) < 0)
		return;
	for (size_t i = 0; i < words.count; i++)
		print_sentence(STDOUT_FILENO, "", "  ", "%s", words.items[i]);
}

static void print_text(struct pci_names *names, const struct start *start,
		       const struct forecast *forecast, const struct findings *findings)
{
	size_t errors = findings_count(findings, LEVEL_ERROR);
	cleanup_free char *words = NULL;

	if (start->wanted.count == 0 && findings->count == 0)
		printf("VM %u wants no PCI device.\n", start->vmid);
	else if (start->qemu.pid)
		printf("VM %u runs (process %d). At its next start:\n", start->vmid,
		       (int)start->qemu.pid);
	for (size_t i = 0; i < start->plan.device_count; i++)
		print_device(names, start, &start->plan.devices[i]);
	print_left(names, start);
	print_releases(&start->plan.actions);
	if (errors == 0)
		print_forecast(forecast);
	words = words_findings(findings, 0, print_findings_width(STDOUT_FILENO));
	fputs(words ? words : "", stdout);
	if (errors > 0)
		printf("The start would be refused, for %zu reason%s.\n", errors,
		       errors > 1 ? "s" : "");
}

/* Without root the other VMs' journals cannot be read; without any there is no directory. */
static int open_state(struct command *command, struct state *state, struct error *err)
{
	int r = state_open(&command->root, false, state, err);

	if (r != -EACCES && r != -EPERM && r != -ENOENT)
		return r;
	if (r != -ENOENT)
		print_sentence(STDERR_FILENO, "pve-vfio: ", "  ",
			       "without root it is not seen what other VMs hold");
	*err = (struct error){ 0 };
	return -ENOENT;
}

/* What has been planned so far. */
struct plans {
	struct pci_names names;
	json_t *documents; /* NULL: they are printed as text */
	bool refused;
};

static int look_ahead(const struct start *start, struct forecast *ret, struct error *err)
{
	cleanup_tally struct tally tally = { 0 };

	forecast_memory(start, ret);
	if (start->state)
		(void)!tally_read(start->state, start->vmid, &tally);
	forecast_measured(ret, &tally.qemu);
	return forecast_devices(start, ret) < 0 ? error_set_memory(err) : 0;
}

static int plan_vm(struct command *command, uint32_t vmid, struct plans *plans, struct error *err)
{
	cleanup_findings struct findings findings = { 0 };
	cleanup_forecast struct forecast forecast = { 0 };
	cleanup_state struct state state = { .fd = -1 };
	cleanup_start struct start start = {
		.root = &command->root,
		.dry = true,
		.vmid = vmid,
	};
	int r = open_state(command, &state, err);

	if (r == 0) {
		start.state = &state;
		r = journal_look(&command->root, &state, vmid, &start.journal, err);
	}
	if (r == 0 || r == -ENOENT)
		r = start_prepare(&start, err);
	if (r == 0)
		r = check_start_run(&start, &findings, err);
	if (r == 0)
		r = look_ahead(&start, &forecast, err);
	if (r < 0)
		return r;
	plans->refused |= findings_count(&findings, LEVEL_ERROR) > 0;
	if (!plans->documents)
		print_text(&plans->names, &start, &forecast, &findings);
	else if (json_array_append_new(plans->documents,
				       start_json(&plans->names, &start, &forecast, &findings)) < 0)
		return error_set_memory(err);
	return 0;
}

/* Every VM of this node that has devices, also where one of them cannot be planned. */
static int plan_all(struct command *command, struct plans *plans, struct error *err)
{
	cleanup_pve_node struct pve_node node = { .root = &command->root };
	bool first = true;
	int failed = pve_node_read(&node, err);

	if (failed < 0)
		return failed;
	for (size_t i = 0; i < node.vm_count; i++) {
		struct error one = { 0 };
		int r;

		if (!node_vm_has_passthrough(&node.vms[i]))
			continue;
		if (!plans->documents)
			printf("%sVM %u:\n", first ? "" : "\n", node.vms[i].vmid);
		first = false;
		r = plan_vm(command, node.vms[i].vmid, plans, &one);
		if (r < 0 && failed == 0)
			failed = error_set(err, r, "VM %u: %s", node.vms[i].vmid, one.message);
	}
	if (first && !plans->documents)
		puts("No VM of this node has a PCI device.");
	return failed;
}

static int plan(struct command *command, struct plans *plans, struct error *err)
{
	uint32_t vmid;
	int r = command->argc > 0 ? command_parse_vmid(command, 0, &vmid, err) : 0;

	if (r < 0)
		return r;
	if (command->argc == 0) {
		r = plan_all(command, plans, err);
		if (r == 0 && command->json)
			r = print_json(json_pack("{s:O, s:b}", "vms", plans->documents, "refused",
						 plans->refused),
				       err);
		return r;
	}
	r = plan_vm(command, vmid, plans, err);
	if (r == 0 && command->json)
		r = print_json(json_incref(json_array_get(plans->documents, 0)), err);
	return r;
}

int verb_plan(struct command *command, struct error *err)
{
	struct plans plans = { 0 };
	int r;

	if (command_has(command, "--live"))
		return plan_live(command, err);
	if (command_has(command, "--all") == (command->argc > 0))
		return usage_error(err, command, "it takes either a VMID or --all");
	if (command->argc > 1 || command_has(command, "--mapping"))
		return usage_error(err, command, "a device goes with --live");
	plans.documents = command->json ? json_array() : NULL;
	r = plan(command, &plans, err);
	pci_names_done(&plans.names);
	json_decref(plans.documents);
	return r == 0 && plans.refused ? error_refuse_silently(err) : r;
}
