/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * change: the watch, a small process that a phase, or 'pve-vfio restore', leaves to give a run's devices back later.
 *
 * The start watch: Proxmox VE calls no hook when a start fails after pre-start. It waits for the end
 * of the start, however that comes: PVE holds the lock on the VM's configuration (pve/lock.h) from
 * before pre-start until after post-start, also within a task that goes on, and the kernel ends it
 * with a task that is killed. If no QEMU runs for the VM then, the devices go back. One that runs
 * without post-start, since its start took too long, is waited for: post-stop may never come.
 *
 * The stop watch: what is still open when post-stop has waited long enough, or when it was
 * to be restored by hand, goes back when it is
 * closed, however late, while PVE has its lock back. Either ends as soon as another run of the VM
 * has the journal, or nobody has.
 *
 * It holds no descriptor of its parent's open, so PVE does not wait for it; it ignores the signals by
 * which a service or a terminal ends its processes, and lives outside of the control group that it
 * was started in, so that neither a restart of pvedaemon or qmeventd nor the end of a task ends it.
 */
#pragma once

#include "change/journal.h"

struct watched;

/*
 * In the watch: the devices were free a moment ago. Gives them back under the VM's lock, when
 * watch_is_for() the journal that is there then. It has no descriptors, and its streams lead nowhere.
 * True when there is nothing left for the watch to do.
 */
typedef bool watch_settle(const struct watched *watched);

/* What a watch is for. */
struct watched {
	uint32_t vmid;
	uint64_t run; /* of the VM's journal */
	watch_settle *settle;
	unsigned reboot_ms; /* how long a start that follows at once has to come first */
};

/* Started as { .go = -1 }. */
struct watch {
	struct task task; /* pid 0: there is none */
	int go;		  /* closing it lets the watch begin */
};

/* The journal is of that run, which post-start has not seen, and which is not left over on purpose. */
bool watch_is_for(const struct journal *journal, uint64_t run);

/*
 * Starts the start watch for a run, before the run's journal is there. Without a lock on the VM there
 * is no start of PVE's to wait for, and no watch. 0 or -errno.
 */
int watch_start(const struct sysroot *root, const struct watched *watched, struct watch *ret,
		struct error *err) must_check;

/* Lets it go on: at once where the journal has no such run. */
void watch_release(struct watch *watch);
#define cleanup_watch cleanup(watch_release)

/*
 * Sees that a watch waits for the run of this journal, which it names then: one that is there, or a
 * new stop watch. The caller has the VM's lock. 0 or -errno; -EOPNOTSUPP in a tree that is not live.
 */
int watch_leave(const struct sysroot *root, const struct state *state, struct journal *journal,
		watch_settle *settle);
