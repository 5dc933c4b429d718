/* SPDX-License-Identifier: GPL-2.0-or-later */
/* change: runs actions in lanes. Writes no journal: its caller does. */
#include "change/run.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/lanes.h"
#include "change/reach.h"
#include "change/stuck.h"

/* Everything the two callbacks need. */
struct run {
	const struct sysroot *root;
	const struct actions *actions;
	enum run_direction direction;
	unsigned deadline_ms;
	run_report *report;
	void *context;
	int failures;
	bool *ended; /* per action: reported already */
};

/* The actions of one lane, by number, in the order in which they run. */
struct action_lane {
	size_t *steps;
	size_t count;
};

static void run_step(const struct run *run, size_t step, struct lane_report *report)
{
	const struct action *action = &run->actions->items[step];
	const struct action_operations *operations = action_operations(action->type);
	struct error err = { 0 };
	const char *note = "";
	uint64_t began = clock_now_us();

	if (run->direction == RUN_APPLY)
		report->result = operations->apply(run->root, action, &err);
	else
		report->result = operations->revert(run->root, action, &note, &err);
	report->step = step;
	report->took_us = clock_now_us() - began;
	snprintf(report->text, sizeof(report->text), "%s", report->result < 0 ? err.message : note);
}

static void run_lane(int fd, void *work, void *context)
{
	const struct action_lane *lane = work;
	const struct run *run = context;

	reach_confine(run->root, run->actions, lane->steps, lane->count, run->direction);
	for (size_t i = 0; i < lane->count; i++) {
		struct lane_report report = { 0 };

		run_step(run, lane->steps[i], &report);
		lane_send(fd, &report);
		if (report.result < 0 && run->direction == RUN_APPLY)
			return;
	}
}

static void end_action(struct run *run, size_t step, const struct run_result *result)
{
	struct action *action = &run->actions->items[step];

	run->ended[step] = true;
	if (result->result == 0) {
		action->state = run->direction == RUN_APPLY ? ACTION_DONE : ACTION_ANNOUNCED;
	} else {
		run->failures++;
		if (action->state != ACTION_STUCK && result->result != -ECANCELED)
			action->state = ACTION_FAILED;
	}
	run->report(action, result, run->context);
}

static void note_report(const struct lane_report *report, struct lane *lane, void *context)
{
	struct run_result result = { report->result, report->took_us, report->text };

	(void)lane;
	end_action(context, report->step, &result);
}

/* Of a lane's actions the one that has not ended, all others of it being before or after; its count: none. */
static size_t find_current(const struct run *run, const struct action_lane *work)
{
	size_t i = 0;

	while (i < work->count && run->ended[work->steps[i]])
		i++;
	return i;
}

static void note_wait(struct lane *lane, unsigned waited_s, void *context)
{
	const struct run *run = context;
	const struct action_lane *work = lane->work;
	const struct run_result result = { -EINPROGRESS, waited_s * 1000000ull, "" };
	size_t at = find_current(run, work);

	if (at < work->count)
		run->report(&run->actions->items[work->steps[at]], &result, run->context);
}

/* The first action of a lane that was not reported is the one in which the lane ended. */
static void end_broken_lane(struct run *run, const struct lane *lane)
{
	const struct action_lane *work = lane->work;
	cleanup_free char *words = NULL, *text = NULL, *waits = NULL;
	struct run_result result = { .result = -ETIMEDOUT };
	size_t i = find_current(run, work);

	if (i == work->count)
		return;

	result.took_us = (uint64_t)run->deadline_ms * 1000;
	if (*lane->path)
		waits = text_format(" (%s does not answer)", lane->path);
	if (lane->end == LANE_STUCK) {
		words = stuck_words(run->root, lane->pid, &run->actions->items[work->steps[i]]);
		text = text_format("not done within %u s%s; %s", run->deadline_ms / 1000,
				   waits ? waits : "", words ? words : "");
		run->actions->items[work->steps[i]].state = ACTION_STUCK;
	} else if (lane->end == LANE_LATE) {
		text = text_format("not done within %u s%s", run->deadline_ms / 1000,
				   waits ? waits : "");
	} else {
		result = (struct run_result){ .result = -ECHILD };
		text = strdup("the process that did it was killed");
	}
	result.text = text ? text : "";
	end_action(run, work->steps[i], &result);
}

static void cancel_rest(struct run *run, const struct action_lane *lane)
{
	struct run_result result = { .result = -ECANCELED, .text = "not tried" };

	for (size_t i = 0; i < lane->count; i++)
		if (!run->ended[lane->steps[i]])
			end_action(run, lane->steps[i], &result);
}

static int run_lanes(struct run *run, struct action_lane *work, size_t count, struct error *err)
{
	static const struct lanes_callbacks callbacks = { run_lane, note_report, note_wait };
	cleanup_free struct lane *lanes = calloc(count + 1, sizeof(*lanes));
	int r;

	if (!lanes)
		return error_set_memory(err);
	for (size_t i = 0; i < count; i++)
		lanes[i].work = &work[i];
	r = lanes_run(lanes, count, run->deadline_ms, &callbacks, run);
	for (size_t i = 0; i < count; i++) {
		if (r == 0 && lanes[i].end != LANE_FINISHED)
			end_broken_lane(run, &lanes[i]);
		cancel_rest(run, &work[i]);
	}
	if (r < 0)
		return error_set(err, r, "cannot start a child process: %s", strerror(-r));
	return 0;
}

/* The functions of one slot: "0000:01:00.1" up to the dot. */
static bool same_slot(const char *a, const char *b)
{
	const char *dot = strchr(a, '.');

	return dot && strncmp(a, b, (size_t)(dot - a) + 1) == 0;
}

/* The number of the function, of a lane's actions all that differs in their addresses. */
static char function_of(const struct run *run, size_t step)
{
	return strchr(run->actions->items[step].target, '.')[1];
}

/*
 * Orders the numbers of a lane: the highest function first, and the actions on one function as they
 * are listed. Reverting goes the very opposite way.
 */
static void sort_lane(const struct run *run, struct action_lane *lane)
{
	for (size_t i = 1; i < lane->count; i++) {
		for (size_t at = i; at > 0; at--) {
			size_t *pair = &lane->steps[at - 1];
			size_t held = pair[0];

			if (function_of(run, pair[0]) >= function_of(run, pair[1]))
				break;
			pair[0] = pair[1];
			pair[1] = held;
		}
	}
	for (size_t i = 0; run->direction == RUN_REVERT && i < lane->count / 2; i++) {
		size_t held = lane->steps[i];

		lane->steps[i] = lane->steps[lane->count - 1 - i];
		lane->steps[lane->count - 1 - i] = held;
	}
}

/* What is done already is not done again, but for looking at it when it is reverted. */
static bool is_chosen(const struct run *run, const bool *chosen, size_t step)
{
	enum action_state state = run->actions->items[step].state;

	if ((chosen && !chosen[step]) || state == ACTION_STUCK || state == ACTION_FORESEEN)
		return false;
	return run->direction == RUN_REVERT || state != ACTION_DONE;
}

static bool is_host_wide(const struct run *run, size_t step)
{
	return action_operations(run->actions->items[step].type)->host_wide;
}

/* Host-wide actions are one lane. `steps` has room for all actions. */
static int run_host_wide(struct run *run, const bool *chosen, size_t *steps, struct error *err)
{
	struct action_lane lane = { .steps = steps };
	size_t count = run->actions->count;

	for (size_t i = 0; i < count; i++) {
		size_t step = run->direction == RUN_APPLY ? i : count - 1 - i;

		if (is_host_wide(run, step) && is_chosen(run, chosen, step))
			lane.steps[lane.count++] = step;
	}
	return lane.count > 0 ? run_lanes(run, &lane, 1, err) : 0;
}

static int run_devices(struct run *run, const bool *chosen, size_t *steps, struct error *err)
{
	size_t count = run->actions->count, lane_count = 0;
	cleanup_free struct action_lane *lanes = calloc(count + 1, sizeof(*lanes));
	cleanup_free bool *placed = calloc(count + 1, sizeof(*placed));

	if (!lanes || !placed)
		return error_set_memory(err);
	for (size_t i = 0; i < count; i++) {
		struct action_lane *lane = &lanes[lane_count];

		lane->steps = steps;
		for (size_t k = i; k < count; k++) {
			if (placed[k] || is_host_wide(run, k) || !is_chosen(run, chosen, k) ||
			    !same_slot(run->actions->items[i].target,
				       run->actions->items[k].target))
				continue;
			placed[k] = true;
			lane->steps[lane->count++] = k;
		}
		if (lane->count == 0)
			continue;
		sort_lane(run, lane);
		steps += lane->count;
		lane_count++;
	}
	return lane_count > 0 ? run_lanes(run, lanes, lane_count, err) : 0;
}

int run_actions(const struct sysroot *root, const struct actions *actions,
		enum run_direction direction, const bool *chosen, unsigned deadline_ms,
		run_report *report, void *context, struct error *err)
{
	cleanup_free size_t *steps = calloc(actions->count + 1, sizeof(*steps));
	cleanup_free bool *ended = calloc(actions->count + 1, sizeof(*ended));
	struct run run = {
		.root = root,
		.actions = actions,
		.direction = direction,
		.deadline_ms = deadline_ms,
		.report = report,
		.context = context,
		.ended = ended,
	};
	int r;

	if (!steps || !ended)
		return error_set_memory(err);
	if (direction == RUN_APPLY) {
		r = run_host_wide(&run, chosen, steps, err);
		if (r == 0 && run.failures == 0)
			r = run_devices(&run, chosen, steps, err);
	} else {
		r = run_devices(&run, chosen, steps, err);
		if (r == 0)
			r = run_host_wide(&run, chosen, steps, err);
	}
	return r < 0 ? r : run.failures;
}
