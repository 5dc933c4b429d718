/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * change: the directory /run/pve-vfio, which holds the journals and the locks. It is root's alone
 * (0700), and goes with the boot whose changes it records.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "host/sysroot.h"

#define STATE_PATH "/run/pve-vfio"

struct state {
	int fd;
};

/*
 * Opens the directory, and makes it first with `create`. Without it -ENOENT, silently, when there
 * is none. A directory that another user owns or may write to, or a symbolic link in its place,
 * is refused.
 */
int state_open(const struct sysroot *root, bool create, struct state *ret,
	       struct error *err) must_check;
void state_done(struct state *state);
#define cleanup_state cleanup(state_done)

/*
 * Locks, taken by flock(2): they end with the last process that holds the descriptor, so a child
 * that is stuck in the kernel with a VM's device keeps that VM's lock, and rightly.
 * Both wait until the deadline, then -EWOULDBLOCK. The descriptor is the caller's to close.
 */

/* One VM, for a whole phase. */
int state_lock_vm(const struct state *state, uint32_t vmid, struct deadline deadline,
		  struct error *err) must_check;

/* How many virtual functions a physical one has, for as long as that is changed. */
int state_lock_physical(const struct state *state, const char *physical, struct deadline deadline,
			struct error *err) must_check;

/* Somebody has that lock. */
bool state_physical_is_locked(const struct state *state, const char *physical);

/* All VMs, for the moment in which devices are claimed. No child may be started under it. */
int state_lock_claims(const struct state *state, struct deadline deadline,
		      struct error *err) must_check;
