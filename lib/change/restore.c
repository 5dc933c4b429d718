/* SPDX-License-Identifier: GPL-2.0-or-later */
/* change: giving back. Never stops at the first failure, and never takes a device from a QEMU. */
#include "change/restore.h"

#include <errno.h>
#include <stdio.h>

#include "base/clock.h"
#include "change/claims.h"
#include "pci/driver.h"
#include "use/vfio.h"

/* The claims lock is held for a few file reads. */
#define CLAIMS_WAIT_MS 10000

/* Keeps the actions that were not reverted. */
static void drop_reverted(struct actions *actions, const bool *reverted)
{
	size_t kept = 0;

	for (size_t i = 0; i < actions->count; i++) {
		if (reverted[i])
			action_done(&actions->items[i]);
		else
			actions->items[kept++] = actions->items[i];
	}
	actions->count = kept;
}

/* Notes which actions were reverted on their way to the caller. */
struct notes {
	const struct actions *actions;
	bool *reverted;
	run_told *told;
	void *context;
};

static void note_result(const struct action *action, const struct run_result *result, void *context)
{
	struct notes *notes = context;

	if (result->result == 0)
		notes->reverted[action - notes->actions->items] = true;
	notes->told(action, result, notes->context);
}

/* PVE has bound it, no VM has claimed it: its start came to nothing after that. */
static bool is_stranded(const struct sysroot *root, const struct claims *claims,
			const struct action *action)
{
	cleanup_free char *driver = NULL;
	const struct journal *owner;

	return action->state == ACTION_FORESEEN && !claims_find(claims, action->target, &owner) &&
	       pci_driver_read(root, action->target, &driver) == 0 &&
	       text_equal(driver, action->wanted) && !text_equal(driver, action->before);
}

/*
 * Foreseen alternatives are left alone, as another VM may have them by now, but for one that PVE
 * bound against all expectation. Under the claims lock it becomes this VM's, to be given back.
 */
static int settle_foreseen(const struct sysroot *root, const struct state *state,
			   struct journal *journal, struct error *err)
{
	cleanup_claims struct claims claims = { 0 };
	cleanup_close int lock = -1;
	bool any = false;
	int r;

	for (size_t i = 0; i < journal->actions.count; i++)
		any |= journal->actions.items[i].state == ACTION_FORESEEN;
	if (!any)
		return 0;
	lock = state_lock_claims(state, deadline_in_ms(CLAIMS_WAIT_MS), err);
	if (lock < 0)
		return lock;
	r = claims_read(root, state, journal->vmid, &claims, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < journal->actions.count; i++)
		if (is_stranded(root, &claims, &journal->actions.items[i]))
			journal->actions.items[i].state = ACTION_ANNOUNCED;
	return journal_write(state, journal, err);
}

int restore_actions(const struct sysroot *root, const struct state *state, struct journal *journal,
		    const bool *chosen, unsigned deadline_ms, run_told *told, void *context,
		    struct error *err)
{
	cleanup_free bool *reverted = calloc(journal->actions.count + 1, sizeof(*reverted));
	struct notes notes = { &journal->actions, reverted, told, context };
	int failures, settled, stuck = 0, r;

	if (!reverted)
		return error_set_memory(err);
	settled = settle_foreseen(root, state, journal, err);
	for (size_t i = 0; i < journal->actions.count; i++) {
		enum action_state action_state = journal->actions.items[i].state;

		reverted[i] = action_state == ACTION_FORESEEN && settled == 0;
		stuck += action_state == ACTION_STUCK && (!chosen || chosen[i]);
	}
	failures = run_actions(root, &journal->actions, RUN_REVERT, chosen, deadline_ms,
			       note_result, &notes, err);
	/* Alternatives whose fate cannot be told stay in the journal; the rest has gone back. */
	if (failures >= 0)
		failures += stuck + (settled < 0);
	drop_reverted(&journal->actions, reverted);
	r = journal_write(state, journal, failures < 0 ? NULL : err);
	return failures < 0 || r == 0 ? failures : r;
}

/* A device that was taken, which an alternative that was only foreseen is not. */
static bool is_ours(const struct action *action)
{
	return action->type == ACTION_BIND && action->state != ACTION_FORESEEN;
}

static bool any_open(const struct sysroot *root, const struct journal *journal)
{
	for (size_t i = 0; i < journal->actions.count; i++)
		if (is_ours(&journal->actions.items[i]) &&
		    vfio_group_is_open(root, journal->actions.items[i].group))
			return true;
	return false;
}

/* QEMU closes its devices as it ends, which for a VM with much memory takes a while. */
static void wait_until_closed(const struct sysroot *root, const struct journal *journal,
			      unsigned wait_ms)
{
	struct deadline deadline = deadline_in_ms(wait_ms);
	unsigned step = 0;

	while (any_open(root, journal) && deadline_wait_step(deadline, &step))
		continue;
}

static void tell_held(const struct vfio_holders *holders, const struct action *action,
		      run_told *told, void *context)
{
	const struct vfio_holder *holder = vfio_holder_of(holders, action->group);
	struct run_result result = { .result = -EBUSY };
	char text[128];

	if (holder)
		snprintf(text, sizeof(text), "process %d (%s) still holds its group %d",
			 (int)holder->pid, holder->command, holder->group);
	else
		snprintf(text, sizeof(text), "its group %d is still open, by a process that ends",
			 action->group);
	result.text = text;
	told(action, &result, context);
}

/* Leaves out what is still open; returns how many. */
static int choose_free(const struct sysroot *root, const struct journal *journal,
		       const bool *chosen, bool *freed, run_told *told, void *context)
{
	cleanup_vfio_holders struct vfio_holders holders = { 0 };
	int held = 0;

	for (size_t i = 0; i < journal->actions.count; i++) {
		const struct action *action = &journal->actions.items[i];

		freed[i] = !chosen || chosen[i];
		if (!freed[i] || !is_ours(action) || !vfio_group_is_open(root, action->group))
			continue;
		/* Who it is, is for the sentence alone. */
		if (held++ == 0)
			(void)vfio_holders_find(root, 0, &holders, NULL);
		freed[i] = false;
		tell_held(&holders, action, told, context);
	}
	return held;
}

int restore_journal(const struct sysroot *root, const struct state *state, struct journal *journal,
		    const bool *chosen, unsigned wait_ms, unsigned deadline_ms, run_told *told,
		    void *context, struct error *err)
{
	cleanup_free bool *freed = calloc(journal->actions.count + 1, sizeof(*freed));
	int held, failures;

	if (!freed)
		return error_set_memory(err);
	wait_until_closed(root, journal, wait_ms);

	/* The VM's lock is ours, so a child that was stuck with one of its devices is gone. */
	for (size_t i = 0; i < journal->actions.count; i++)
		if (journal->actions.items[i].state == ACTION_STUCK)
			journal->actions.items[i].state = ACTION_ANNOUNCED;
	journal_enter(journal, JOURNAL_STOPPING);
	/* For 'status' alone: in a full /run the journal of before still names all that goes back. */
	(void)journal_write(state, journal, NULL);
	held = choose_free(root, journal, chosen, freed, told, context);
	failures = restore_actions(root, state, journal, freed, deadline_ms, told, context, err);
	return failures < 0 ? failures : failures + held;
}
