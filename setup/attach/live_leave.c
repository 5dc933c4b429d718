/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup: pve-vfio detach --live. Asks the guest for a device, and unbinds none that it keeps. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "change/recover.h"
#include "pve/pve.h"
#include "report/json.h"
#include "setup/attach/live.h"

#define LOCK_WAIT_MS 60000

struct leaving {
	struct command *command;
	struct attach *attach; /* its VM, names, words */
	struct task qemu;
	struct state state;
	struct journal journal;
	struct live live;
	struct live_telling telling;
	char address[PCI_ADDRESS_TEXT]; /* of one of its functions */
};

static void leaving_done(struct leaving *leaving)
{
	journal_done(&leaving->journal);
	state_done(&leaving->state);
}

/* ---- looking */

static int read_journal(struct leaving *leaving, struct error *err)
{
	const struct attach *attach = leaving->attach;
	struct journal *journal = &leaving->journal;
	int r = state_open(attach->root, false, &leaving->state, err);

	if (r == 0)
		r = journal_look(attach->root, &leaving->state, attach->vm.vmid, journal, err);
	if (r == -ENOENT)
		return error_refuse(
			err,
			"VM %u has no device that pve-vfio has given it: 'pve-vfio status "
			"%u' shows them",
			attach->vm.vmid, attach->vm.vmid);
	if (r < 0)
		return r;
	if (journal->phase != JOURNAL_RUNNING || journal->qemu.pid != leaving->qemu.pid ||
	    journal->qemu.start_time != leaving->qemu.start_time)
		return error_refuse(
			err,
			"the start of VM %u was not confirmed, or a stop is under way: its "
			"devices are '%s', see 'pve-vfio status %u'",
			attach->vm.vmid, journal_phase_name(journal->phase), attach->vm.vmid);
	return 0;
}

/* The line that has the device, of which the word means a function. */
static int find_line(struct leaving *leaving, struct error *err)
{
	struct attach *attach = leaving->attach;
	cleanup_pci_selection struct pci_selection selection = { 0 };
	int r;

	pci_addresses_done(&attach->present);
	r = pci_devices_list(attach->root, &attach->present, err);
	if (r == 0)
		r = pci_select(attach->root, &attach->names, &attach->present,
			       attach->options->words[0], &selection, err);
	if (r < 0)
		return r == -ENODEV ? r : error_as_refusal(err, r);
	for (size_t i = 0; i < selection.functions.count; i++) {
		const struct action *bind;
		uint32_t number;

		pci_address_format(selection.functions.items[i], leaving->address);
		bind = actions_find(&leaving->journal.actions, ACTION_BIND, leaving->address);
		if (!bind || bind->state == ACTION_FORESEEN ||
		    !text_starts_with(bind->source, "hostpci") ||
		    parse_u32(bind->source + strlen("hostpci"), &number) < 0 ||
		    number >= HOSTPCI_COUNT)
			continue;
		leaving->live.number = number;
		return 0;
	}
	return error_refuse(err, "VM %u has not got %s by a hostpci line: 'pve-vfio status %u'",
			    attach->vm.vmid, leaving->address, attach->vm.vmid);
}

static int refuse_device(const struct leaving *leaving, const bool *chosen, struct error *err)
{
	const struct actions *actions = &leaving->journal.actions;
	const uint32_t vmid = leaving->journal.vmid;

	for (size_t i = 0; i < actions->count; i++) {
		const struct action *action = &actions->items[i];
		cleanup_pci_device struct pci_device device = { 0 };
		struct pci_address address;

		if (action->type != ACTION_BIND || action->state == ACTION_FORESEEN)
			continue;
		if (chosen[i] && action_address(action, &address) &&
		    pci_device_read(leaving->attach->root, address, &device, NULL) == 0 &&
		    device.class_code >> 16 == 0x03)
			return error_refuse(
				err,
				"%s is a display, which a guest cannot do without while it "
				"runs: shut VM %u down",
				action->target, vmid);
		for (size_t k = 0; k < actions->count && !chosen[i]; k++)
			if (chosen[k] && actions->items[k].type == ACTION_BIND &&
			    actions->items[k].group == action->group)
				return error_refuse(
					err,
					"%s is in IOMMU group %d with %s, which VM %u has by %s: both "
					"leave it when it stops",
					actions->items[k].target, action->group, action->target,
					vmid, action->source);
	}
	return 0;
}

static int look(struct leaving *leaving, bool **ret_chosen, struct error *err)
{
	cleanup_free bool *chosen = NULL;
	int r = read_journal(leaving, err);

	if (r == 0)
		r = find_line(leaving, err);
	if (r < 0)
		return r;
	chosen = calloc(leaving->journal.actions.count + 1, sizeof(*chosen));
	if (!chosen)
		return error_set_memory(err);
	(void)live_choose_line(&leaving->live, chosen);
	r = refuse_device(leaving, chosen, err);
	if (r == 0)
		*ret_chosen = TAKE_PTR(chosen);
	return r;
}

/* ---- the steps */

static int tell_kept(const struct leaving *leaving, struct error *err)
{
	const uint32_t vmid = leaving->journal.vmid;

	return error_set(
		err, -EBUSY,
		"the guest of VM %u has not let go of %s within %d s and keeps it; nothing is unbound. "
		"In the guest, end what uses it and try again (Linux: unmount its disks, set its "
		"interface down, and 'dmesg' shows why; Windows: 'Safely Remove Hardware'). A guest "
		"that does not look at its PCI slots while it runs lets go when it is shut down. Where it "
		"still lets go later, 'pve-vfio restore %u' gives the device back to the host",
		vmid, leaving->address, LIVE_GUEST_MS / 1000, vmid);
}

/* With the VM's lock. */
static int leave(struct leaving *leaving, bool *chosen, struct error *err)
{
	int r = live_ask(&leaving->live, err);

	if (r == -EBUSY)
		return tell_kept(leaving, err);
	if (r == 0)
		r = live_give_back(&leaving->live, chosen, err);
	return r > 0 ? error_set(
			       err, -EIO,
			       "the guest of VM %u has let go of %s, and not all of it is back with "
			       "the host; 'pve-vfio status %u' shows it, 'pve-vfio restore %u' tries "
			       "again",
			       leaving->journal.vmid, leaving->address, leaving->journal.vmid,
			       leaving->journal.vmid)
		     : r;
}

static int drop_line(struct leaving *leaving, struct error *err)
{
	struct attach *attach = leaving->attach;
	cleanup_attached struct attached attached = { 0 };
	cleanup_vm_config struct vm_config pending = { 0 };
	cleanup_strings struct strings words = { 0 };
	cleanup_vm_edit struct vm_edit edit = { 0 };
	char key[SOURCE_MAX];
	const char *now;
	int r = live_pending(attach, &pending, err);

	if (r < 0)
		return r;
	snprintf(key, sizeof(key), "hostpci%u", leaving->live.number);
	now = vm_config_value(&pending, key);
	if (!now)
		now = vm_config_value(&attach->vm.config, key);
	if (now && vm_edit_set(&edit, key, now, NULL, NULL) < 0)
		return error_set_memory(err);
	deeds_add(attach->deeds, "changes", vm_edit_json(&edit));
	if (!now)
		return 0;
	if (vm_edit_words(&edit, attach->vm.vmid, &words) < 0)
		return error_set_memory(err);
	r = attach_run(attach->deeds, &words, err);
	if (r == 0 && vm_config_value(&attach->vm.config, key))
		deeds_note(attach->deeds,
			   "%sProxmox VE keeps the line until VM %u is started the next time ('qm "
			   "pending %u').",
			   attach->deeds->dry_run ? "# " : "", attach->vm.vmid, attach->vm.vmid);
	if (r < 0 || attach->deeds->dry_run)
		return r;
	r = attached_read(attach->root, attach->vm.vmid, &attach->vm.config, &attached, err);
	if (r == -ENOENT || (r == 0 && !vm_edit_find(&attached.edit, key)))
		return 0;
	if (r == 0 && attached_add(&attached, &edit) < 0)
		return error_set_memory(err);
	return r < 0 ? r : attached_write(attach->root, attach->vm.vmid, &attached, err);
}

static int change(struct leaving *leaving, struct error *err)
{
	const struct attach *attach = leaving->attach;
	cleanup_free bool *chosen = NULL;
	cleanup_close int lock =
		journal_lock(attach->root, &leaving->state, attach->vm.vmid, LOCK_WAIT_MS, err);
	int r;

	if (lock < 0)
		return lock;
	/* what was looked at may have changed before the lock was ours */
	leaving_done(leaving);
	leaving->state.fd = -1;
	r = look(leaving, &chosen, err);
	return r < 0 ? r : leave(leaving, chosen, err);
}

static int look_and_change(struct leaving *leaving, struct error *err)
{
	struct deeds *deeds = leaving->attach->deeds;
	cleanup_free bool *chosen = NULL;
	cleanup_free char *now = NULL;
	uint32_t vmid = leaving->attach->vm.vmid;
	int r = attach_vm_refuse_busy(leaving->attach->root, &leaving->attach->vm, err);

	if (r == 0)
		r = look(leaving, &chosen, err);
	if (r < 0)
		return r;
	deeds_open(deeds);
	deeds_add(deeds, "live",
		  json_pack("{s:s, s:o}", "address", leaving->address, "line",
			    json_sprintf("hostpci%u", leaving->live.number)));
	deeds_note(deeds, "# The guest of VM %u is asked for %s (hostpci%u).", vmid,
		   leaving->address, leaving->live.number);
	r = setup_show(leaving->attach->link, err);
	if (r == 0 && !deeds->dry_run)
		r = change(leaving, err);
	if (r < 0)
		return r;
	r = drop_line(leaving, err);
	if (r < 0)
		return r;
	now = text_format("%s is back with the host; VM %u runs without it.", leaving->address,
			  vmid);
	return deeds_end(deeds, now, err);
}

int detach_live(struct command *command, struct error *err)
{
	cleanup_deeds struct deeds deeds = { 0 };
	const struct attach_options options = {
		.words = command->argv + 1,
		.word_count = command->argc - 1,
	};
	cleanup(attach_done) struct attach attach = {
		.root = &command->root,
		.link = command->link,
		.deeds = &deeds,
		.options = &options,
	};
	cleanup(leaving_done) struct leaving leaving = {
		.command = command,
		.attach = &attach,
		.state = { .fd = -1 },
		.telling = { &command->root, &attach.names, &deeds, RUN_REVERT },
	};
	uint32_t vmid;
	int r;

	if (command->argc != 2)
		return usage_error(err, command, "--live takes a VM and the device that leaves it");
	r = command_parse_vmid(command, 0, &vmid, err);
	if (r < 0)
		return r;
	leaving.live = (struct live){
		.root = &command->root,
		.state = &leaving.state,
		.journal = &leaving.journal,
		.guest_ms = LIVE_GUEST_MS,
		.report = live_tell,
		.context = &leaving.telling,
	};
	deeds_begin(&deeds, command);
	deeds_add(&deeds, "vmid", json_integer(vmid));
	r = attach_vm_read_running(&command->root, vmid, "detach", &attach.vm, &leaving.qemu, err);
	return r < 0 ? r : look_and_change(&leaving, err);
}
