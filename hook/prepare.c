/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hook: a start up to its checks. Changes no device. */
#include <errno.h>

#include "base/array.h"
#include "base/clock.h"
#include "change/tally.h"
#include "check/check.h"
#include "hook.h"
#include "report/words.h"

/* What was reserved for a plan that is made anew. */
static int drop_reservations(struct hook *hook, struct start *start, struct error *err)
{
	const struct actions *actions = &start->journal.actions;
	cleanup_free bool *chosen = calloc(actions->count + 1, sizeof(*chosen));
	struct restore restore = hook_restore(hook, 0, start->journal.deadline_s);
	bool any = false;
	int r;

	if (!chosen)
		return error_set_memory(err);
	for (size_t i = 0; i < actions->count; i++)
		any |= chosen[i] = actions->items[i].type == ACTION_RESERVE;
	r = any ? restore_actions(&restore, &start->journal, chosen, err) : 0;
	return r > 0 ? error_set(err, -EIO, "a reservation cannot be removed") : r;
}

int hook_forget_plan(struct hook *hook, struct start *start, struct error *err)
{
	int r = drop_reservations(hook, start, err);

	start_forget(start);
	return r;
}

int hook_prepare(struct hook *hook, struct start *start, struct error *err)
{
	int r = start_prepare(start, err);

	hook->trace = start->settings.trace;
	if (r < 0 || !owners_settle(hook, start))
		return r;
	r = hook_forget_plan(hook, start, err);
	return r < 0 ? r : start_prepare(start, err);
}

static void tell_finding(struct hook *hook, const struct finding *finding)
{
	cleanup_free char *words = words_finding(finding, hook->vmid, WORDS_WIDTH);
	const struct event event = {
		.kind = EVENT_FINDING,
		.subject = finding->subject,
		.check = check_describe(finding->id)->id,
		.result = check_level_name(finding->level),
	};

	if (words)
		hook_tell(hook, &event, words);
}

static void count_refusal(struct hook *hook, const struct findings *findings)
{
	cleanup_strings struct strings checks = { 0 };

	for (size_t i = 0; i < findings->count; i++) {
		const struct finding *finding = &findings->items[i];
		const char *id = check_describe(finding->id)->id;

		if (finding->level == LEVEL_ERROR && !finding->allowed && !strings_has(&checks, id))
			(void)strings_add(&checks, id);
	}
	tally_refuse(hook->lock, &checks);
}

/* Says all that was found, and refuses where one of it is an error. */
static int tell_findings(struct hook *hook, const struct start *start,
			 const struct findings *findings, struct error *err)
{
	static const enum check_level levels[] = { LEVEL_ERROR, LEVEL_WARNING, LEVEL_INFO };
	size_t errors = findings_count(findings, LEVEL_ERROR);

	for (size_t level = 0; level < ARRAY_SIZE(levels); level++)
		for (size_t i = 0; i < findings->count; i++)
			if (findings->items[i].level == levels[level])
				tell_finding(hook, &findings->items[i]);
	if (errors == 0)
		return 0;
	count_refusal(hook, findings);
	for (size_t i = 0; i < findings->count; i++)
		notify_finding(hook, start, &findings->items[i]);
	return error_refuse(err, "VM %u is not started, for %zu reason%s; the host is as it was",
			    hook->vmid, errors, errors > 1 ? "s" : "");
}

int hook_check(struct hook *hook, const struct start *start, struct error *err)
{
	cleanup_findings struct findings findings = { 0 };
	uint64_t began = clock_now_us();
	struct error reason = { 0 };
	int r = check_start_run(start, &findings, &reason), refused;

	hook_trace(hook, "checked", began);
	refused = tell_findings(hook, start, &findings, err);
	return r < 0 ? error_set(err, r, "%s", reason.message) : refused;
}

static int check_claims_again(struct hook *hook, const struct start *start, struct error *err)
{
	cleanup_findings struct findings findings = { 0 };
	int r = check_claims_run(start, &findings, err);

	if (r < 0 || findings_count(&findings, LEVEL_ERROR) == 0)
		return r;
	return tell_findings(hook, start, &findings, err);
}

int hook_lock_claims(struct hook *hook, struct start *start, struct error *err)
{
	cleanup_close int lock = -1;
	int r;

	lock = state_lock_claims(&hook->state, deadline_in_ms(CLAIM_LOCK_WAIT_MS), err);
	if (lock < 0)
		return lock;
	r = start_read_claims(start, err);
	if (r == 0)
		r = check_claims_again(hook, start, err);
	return r < 0 ? r : TAKE_FD(lock);
}
