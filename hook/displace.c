/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hook: guests that give way to a start. Nothing is asked of them before all else of the start is
 * well, and nothing is taken before they have ended: what a VM had is left by its own post-stop, or
 * by owners_settle() where that is late, and taken over with the claims. No lock is held that a
 * guest's own end needs.
 */
#include <errno.h>

#include "base/clock.h"
#include "change/displace.h"
#include "change/held.h"
#include "hook.h"
#include "report/words.h"

static size_t count_asked(const struct actions *actions)
{
	size_t count = 0;

	for (size_t i = 0; i < actions->count; i++)
		count += displace_is_asked(&actions->items[i]);
	return count;
}

/* From here on they are the start's: no other one has them, or what they have. */
static int announce(struct hook *hook, struct start *start, struct error *err)
{
	struct journal *journal = &start->journal;
	cleanup_close int claims = hook_lock_claims(hook, start, err);

	if (claims < 0)
		return claims;
	for (size_t i = 0; i < start->plan.actions.count; i++) {
		const struct action *action = &start->plan.actions.items[i];
		struct action copy = { 0 };

		if (!displace_is_asked(action))
			continue;
		actions_remove(&journal->actions, ACTION_DISPLACE, action->target);
		if (action_copy(action, &copy) < 0 || actions_add(&journal->actions, &copy) < 0)
			return error_set_memory(err);
	}
	journal->deadline_s = start->settings.deadline_s;
	journal_enter(journal, JOURNAL_STARTING);
	return journal_write(&hook->state, journal, err);
}

static int ask(struct hook *hook, struct start *start, size_t count, struct error *err)
{
	struct actions *actions = &start->journal.actions;
	cleanup_free bool *chosen = calloc(actions->count + 1, sizeof(*chosen));
	unsigned timeout_s = start->settings.displace.timeout_s;
	int r, written;

	if (!chosen)
		return error_set_memory(err);
	for (size_t i = 0; i < actions->count; i++) {
		const struct action *action = &actions->items[i];
		cleanup_free char *name = words_guest(action->target);

		/* One that waits since an earlier run, and could not be started again, is not asked anew. */
		chosen[i] = displace_is_asked(action) &&
			    actions_find(&start->plan.actions, ACTION_DISPLACE, action->target);
		if (chosen[i])
			hook_say(hook, "%s is to give way, as the settings allow (%s, up to %u s)",
				 name ? name : "", action->wanted, action->timeout_s);
	}
	r = run_actions(&hook->root, actions, RUN_APPLY, chosen,
			(unsigned)count * timeout_s * 1000 + 1000, hook_tell_applied, hook, err);
	written = journal_write(&hook->state, &start->journal, r < 0 ? NULL : err);
	if (r > 0)
		return error_set(err, -EBUSY,
				 "VM %u is not started: not all have given way; who has, starts "
				 "again",
				 hook->vmid);
	return r < 0 ? r : written;
}

/* A QEMU that has ended may have its devices open for a moment more. */
static int wait_closed(struct hook *hook, const struct start *start, struct error *err)
{
	struct journal asked = start->journal;
	cleanup_free bool *held = NULL;
	struct held_silence silence;

	asked.actions = start->plan.actions;
	held = calloc(asked.actions.count + 1, sizeof(*held));
	if (!held)
		return error_set_memory(err);
	/* Whoever has them then, the checks tell. */
	(void)held_find(&hook->root, &asked, NULL, OWNER_WAIT_MS, held, &silence);
	return 0;
}

int displace_guests(struct hook *hook, struct start *start, struct error *err)
{
	size_t count = count_asked(&start->plan.actions);
	uint64_t began = clock_now_us();
	int r;

	if (count == 0)
		return 0;
	r = announce(hook, start, err);
	if (r == 0)
		r = ask(hook, start, count, err);
	if (r == 0)
		r = wait_closed(hook, start, err);
	hook_trace(hook, "others gave way", began);
	if (r == 0)
		r = hook_forget_plan(hook, start, err);
	if (r == 0)
		r = hook_prepare(hook, start, err);
	if (r == 0)
		r = hook_check(hook, start, err);
	if (r == 0 && count_asked(&start->plan.actions) > 0)
		r = error_set(err, -EBUSY,
			      "VM %u is not started: a guest that gave way has started again",
			      hook->vmid);
	return r;
}
