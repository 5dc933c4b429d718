/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * change: makes or reverts a list of actions within a deadline. Host-wide actions go first (or,
 * backwards, last), one after another. The others run in lanes, side by side: one lane for the
 * functions of a PCI slot, since a display function and its audio depend on each other: the
 * highest function goes first, and comes back last.
 */
#pragma once

#include "change/action.h"

enum run_direction {
	RUN_APPLY,  /* a lane ends at its first failure */
	RUN_REVERT, /* a lane goes on after a failure; actions in the reverse order */
};

/* What became of one action. */
struct run_result {
	int result; /* 0; -ETIMEDOUT: not done in time; -ECANCELED: not tried; or another -errno */
	uint64_t took_us;
	const char *text; /* a failure's sentence, or the note of a revert; may be empty */
};

/*
 * Told in the parent as soon as an action has ended, while others still run; and with -EINPROGRESS, and
 * no text, when one of a device takes its time.
 */
typedef void run_report(const struct action *action, const struct run_result *result,
			void *context);

/*
 * Runs those of the actions for which `chosen` is true (NULL: all), and sets their states. An
 * action that is stuck or only foreseen is not touched, and one that is done is not applied again.
 * Blocks for `deadline_ms` and a second at most. Returns the number of actions that did not
 * succeed, or -errno when nothing could be run.
 */
int run_actions(const struct sysroot *root, const struct actions *actions,
		enum run_direction direction, const bool *chosen, unsigned deadline_ms,
		run_report *report, void *context, struct error *err) must_check;
