/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * change: giving back, which is the journal read backwards. The VM's configuration is not looked
 * at: it may have changed since, or be gone.
 */
#pragma once

#include "change/journal.h"
#include "change/run.h"

/* What giving back is done with. Started as { 0 } with the members of the first part set. */
struct restore {
	const struct sysroot *root;
	const struct state *state;
	unsigned wait_ms;     /* how long to wait for what somebody still has open */
	unsigned deadline_ms; /* for the actions */
	bool leave_guests;    /* starting those again that gave way is left to another process */
	run_report *report;
	void *context;

	size_t held; /* set: how many devices are left since somebody has them open */
};

/*
 * Reverts those of the journal's actions for which `chosen` is true (NULL: all). What was reverted
 * leaves the journal; what could not be stays, so that it can be tried again. Writes the journal,
 * or removes it with its last action. The caller holds the VM's lock.
 * A device that somebody has open through VFIO, whoever it is, is left with all that was done for
 * it, and reported with -EBUSY; and with it what was done to the host as a whole.
 * Guests that gave way are started again at last, when all else has gone back and the journal says so.
 * Blocks for `wait_ms`, `deadline_ms` twice and some seconds at most, and for the starts of guests
 * that are chosen. Returns the number of actions
 * that could not be reverted, those of devices left among them, or -errno.
 */
int restore_actions(struct restore *restore, struct journal *journal, const bool *chosen,
		    struct error *err) must_check;

/* The same for the journal of an earlier process, which enters JOURNAL_STOPPING. */
int restore_journal(struct restore *restore, struct journal *journal, const bool *chosen,
		    struct error *err) must_check;
