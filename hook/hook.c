/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hook: what the phases and the watch share. Waits for no lock without a bound. */
#include "hook.h"

#include <errno.h>

#include "base/clock.h"
#include "change/displace.h"
#include "change/recover.h"
#include "change/tally.h"
#include "settings/settings.h"

/* How long a lane is waited for after its SIGKILL: base/lanes.h. */
#define LANE_GRACE_MS 1000

void hook_done(struct hook *hook)
{
	close_and_reset(&hook->log.journal);
	close_and_reset(&hook->log.syslog);
	pci_names_done(&hook->names);
	notices_done(&hook->notices);
	close_and_reset(&hook->lock);
	state_done(&hook->state);
	sysroot_done(&hook->root);
}

/*
 * The longest that a phase can have the lock: a pre-start that waits for its own earlier run's QEMU, for
 * what that had open, and for other VMs; makes its plan twice and waits for nodes, each within the
 * deadline, a plan in two rounds of lanes; and gives back for others and for itself, takes, and gives all back again. Each of these
 * four runs has its deadline for the devices and once more for the host, and looks for what is open.
 */
static unsigned longest_phase_ms(unsigned deadline_s)
{
	const unsigned step_ms = deadline_s * 1000 + LANE_GRACE_MS;

	return 3 * OWNER_WAIT_MS + CLAIM_LOCK_WAIT_MS + 4 * step_ms + 2 * LANE_GRACE_MS +
	       4 * (2 * step_ms + LANE_GRACE_MS);
}

/* Of the run that has the lock: of its journal, or where there is none yet, of the settings. */
static unsigned deadline_of_run(struct hook *hook)
{
	cleanup_settings struct settings settings = { 0 };
	cleanup_journal struct journal journal = { 0 };

	if (journal_read(&hook->root, &hook->state, hook->vmid, &journal, NULL) == 0)
		return journal.deadline_s;
	return settings_read(&hook->root, hook->vmid, hook->migrated_from, &settings, NULL) == 0
		       ? settings.deadline_s
		       : SETTINGS_DEADLINE_S;
}

void hook_limit(struct hook *hook, unsigned deadline_s)
{
	if (hook->limit_ms)
		*hook->limit_ms = deadline_s * 1000;
}

int hook_begin(struct hook *hook, enum hook_need need, struct error *err)
{
	int r = state_open(&hook->root, need == HOOK_CREATES, &hook->state, err);

	if (r < 0)
		return r;
	if (need != HOOK_CREATES && !journal_exists(&hook->state, hook->vmid))
		return -ENOENT;
	hook->lock = journal_lock(&hook->root, &hook->state, hook->vmid, 0, err);
	if (hook->lock == -EWOULDBLOCK && need == HOOK_CREATES &&
	    displace_is_circular(&hook->root, &hook->state, hook->vmid))
		return error_set(err, -EBUSY,
				 "guests that gave way to VM %u are started again just now, and "
				 "one of them waits for VM %u itself; start it when that has "
				 "ended ('pve-vfio status')",
				 hook->vmid, hook->vmid);
	if (hook->lock == -EWOULDBLOCK && need != HOOK_NO_WAIT)
		hook->lock = journal_lock(&hook->root, &hook->state, hook->vmid,
					  longest_phase_ms(deadline_of_run(hook)), err);
	return hook->lock < 0 ? hook->lock : 0;
}

int hook_read_journal(struct hook *hook, struct journal *ret, struct error *err)
{
	bool broken = false;
	int r = journal_recover(&hook->root, &hook->state, hook->vmid, ret, &broken, err);

	if (broken)
		hook_say(hook, "%s; what can be recognised in it is checked", err->message);
	return r;
}

struct restore hook_restore(struct hook *hook, unsigned wait_ms, unsigned deadline_s)
{
	return (struct restore){
		.root = &hook->root,
		.state = &hook->state,
		.wait_ms = wait_ms,
		.deadline_ms = deadline_s * 1000,
		.leave_guests = !hook->starts_guests,
		.report = hook_tell_reverted,
		.context = hook,
	};
}

/* The journal stays as it is for these: the other's start takes it from there. */
static bool leave_to_other(struct hook *hook, const struct journal *journal, bool *chosen)
{
	struct error err = { 0 };
	uint32_t other;
	int r = displace_leave(&hook->root, &hook->state, journal, chosen, &other, &err);

	if (r < 0)
		hook_say(hook, "%s; the devices go to the host", err.message);
	/* A watch looks more than once. */
	if (r > 0 && !hook->starts_guests)
		hook_say(hook, "VM %u gives way to VM %u, which takes %d of its devices over",
			 hook->vmid, other, r);
	return r > 0;
}

int hook_give_back(struct hook *hook, struct journal *journal, unsigned wait_ms, size_t *ret_held,
		   struct error *err)
{
	cleanup_free bool *chosen = calloc(journal->actions.count + 1, sizeof(*chosen));
	struct restore restore = hook_restore(hook, wait_ms, journal->deadline_s);
	uint64_t began = clock_now_us();
	int r;

	*ret_held = 0;
	if (!chosen)
		return error_set_memory(err);
	for (size_t i = 0; i < journal->actions.count; i++) {
		const struct action *action = &journal->actions.items[i];

		chosen[i] = !action->keep || action->type == ACTION_DISPLACE;
		if (action->keep && action->type == ACTION_BIND && action->state != ACTION_FORESEEN)
			hook_say(hook, "%s: stays with %s, as the settings ask", action->target,
				 action->wanted);
	}
	hook->leaves = leave_to_other(hook, journal, chosen);
	/* Until then that start needs the VM's lock, which is held while a guest starts. */
	restore.leave_guests |= hook->leaves;
	r = restore_journal(&restore, journal, chosen, err);
	*ret_held = restore.held;
	if (r == 0)
		tally_give(hook->lock, clock_now_us() - began);
	if (r == 0 && !hook->leaves)
		r = journal_settle(&hook->state, journal, err);
	if (r <= 0)
		return r;
	return error_set(err, (size_t)r == restore.held ? -EBUSY : -EIO,
			 "not all devices are back with the host; 'pve-vfio restore %u' tries "
			 "again",
			 hook->vmid);
}
