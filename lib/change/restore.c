/* SPDX-License-Identifier: GPL-2.0-or-later */
/* change: giving back. Never stops at the first failure, and never takes a device from a QEMU. */
#include "change/restore.h"

#include <errno.h>
#include <stdio.h>

#include "change/claims.h"
#include "change/displace.h"
#include "change/held.h"
#include "pci/driver.h"
#include "use/vfio.h"

/* The claims lock is held for a few file reads. */
#define CLAIMS_WAIT_MS 10000

/* A guest that starts takes devices itself, and may have much memory to get. */
#define GUEST_MS 330000

/* Notes which actions were reverted on their way to the caller. */
struct notes {
	const struct actions *actions;
	bool *reverted;
	run_report *report;
	void *context;
};

static bool is_reverted(const struct action *action, const void *context)
{
	const struct notes *notes = context;

	return notes->reverted[action - notes->actions->items];
}

static void note_result(const struct action *action, const struct run_result *result, void *context)
{
	struct notes *notes = context;

	if (result->result == 0)
		notes->reverted[action - notes->actions->items] = true;
	notes->report(action, result, notes->context);
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

static void tell_held(const struct restore *restore, const struct vfio_holders *holders,
		      const struct held_silence *silence, const struct action *action)
{
	const struct vfio_holder *holder = vfio_holder_of(holders, action->group);
	struct run_result result = { .result = -EBUSY };
	char text[LANE_PATH_MAX + 128];

	if (silence->limit_ms > 0)
		snprintf(text, sizeof(text),
			 "%s has not answered within %g s, so its group %d counts as open",
			 *silence->path ? silence->path : "its node", silence->limit_ms / 1000.0,
			 action->group);
	else if (holder)
		snprintf(text, sizeof(text), "process %d (%s) still holds its group %d",
			 (int)holder->pid, holder->command, holder->group);
	else
		snprintf(text, sizeof(text), "its group %d is still open, by a process that ends",
			 action->group);
	result.text = text;
	restore->report(action, &result, restore->context);
}

/* The one rule for all who give back: takes out of `chosen` what is open. */
static int leave_held(struct restore *restore, const struct journal *journal, bool *chosen)
{
	const struct actions *actions = &journal->actions;
	cleanup_vfio_holders struct vfio_holders holders = { 0 };
	cleanup_free bool *held = calloc(actions->count + 1, sizeof(*held));
	struct held_silence silence;

	if (!held)
		return -ENOMEM;
	restore->held = held_find(restore->root, journal, chosen, restore->wait_ms, held, &silence);
	if (restore->held == 0)
		return 0;
	/* Who it is, is for the sentence alone. */
	(void)vfio_holders_find(restore->root, 0, &holders, NULL);
	for (size_t i = 0; i < actions->count; i++) {
		chosen[i] &= !held[i];
		if (held[i] && actions->items[i].type == ACTION_BIND)
			tell_held(restore, &holders, &silence, &actions->items[i]);
	}
	return 0;
}

static int restore_changes(struct restore *restore, struct journal *journal, const bool *chosen,
			   struct error *err)
{
	const size_t count = journal->actions.count;
	cleanup_free bool *reverted = calloc(count + 1, sizeof(*reverted));
	cleanup_free bool *free_ones = calloc(count + 1, sizeof(*free_ones));
	struct notes notes = { &journal->actions, reverted, restore->report, restore->context };
	int failures, settled, stuck = 0, r;

	if (!reverted || !free_ones)
		return error_set_memory(err);
	settled = settle_foreseen(restore->root, restore->state, journal, err);
	for (size_t i = 0; i < count; i++)
		free_ones[i] =
			(!chosen || chosen[i]) && journal->actions.items[i].type != ACTION_DISPLACE;
	if (leave_held(restore, journal, free_ones) < 0)
		return error_set_memory(err);
	for (size_t i = 0; i < count; i++) {
		enum action_state action_state = journal->actions.items[i].state;

		reverted[i] = action_state == ACTION_FORESEEN && settled == 0;
		stuck += action_state == ACTION_STUCK && free_ones[i];
	}
	failures = run_actions(restore->root, &journal->actions, RUN_REVERT, free_ones,
			       restore->deadline_ms, note_result, &notes, err);
	/* Alternatives whose fate cannot be determined stay in the journal; the rest has gone back. */
	if (failures >= 0)
		failures += stuck + (settled < 0) + (int)restore->held;
	(void)actions_drop(&journal->actions, is_reverted, &notes);
	r = journal_write(restore->state, journal, failures < 0 ? NULL : err);
	return failures < 0 || r == 0 ? failures : r;
}

/* Their starts look at our journal, so it is written without the devices by now. */
static int restore_guests(struct restore *restore, struct journal *journal,
			  const struct strings *guests, struct error *err)
{
	const size_t count = journal->actions.count;
	cleanup_free bool *chosen = calloc(count + 1, sizeof(*chosen));
	cleanup_free bool *reverted = calloc(count + 1, sizeof(*reverted));
	struct notes notes = { &journal->actions, reverted, restore->report, restore->context };
	int failures, r;

	if (!chosen || !reverted)
		return error_set_memory(err);
	for (size_t i = 0; i < count; i++) {
		const struct action *action = &journal->actions.items[i];

		chosen[i] = action->type == ACTION_DISPLACE && strings_has(guests, action->target);
		if (chosen[i])
			(void)displace_unreserve(restore->root, action, journal->vmid);
	}
	failures = run_actions(restore->root, &journal->actions, RUN_REVERT, chosen, GUEST_MS,
			       note_result, &notes, err);
	(void)actions_drop(&journal->actions, is_reverted, &notes);
	r = journal_write(restore->state, journal, failures < 0 ? NULL : err);
	return failures < 0 || r == 0 ? failures : r;
}

int restore_actions(struct restore *restore, struct journal *journal, const bool *chosen,
		    struct error *err)
{
	cleanup_strings struct strings guests = { 0 };
	int r;

	for (size_t i = 0; i < journal->actions.count; i++) {
		const struct action *action = &journal->actions.items[i];

		if (action->type == ACTION_DISPLACE && (!chosen || chosen[i]) &&
		    (action->keep || !restore->leave_guests) &&
		    strings_add(&guests, action->target) < 0)
			return error_set_memory(err);
	}
	r = restore_changes(restore, journal, chosen, err);
	return r != 0 || guests.count == 0 ? r : restore_guests(restore, journal, &guests, err);
}

int restore_journal(struct restore *restore, struct journal *journal, const bool *chosen,
		    struct error *err)
{
	/* The VM's lock is ours, so a child that was stuck with one of its devices is gone. */
	for (size_t i = 0; i < journal->actions.count; i++)
		if (journal->actions.items[i].state == ACTION_STUCK)
			journal->actions.items[i].state = ACTION_ANNOUNCED;
	journal_enter(journal, JOURNAL_STOPPING);
	/* For 'status' alone: in a full /run the journal of before still names all that goes back. */
	(void)journal_write(restore->state, journal, NULL);
	return restore_actions(restore, journal, chosen, err);
}
