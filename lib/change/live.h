/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * change: devices that join a VM that runs, and leave it. The journal of its run has more actions then,
 * or fewer, and is what it was before in all else: whoever reads it, of whatever version, gives back
 * all of it when the VM has stopped. Which device QEMU has is not in it: that is asked of QEMU.
 */
#pragma once

#include "change/restore.h"
#include "change/start.h"
#include "pve/slot.h"

/* How long QEMU gets to take a device: it pins the VM's memory meanwhile, if it has none yet. */
#define LIVE_ADD_MS(memory_mib) (60000 + (unsigned)(memory_mib))

/* How long the guest gets to let a device go, and QEMU to close it then. */
#define LIVE_GUEST_MS  25000
#define LIVE_CLOSED_MS 3000

/* What it is done with; all of it is the caller's, who has the VM's lock. */
struct live {
	const struct sysroot *root;
	const struct state *state;
	struct journal *journal; /* of the run, or begun with live_begin() */
	unsigned number;	 /* of the line, hostpciN: its ids in QEMU */
	unsigned guest_ms;	 /* LIVE_GUEST_MS; of a device that leaves */
	run_report *report;
	void *context;
};

/* A device that joins. */
struct live_device {
	const struct plan *plan;	 /* of this device alone */
	const struct strings *functions; /* addresses, in the order of the line */
	const struct qemu_slot *slot;	 /* where it goes */
	const struct hostpci *line;	 /* rombar, romfile */
	unsigned add_ms;		 /* LIVE_ADD_MS() */
};

/*
 * A journal for a VM that runs and has none, which is written with the first device. 0 or -errno.
 */
int live_begin(const struct sysroot *root, uint32_t vmid, unsigned deadline_s,
	       const struct task *qemu, struct journal *ret, struct error *err) must_check;

/*
 * Adds what the plan does to the journal, and writes it. The caller has the claims lock, and has
 * looked that nobody else has the devices. The actions from *ret_first on are the device's.
 */
int live_announce(const struct live *live, const struct live_device *device, size_t *ret_first,
		  struct error *err) must_check;

/*
 * Makes the actions from `first` on, reserves the functions with PVE, and has QEMU take them, function
 * 0 last, since that is what the guest looks for. Where it fails all of it is given back; -EINPROGRESS
 * when it is not known what QEMU does, and so nothing is given back.
 */
int live_take(const struct live *live, const struct live_device *device, size_t first,
	      struct error *err) must_check;

/* What was announced from `first` on goes back, after the error that is in `err`, and is in it then. */
int live_roll_back(const struct live *live, size_t first, struct error *err);

/* Waits up to `wait_ms` until the guest has switched the device on: 1, else 0, or -errno. */
int live_wait_seen(const struct live *live, unsigned wait_ms, struct error *err) must_check;

/*
 * Asks the guest to let go of the device of the line, and waits, `guest_ms`. 0 too where QEMU has it
 * no more, or has ended. -EBUSY: the guest keeps it.
 */
int live_ask(const struct live *live, struct error *err) must_check;

/* The actions that are for the device of the line, and for those that came along with its group. */
size_t live_choose_line(const struct live *live, bool *chosen);

/*
 * The actions of devices that the VM's QEMU does not have open, as far as they were taken. -errno where that
 * cannot be determined.
 */
int live_choose_unheld(const struct live *live, bool *chosen, size_t *ret_count,
		       struct error *err) must_check;

/*
 * Gives the chosen ones back while the VM goes on, and with the last device all that was done to the host.
 * As restore_actions(), with which it shares the bounds; waits LIVE_CLOSED_MS until QEMU has closed them.
 */
int live_give_back(const struct live *live, bool *chosen, struct error *err) must_check;
