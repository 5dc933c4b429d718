/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * change: how many virtual functions a physical one has, while the host runs. The kernel takes another
 * number only when there are none (sriov_numvfs_store() in drivers/pci/iov.c), so all of them go, and
 * what was set for them with them: that, and the mode of the card's switch, are put back.
 */
#pragma once

#include "change/journal.h"
#include "change/run.h"
#include "pci/device.h"

/* Started as { 0 }. */
struct sriov_count {
	const struct sysroot *root;
	const struct state *state;
	unsigned before, wanted;
	unsigned deadline_ms; /* for what the kernel does, at most three times */
	run_report *report;
	void *context;
	/*
	 * What was before, as when the physical function itself is passed: ACTION_KEEP_VFS,
	 * ACTION_SET_ATTRIBUTE, ACTION_KEEP_ESWITCH. On disk from sriov_count_announce() on.
	 */
	struct journal journal;
};

/*
 * Reads what there is now of the physical function. What an interrupted change has in its journal counts
 * for the virtual functions that it names. The caller has filled in root, state (NULL: none can have been
 * interrupted) and wanted. 0 or -errno; blocks as netlink_ask() does.
 */
int sriov_count_read(struct sriov_count *count, const struct pci_device *physical,
		     struct error *err) must_check;

/* Writes the journal. The caller has the claims lock, and the physical function's. */
int sriov_count_announce(const struct sriov_count *count, struct error *err) must_check;

/*
 * Changes it and sees that it is in effect; where it is not, what was before comes back. The sentence of a
 * failure says how many there are after it. The journal is gone, unless not even that could be done.
 * The caller has the physical function's lock.
 */
int sriov_count_run(struct sriov_count *count, struct error *err) must_check;
void sriov_count_done(struct sriov_count *count);
#define cleanup_sriov_count cleanup(sriov_count_done)
