/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * change: which devices of a journal somebody has open through VFIO. They are not given back,
 * whoever asks for it.
 */
#pragma once

#include "change/journal.h"

/*
 * Of the actions for which `chosen` is true (NULL: all) sets those in `held` that must wait: the
 * bindings of devices that are open, what else was done to these, and, while there is one, what was
 * done to the host as a whole. `held` has room for all actions.
 * Waits up to `wait_ms` until nothing is open; in a lane, since a look itself may block: two seconds
 * more at most. Returns how many devices are held; one of which that cannot be determined counts.
 */
size_t held_find(const struct sysroot *root, const struct journal *journal, const bool *chosen,
		 unsigned wait_ms, bool *held);
