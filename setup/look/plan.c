/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup: pve-vfio plan. Shows what the hook would do at a start; changes nothing. */
#include <errno.h>
#include <stdio.h>

#include "base/json.h"
#include "check/check.h"
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

static void print_left(const struct start *start)
{
	for (size_t i = 0; i < start->wanted.count; i++) {
		const struct wanted_device *device = &start->wanted.devices[i];
		cleanup_free char *words = NULL;
		char address[PCI_ADDRESS_TEXT];

		if (device->use != WANTED_LEAVE)
			continue;
		words = words_left(device, &start->config);
		printf("%s\n  %s: %s\n", pci_address_format(device->address, address),
		       device->source, words ? words : "");
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

static int print(const struct command *command, const struct start *start,
		 const struct findings *findings, struct error *err)
{
	cleanup_pci_names struct pci_names names = { 0 };
	cleanup_free char *words = NULL;
	size_t errors = findings_count(findings, LEVEL_ERROR);

	if (command->json)
		return print_json(start_json(&names, start, findings), err);
	if (start->wanted.count == 0 && findings->count == 0)
		printf("VM %u wants no PCI device.\n", start->vmid);
	if (start->qemu.pid)
		printf("VM %u runs (process %d). At its next start:\n", start->vmid,
		       (int)start->qemu.pid);
	for (size_t i = 0; i < start->plan.device_count; i++)
		print_device(&names, start, &start->plan.devices[i]);
	print_left(start);
	print_releases(&start->plan.actions);
	words = words_findings(findings, 0);
	fputs(words ? words : "", stdout);
	if (errors > 0)
		printf("The start would be refused, for %zu reason%s.\n", errors,
		       errors > 1 ? "s" : "");
	return 0;
}

/* Without root the other VMs' journals cannot be read; without any there is no directory. */
static int open_state(struct command *command, struct state *state, struct error *err)
{
	int r = state_open(&command->root, false, state, err);

	if (r != -EACCES && r != -EPERM && r != -ENOENT)
		return r;
	if (r != -ENOENT)
		fprintf(stderr, "pve-vfio: without root it is not seen what other VMs hold\n");
	*err = (struct error){ 0 };
	return -ENOENT;
}

int verb_plan(struct command *command, struct error *err)
{
	cleanup_findings struct findings findings = { 0 };
	cleanup_state struct state state = { .fd = -1 };
	cleanup_start struct start start = {
		.root = &command->root,
		.dry = true,
	};
	int r = command_parse_vmid(command, 0, &start.vmid, err);

	if (r < 0)
		return r;
	r = open_state(command, &state, err);
	if (r == 0) {
		start.state = &state;
		r = journal_read(&command->root, &state, start.vmid, &start.journal, err);
	}
	if (r == 0 || r == -ENOENT)
		r = start_prepare(&start, err);
	if (r == 0)
		r = check_start_run(&start, &findings, err);
	if (r == 0)
		r = print(command, &start, &findings, err);
	if (r < 0)
		return r;
	return findings_count(&findings, LEVEL_ERROR) > 0 ? error_refuse_silently(err) : 0;
}
