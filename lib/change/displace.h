/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * change: guests that give way to a start, as the settings allow ("displace"). The plan names them
 * (ACTION_DISPLACE); the hook shuts them down when all else of the start is well, and then makes
 * the plan anew. What a VM has of the devices stays as it is with its VFIO driver: its post-stop
 * leaves it, and the start takes it over from its journal. A guest that gave way is started again
 * as the last thing that is given back.
 */
#pragma once

#include "change/start.h"

/*
 * Adds to the plan each guest that runs, has something of it, may be displaced, and can be
 * (guest_why_not()). The plan's openings have been read. None for a backup's start, nor for one by
 * which the VM comes back itself (start->comes_back): two VMs would displace each other for ever.
 * 0 or -errno.
 */
int displace_plan(struct start *start, struct error *err) must_check;

/*
 * Adds to the plan the guests that wait for another VM's end because of a device that goes to this plan
 * from there: they wait for this VM now. 0 or -ENOMEM.
 */
int displace_inherit(struct start *start, const struct journal *other) must_check;

/*
 * The VM whose start has the guest ("vm/102") give way just now; 0: none. A guest gives way to one start at
 * a time, whatever devices others want of it: it is only shut down once.
 */
uint32_t displace_asked_by(const struct claims *claims, const char *name);

/* A guest is still to give way, and has not yet. */
bool displace_is_asked(const struct action *action);

/*
 * Guests that gave way to the VM are started again just now, by who has its lock, and one of them waits in
 * the same way, over others or itself, for this VM to be started again: a start that waits for the lock
 * would wait for itself. False where that cannot be determined.
 */
bool displace_is_circular(const struct sysroot *root, const struct state *state, uint32_t vmid);

/*
 * What another VM's start, which `journal`'s VM gives way to, is about to take over: takes that out of
 * `chosen`, with it the guests that wait for such a device, and what else was done to the host as a
 * whole. Returns how many devices it is, and
 * the other VM in *ret_vmid; -errno where that cannot be determined.
 */
int displace_leave(const struct sysroot *root, const struct state *state,
		   const struct journal *journal, bool *chosen, uint32_t *ret_vmid,
		   struct error *err) must_check;

/*
 * Before a guest is started again that gave way to `vmid`: what Proxmox VE has reserved for that VM's
 * start goes. It takes that away itself, but not where the task was killed: then nobody else could have
 * the device until the reservation's time has come. The caller has the VM's lock, and it does not run. 0 or
 * -errno; what is left is a reason against the guest's start, which says so.
 */
int displace_unreserve(const struct sysroot *root, const struct action *action, uint32_t vmid);
