/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * change: which devices of a journal somebody has open through VFIO. They are not given back,
 * whoever asks for it.
 */
#pragma once

#include "base/lanes.h"
#include "change/journal.h"

/* A look that did not end. */
struct held_silence {
	char path[LANE_PATH_MAX]; /* what has not answered, "" where it has no name */
	unsigned limit_ms;	  /* for so long; 0: each look has ended */
	pid_t stuck; /* a child that is left in the kernel with it, or 0; to be reaped by the caller */
};

/*
 * Of the actions for which `chosen` is true (NULL: all) sets those in `held` that must wait: the
 * bindings of devices that are open, what else was done to these, and, while there is one, what was
 * done to the host as a whole. `held` has room for all actions.
 * Waits up to `wait_ms` until nothing is open; each look in a lane, since it may block: for a second more,
 * or the run's deadline if that is less. What has not answered by then counts as open, is named in
 * `ret_silence`, and is not asked again. Returns how many devices are held.
 */
size_t held_find(const struct sysroot *root, const struct journal *journal, const bool *chosen,
		 unsigned wait_ms, bool *held, struct held_silence *ret_silence);
