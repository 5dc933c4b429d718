/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hook: the start watch. Proxmox VE calls no hook when a start fails after pre-start, so pre-start
 * leaves a small process behind that waits for the end of the start, however it comes: PVE holds
 * the lock on the VM's configuration (vm/lock.h) from before pre-start until after post-start, also
 * within a task that goes on, and the kernel ends it with a task that is killed. If no QEMU runs for
 * the VM then, the watch gives the devices back.
 *
 * It holds no descriptor of the hook's open, so PVE does not wait for it.
 */
#pragma once

#include "hook.h"

/* Started as { .go = -1 }. */
struct watch {
	struct task task; /* pid 0: there is none */
	int go;		  /* closing it lets the watch begin */
};

/*
 * Starts the watch for a run, before the run's journal is there. Without a lock on the VM there is
 * no start of PVE's to wait for, and no watch. 0 or -errno.
 */
int watch_start(struct hook *hook, uint64_t run, struct watch *ret, struct error *err);

/* Lets it go on: at once where the journal has no such run. */
void watch_release(struct watch *watch);
#define cleanup_watch cleanup(watch_release)
