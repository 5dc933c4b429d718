/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * change: giving back, which is the journal read backwards. The VM's configuration is not looked
 * at: it may have changed since, or be gone.
 */
#pragma once

#include "change/journal.h"
#include "change/run.h"

/*
 * Reverts those of the journal's actions for which `chosen` is true (NULL: all). What was reverted
 * leaves the journal; what could not be stays, so that it can be tried again. Writes the journal,
 * or removes it with its last action. The caller holds the VM's lock.
 * Blocks for `deadline_ms` and a second at most. Returns the number of actions that could not be
 * reverted, or -errno.
 */
int restore_actions(const struct sysroot *root, const struct state *state, struct journal *journal,
		    const bool *chosen, unsigned deadline_ms, run_told *told, void *context,
		    struct error *err);

/*
 * The same for the journal of an earlier process. It waits, `wait_ms` at most, until no process
 * holds the devices; those that one still holds are left and told with -EBUSY.
 */
int restore_journal(const struct sysroot *root, const struct state *state, struct journal *journal,
		    const bool *chosen, unsigned wait_ms, unsigned deadline_ms, run_told *told,
		    void *context, struct error *err);
