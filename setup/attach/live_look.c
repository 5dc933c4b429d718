/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup: whether a device can join a VM that runs. Changes nothing, but for the state directory. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "change/recover.h"
#include "check/check.h"
#include "report/words.h"
#include "setup/attach/live.h"
#include "setup/print.h"

void live_look_done(struct live_look *look)
{
	findings_done(&look->findings);
	strings_done(&look->functions);
	start_done(&look->start);
	hostpci_done(&look->line);
	free(look->value);
	state_done(&look->state);
}

/* ---- the VM */

static int refuse_vm(const struct live_look *look, struct error *err)
{
	const struct attach *attach = look->attach;
	const struct vm_config *config = &attach->vm.config;
	const char *acpi = vm_config_get(config, "acpi"), *arch = vm_config_get(config, "arch");
	const char *machine = vm_config_get(config, "machine");
	const char *system = vm_config_get(config, "ostype");
	int r = attach_vm_refuse_busy(attach->root, &attach->vm, err);
	const char *why = NULL;

	if (r < 0)
		return r;
	if (arch && strcmp(arch, "x86_64") != 0)
		why = "its machine is not a PC ('arch')";
	else if (acpi && strcmp(acpi, "0") == 0)
		why = "it has no ACPI ('acpi: 0'), by which a guest learns of a device";
	else if (machine && strstr(machine, "viommu"))
		why = "it has a virtual IOMMU ('viommu')";
	else if (system && strcmp(system, "win7") == 0 && vm_config_is_q35(config))
		why = "Proxmox VE gives Windows 7 no port that a device can join at";
	return why ? error_refuse(err, "VM %u takes no device while it runs: %s", attach->vm.vmid,
				  why)
		   : 0;
}

static int read_journal(struct live_look *look, struct error *err)
{
	struct journal *journal = &look->start.journal;
	const uint32_t vmid = look->attach->vm.vmid;
	int r = state_open(look->attach->root, look->takes, &look->state, err);

	if (r == -ENOENT) {
		*err = (struct error){ 0 };
		return 0;
	}
	if (r == 0)
		look->start.state = &look->state;
	if (r == 0)
		r = journal_look(look->attach->root, &look->state, vmid, journal, err);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	if (journal->actions.count > 0 &&
	    (journal->phase != JOURNAL_RUNNING || journal->qemu.pid != look->qemu.pid ||
	     journal->qemu.start_time != look->qemu.start_time))
		return error_refuse(
			err,
			"the start of VM %u was not confirmed, or a stop is under way: its "
			"devices are '%s', see 'pve-vfio status %u'",
			vmid, journal_phase_name(journal->phase), vmid);
	return 0;
}

/* ---- the device */

static int select_device(struct live_look *look, struct error *err)
{
	struct attach *attach = look->attach;
	const struct mapping *mapping =
		attach->mapping ? mappings_find(&attach->mappings, attach->mapping) : NULL;
	const char *word = look->word;
	int r;

	for (size_t i = 0; mapping && !word && i < mapping->count; i++)
		if (strcmp(mapping->entries[i].node, attach->vm.node) == 0)
			word = mapping->entries[i].paths.items[0];
	if (attach->mapping && (!mapping || !word))
		return error_refuse(err,
				    "there is no resource mapping '%s' with a device of this node",
				    attach->mapping);
	attach->devices = calloc(1, sizeof(*attach->devices));
	if (!attach->devices)
		return error_set_memory(err);
	attach->device_count = 1;
	r = pci_select(attach->root, &attach->names, &attach->present, word,
		       &attach->devices[0].selection, err);
	return r < 0 && r != -ENODEV ? error_as_refusal(err, r) : r;
}

/* The VM as it would be if this device were its only one. */
static char *make_text(const struct live_look *look)
{
	const struct vm_config *config = &look->attach->vm.config;
	cleanup_vm_edit struct vm_edit edit = { 0 };
	char key[SOURCE_MAX];
	int r = vm_edit_set(&edit, "args", vm_config_get(config, "args"), NULL, NULL);

	for (unsigned i = 0; i < HOSTPCI_COUNT && r == 0; i++) {
		snprintf(key, sizeof(key), "hostpci%u", i);
		r = vm_edit_set(&edit, key, vm_config_value(config, key),
				i == look->number ? look->value : NULL, NULL);
	}
	/* it is set before the device is taken */
	if (r == 0 && !vm_config_get(config, "hookscript"))
		r = vm_edit_set(&edit, "hookscript", NULL, "local" HOOK_VOLUME, NULL);
	return r < 0 ? NULL : vm_edit_text(&edit, look->attach->vm.text);
}

static int note_functions(struct live_look *look, struct error *err)
{
	const struct wanted *wanted = &look->start.wanted;

	for (size_t i = 0; i < wanted->count; i++) {
		char name[PCI_ADDRESS_TEXT];

		if (wanted->devices[i].use == WANTED_TAKE &&
		    strings_add(&look->functions,
				pci_address_format(wanted->devices[i].address, name)) < 0)
			return error_set_memory(err);
	}
	return 0;
}

static int plan(struct live_look *look, struct error *err)
{
	struct start *start = &look->start;
	char *text = make_text(look);
	int r;

	if (!text)
		return error_set_memory(err);
	start->root = look->attach->root;
	start->vmid = look->attach->vm.vmid;
	start->dry = true;
	start->config_text = text;
	r = start_prepare(start, err);
	start->config_text = NULL;
	free(text);
	if (r < 0)
		return r;
	attach_forget_pins(&start->settings, look->attach);
	(void)check_memory_read(&start->config, &look->memory_mib);
	return note_functions(look, err);
}

/* Of the same IOMMU group is a device that the VM has: both would leave it, or neither. */
static int refuse_shared_group(const struct live_look *look, const struct plan_device *device,
			       struct error *err)
{
	const struct actions *actions = &look->start.journal.actions;

	for (size_t i = 0; i < actions->count; i++) {
		const struct action *action = &actions->items[i];

		if (action->type == ACTION_BIND && action->state != ACTION_FORESEEN &&
		    action->group == device->device.iommu_group &&
		    !strings_has(&look->functions, action->target) &&
		    !text_starts_with(action->source, "group "))
			return error_refuse(
				err,
				"%s is in IOMMU group %d with %s, which VM %u has: devices "
				"of one group join a VM together, when it starts",
				device->device.name, action->group, action->target,
				look->attach->vm.vmid);
	}
	return 0;
}

static int refuse_device(const struct live_look *look, struct error *err)
{
	const struct plan *plan = &look->start.plan;
	int r = 0;

	for (size_t i = 0; i < plan->device_count && r == 0; i++) {
		const struct plan_device *device = &plan->devices[i];

		if (device->foreseen)
			continue;
		if (device->device.class_code >> 16 == 0x03)
			return error_refuse(
				err,
				"%s is a display%s: its firmware and driver set it up while the VM "
				"boots, and hang or fail in one that runs; shut VM %u down, and "
				"'pve-vfio attach %u %s' gives it",
				device->device.name, device->sibling ? " of the same group" : "",
				look->attach->vm.vmid, look->attach->vm.vmid, device->device.name);
		r = refuse_shared_group(look, device, err);
	}
	for (size_t i = 0; i < plan->actions.count && r == 0; i++)
		if (plan->actions.items[i].type == ACTION_DISPLACE)
			r = error_refuse(
				err,
				"another guest has it and would have to give way (%s): that is "
				"for a start of VM %u",
				plan->actions.items[i].target, look->attach->vm.vmid);
	return r;
}

/* ---- the checks */

/* At a start it is a warning: other VMs may end. Here the guest would stand still, or another be killed. */
static bool is_error(const struct finding *finding)
{
	return !finding->allowed &&
	       (finding->level == LEVEL_ERROR || finding->id == CHECK_MEMORY_SHORT);
}

static int check(struct live_look *look, struct error *err)
{
	cleanup_free char *words = NULL;
	size_t errors = 0;
	int r = check_start_run(&look->start, &look->findings, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < look->findings.count; i++)
		errors += is_error(&look->findings.items[i]);
	if (!look->takes || errors > 0) {
		words = words_findings(&look->findings, 0, print_findings_width(STDERR_FILENO));
		fputs(words ? words : "", stderr);
	}
	return errors > 0 ? error_refuse(
				    err,
				    "the device does not join VM %u, for %zu reason%s; nothing is "
				    "changed",
				    look->attach->vm.vmid, errors, errors > 1 ? "s" : "")
			  : 0;
}

int live_look(struct live_look *look, struct error *err)
{
	cleanup_qemu_functions struct qemu_functions functions = { 0 };
	struct attach *attach = look->attach;
	int r = refuse_vm(look, err);

	if (r == 0)
		r = pci_devices_list(attach->root, &attach->present, err);
	if (r == 0)
		r = mappings_read(attach->root, &attach->mappings, err);
	if (r == 0)
		r = select_device(look, err);
	if (r == 0)
		r = read_journal(look, err);
	if (r == 0)
		r = live_look_at_qemu(attach->root, attach->vm.vmid, &functions, err);
	if (r == 0)
		r = live_look_for_line(look, &functions, err);
	if (r == 0)
		r = plan(look, err);
	if (r < 0 || look->joined)
		return r;
	r = refuse_device(look, err);
	return r < 0 ? r : check(look, err);
}
