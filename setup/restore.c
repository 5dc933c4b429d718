/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup: pve-vfio restore. Gives back what the hook took, and never from a running VM. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "change/recover.h"
#include "change/restore.h"
#include "pve/config.h"
#include "pve/lock.h"
#include "pve/qemu.h"
#include "report/words.h"
#include "setup/setup.h"

/* Another phase of the VM may be about to end. */
#define LOCK_WAIT_MS 5000

struct telling {
	const struct sysroot *root;
	struct pci_names names;
};

static void tell(const struct action *action, const struct run_result *result, void *context)
{
	struct telling *telling = context;
	cleanup_free char *line =
		words_result(&telling->names, telling->root, RUN_REVERT, action, result);

	if (line)
		puts(line);
}

/*
 * A VM that runs keeps its devices, and so does one that is being started: its QEMU is to come while
 * Proxmox VE has its configuration locked.
 */
static int refuse_at_work(struct command *command, const struct journal *journal, struct error *err)
{
	cleanup_close int lock = vm_lock_open(&command->root, journal->vmid);
	struct task qemu;
	int r = journal_find_qemu(&command->root, journal, &qemu, err);

	if (r < 0)
		return r;
	if (qemu.pid)
		return error_refuse(
			err,
			"VM %u runs (process %d) and keeps its devices; 'qm shutdown %u' ends it",
			journal->vmid, (int)qemu.pid, journal->vmid);
	if (lock >= 0 && vm_lock_is_held(lock))
		return error_refuse(err,
				    "VM %u is being started or stopped: Proxmox VE has its "
				    "configuration locked; try again when that has ended",
				    journal->vmid);
	return 0;
}

static int read_journal(struct command *command, const struct state *state, uint32_t vmid,
			struct journal *ret, struct error *err)
{
	bool broken = false;
	int r = journal_recover(&command->root, state, vmid, ret, &broken, err);

	if (broken) {
		fprintf(stderr, "pve-vfio: %s; what can be recognised in it is looked at\n",
			err->message);
		*err = (struct error){ 0 };
	}
	return r;
}

static int give_back(struct command *command, const struct state *state, struct journal *journal,
		     struct error *err)
{
	struct telling telling = { .root = &command->root };
	struct restore restore = {
		.root = &command->root,
		.state = state,
		.told = tell,
		.context = &telling,
		.deadline_ms = journal->deadline_s * 1000,
	};
	int r = restore_journal(&restore, journal, NULL, err);

	pci_names_done(&telling.names);
	return r;
}

/* Why what a VM's journal has is not left over; NULL: it is. The VM's lock is held. */
static const char *why_not_stale(struct command *command, const struct journal *journal)
{
	struct task qemu;
	cleanup_close int lock = vm_lock_open(&command->root, journal->vmid);

	if (journal->phase == JOURNAL_KEPT)
		return "keeps its devices, as its settings ask";
	if (journal_find_qemu(&command->root, journal, &qemu, NULL) < 0 || qemu.pid)
		return "runs";
	if (lock >= 0 && vm_lock_is_held(lock))
		return "is at work: Proxmox VE has its configuration locked";
	return NULL;
}

static int restore_one_stale(struct command *command, const struct state *state, uint32_t vmid,
			     struct error *err)
{
	cleanup_journal struct journal journal = { 0 };
	cleanup_close int lock = state_lock_vm(state, vmid, deadline_in_ms(0), NULL);
	const char *why;
	int r;

	if (lock < 0) {
		printf("VM %u: another process is at work on its devices; left\n", vmid);
		return 0;
	}
	r = read_journal(command, state, vmid, &journal, err);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	why = why_not_stale(command, &journal);
	if (why) {
		printf("VM %u %s; left\n", vmid, why);
		return 0;
	}
	printf("VM %u: left over since it was '%s'; giving its devices back\n", vmid,
	       journal_phase_name(journal.phase));
	return give_back(command, state, &journal, err);
}

/* All VMs, however one of them fares. */
static int restore_stale(struct command *command, const struct state *state, struct error *err)
{
	cleanup_vmids struct vmids vmids = { 0 };
	int failed = journal_list(state, &vmids, err);

	for (size_t i = 0; i < vmids.count; i++) {
		struct error one = { 0 };
		int r = restore_one_stale(command, state, vmids.items[i], &one);

		if (r < 0)
			fprintf(stderr, "pve-vfio: %s\n", one.message);
		if (r != 0 && failed == 0)
			failed = error_set(err, -EIO,
					   "not all devices are back with the host; see 'pve-vfio "
					   "status'");
	}
	return failed;
}

/* The VM is gone, or there is nothing to give back. */
static int tell_nothing(struct command *command, uint32_t vmid, struct error *err)
{
	int r;

	*err = (struct error){ 0 };
	r = vm_look(&command->root, vmid, err);
	if (r == 0)
		printf("VM %u holds no devices.\n", vmid);
	return r;
}

/* One VM, on demand: also what it was to keep. */
static int restore_one(struct command *command, const struct state *state, uint32_t vmid,
		       struct error *err)
{
	cleanup_journal struct journal journal = { 0 };
	cleanup_close int lock = -1;
	int r;

	lock = journal_lock(&command->root, state, vmid, LOCK_WAIT_MS, err);
	if (lock < 0)
		return lock;
	r = read_journal(command, state, vmid, &journal, err);
	if (r == -ENOENT)
		return tell_nothing(command, vmid, err);
	if (r == 0)
		r = refuse_at_work(command, &journal, err);
	if (r == 0)
		r = give_back(command, state, &journal, err);
	return r > 0 ? error_set(err, -EIO,
				 "not all devices are back with the host; see 'pve-vfio status %u'",
				 vmid)
		     : r;
}

int verb_restore(struct command *command, struct error *err)
{
	cleanup_state struct state state = { .fd = -1 };
	bool stale = command_has(command, "--stale");
	uint32_t vmid = 0;
	int r = 0;

	if (stale != (command->argc == 0))
		return usage_error(err, command, "it takes either a VMID or --stale");
	if (!stale)
		r = command_parse_vmid(command, 0, &vmid, err);
	if (r < 0)
		return r;
	r = state_open(&command->root, false, &state, err);
	if (r == -ENOENT)
		return stale ? 0 : tell_nothing(command, vmid, err);
	if (r < 0)
		return r;
	return stale ? restore_stale(command, &state, err)
		     : restore_one(command, &state, vmid, err);
}
