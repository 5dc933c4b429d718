/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup: pve-vfio restore. Gives back what the hook took, and never from a running VM. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/syslog.h"
#include "change/live.h"
#include "change/recover.h"
#include "change/restore.h"
#include "change/watch.h"
#include "pve/config.h"
#include "pve/lock.h"
#include "pve/qemu.h"
#include "report/words.h"
#include "setup/deeds.h"
#include "setup/print.h"
#include "setup/setup.h"

/* Another phase of the VM may be about to end. */
#define LOCK_WAIT_MS 5000

struct telling {
	const struct sysroot *root;
	struct pci_names names;
	struct deeds *deeds; /* NULL in a watch, which says it to the system's log */
	uint32_t vmid;
};

static void say_watched(uint32_t vmid, const char *line)
{
	cleanup_free char *text = text_format("VM %u: %s", vmid, line);
	cleanup_close int log = syslog_connect();

	if (text)
		syslog_send(log, "pve-vfio", text);
}

static void tell(const struct action *action, const struct run_result *result, void *context)
{
	struct telling *telling = context;
	cleanup_free char *line =
		words_result(&telling->names, telling->root, RUN_REVERT, action, result);

	if (line && !telling->deeds)
		say_watched(telling->vmid, line);
	else if (line)
		deeds_note(telling->deeds, "%s", line);
}

/* Devices of a VM that runs, and that its QEMU does not have: a guest has let go of them by itself. */
static int give_back_unheld(struct command *command, const struct state *state,
			    struct journal *journal, size_t *ret_count, struct error *err)
{
	struct telling telling = {
		.root = &command->root,
		.deeds = command->deeds,
		.vmid = journal->vmid,
	};
	const struct live live = {
		.root = &command->root,
		.state = state,
		.journal = journal,
		.report = tell,
		.context = &telling,
	};
	cleanup_free bool *chosen = calloc(journal->actions.count + 1, sizeof(*chosen));
	int r;

	if (!chosen)
		return error_set_memory(err);
	r = live_choose_unheld(&live, chosen, ret_count, err);
	if (r == 0 && *ret_count > 0)
		r = live_give_back(&live, chosen, err);
	pci_names_done(&telling.names);
	return r;
}

/* post-stop has not run, and will not as long as Proxmox VE is not working on the VM. */
static int restore_running(struct command *command, const struct state *state,
			   struct journal *journal, struct error *err)
{
	cleanup_close int lock = vm_lock_open(&command->root, journal->vmid);
	const uint32_t vmid = journal->vmid;
	struct task qemu;
	size_t count = 0;
	int r = journal_find_qemu(&command->root, journal, &qemu, err);

	if (r < 0 || qemu.pid == 0 || qemu.pid != journal->qemu.pid ||
	    qemu.start_time != journal->qemu.start_time || journal->phase != JOURNAL_RUNNING ||
	    (lock >= 0 && vm_lock_is_held(lock)))
		return r;
	r = give_back_unheld(command, state, journal, &count, err);
	if (r < 0 || count == 0)
		return r;
	if (r > 0)
		return error_set(
			err, -EIO,
			"not all that VM %u runs without is back with the host; see 'pve-vfio "
			"status %u'",
			vmid, vmid);
	deeds_note(command->deeds,
		   "VM %u runs without %s, which %s back with the host; what it has it keeps.",
		   vmid, count == 1 ? "a device" : "devices", count == 1 ? "is" : "are");
	return 1;
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
		print_sentence(STDERR_FILENO, "pve-vfio: ", "  ",
			       "%s; what can be recognised in it is checked", err->message);
		*err = (struct error){ 0 };
	}
	return r;
}

/* The devices that somebody has open are left, with all that was done for them. */
static int revert(const struct sysroot *root, const struct state *state, struct journal *journal,
		  struct deeds *deeds, size_t *ret_held, struct error *err)
{
	struct telling telling = { .root = root, .deeds = deeds, .vmid = journal->vmid };
	struct restore restore = {
		.root = root,
		.state = state,
		.report = tell,
		.context = &telling,
		.deadline_ms = journal->deadline_s * 1000,
	};
	int r = restore_journal(&restore, journal, NULL, err);

	pci_names_done(&telling.names);
	*ret_held = restore.held;
	return r;
}

/* In the watch that was left here. */
static bool settle(const struct watched *watched)
{
	cleanup_sysroot struct sysroot root = { .fd = -1 };
	cleanup_journal struct journal journal = { 0 };
	cleanup_state struct state state = { .fd = -1 };
	cleanup_close int lock = -1;
	struct task qemu;
	bool broken;
	size_t held;

	if (sysroot_open("/", &root, NULL) < 0 || state_open(&root, false, &state, NULL) < 0)
		return false;
	lock = journal_lock(&root, &state, watched->vmid, LOCK_WAIT_MS, NULL);
	if (lock < 0)
		return false;
	if (journal_recover(&root, &state, watched->vmid, &journal, &broken, NULL) < 0 ||
	    !watch_is_for(&journal, watched->run))
		return true;
	if (journal_find_qemu(&root, &journal, &qemu, NULL) < 0 || qemu.pid)
		return false;
	say_watched(watched->vmid, "its devices are closed now; giving them back");
	(void)revert(&root, &state, &journal, NULL, &held, NULL);
	return held == 0;
}

/* What is open goes back when it is closed. Returns how many actions are left, or -errno. */
static int give_back(struct command *command, const struct state *state, struct journal *journal,
		     struct error *err)
{
	size_t held;
	int r = revert(&command->root, state, journal, command->deeds, &held, err);

	if (held > 0 && watch_leave(&command->root, state, journal, settle) == 0)
		deeds_note(command->deeds,
			   "VM %u: %zu device%s still open; process %d (pve-vfio-watch) gives back "
			   "what is closed later",
			   journal->vmid, held, held == 1 ? " is" : "s are",
			   (int)journal->watch.pid);
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
		return "is being started or stopped: Proxmox VE has its configuration locked";
	return NULL;
}

static int restore_one_stale(struct command *command, const struct state *state, uint32_t vmid,
			     struct error *err)
{
	cleanup_journal struct journal journal = { 0 };
	cleanup_close int lock = state_lock_vm(state, vmid, deadline_in_ms(0), err);
	const char *why;
	int r;

	if (lock < 0 && lock != -EWOULDBLOCK)
		return lock;
	if (lock < 0) {
		deeds_note(command->deeds, "VM %u: another process is working on its devices; left",
			   vmid);
		return 0;
	}
	r = read_journal(command, state, vmid, &journal, err);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	why = why_not_stale(command, &journal);
	if (why) {
		deeds_note(command->deeds, "VM %u %s; left", vmid, why);
		return 0;
	}
	deeds_note(command->deeds, "VM %u: left over since it was '%s'; giving its devices back",
		   vmid, journal_phase_name(journal.phase));
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
			print_sentence(STDERR_FILENO, "pve-vfio: ", "  ", "%s", one.message);
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
		deeds_note(command->deeds, "VM %u holds no devices.", vmid);
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
		r = restore_running(command, state, &journal, err);
	if (r > 0)
		return 0;
	if (r == 0)
		r = refuse_at_work(command, &journal, err);
	if (r == 0)
		r = give_back(command, state, &journal, err);
	if (r == 0)
		deeds_note(command->deeds, "VM %u holds no devices: all are back with the host.",
			   vmid);
	return r > 0 ? error_set(err, -EIO,
				 "not all devices are back with the host; see 'pve-vfio status %u'",
				 vmid)
		     : r;
}

static int restore(struct command *command, uint32_t vmid, struct error *err)
{
	cleanup_state struct state state = { .fd = -1 };
	bool stale = vmid == 0;
	int r = state_open(&command->root, false, &state, err);

	if (r == -ENOENT && stale) {
		*err = (struct error){ 0 };
		return 0;
	}
	if (r == -ENOENT)
		return tell_nothing(command, vmid, err);
	if (r < 0)
		return r;
	return stale ? restore_stale(command, &state, err)
		     : restore_one(command, &state, vmid, err);
}

int verb_restore(struct command *command, struct error *err)
{
	cleanup_deeds struct deeds deeds = { 0 };
	bool stale = command_has(command, "--stale");
	uint32_t vmid = 0;
	int r = 0;

	if (stale != (command->argc == 0))
		return usage_error(err, command, "it takes either a VMID or --stale");
	if (!stale)
		r = command_parse_vmid(command, 0, &vmid, err);
	if (r < 0)
		return r;
	deeds_begin(&deeds, command);
	command->deeds = &deeds;
	if (!stale)
		deeds_add(&deeds, "vmid", json_integer(vmid));
	r = restore(command, vmid, err);
	command->deeds = NULL;
	return r < 0 ? r : deeds_end(&deeds, NULL, err);
}
