/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * use: the processes of the machine, with the kernel's own threads distinguished from others: they are most of
 * what is in /proc, and have nothing open.
 */
#pragma once

#include <sys/types.h>

#include "host/sysroot.h"

struct process_id {
	pid_t pid;
	bool kernels; /* a child of kthreadd: a kernel thread, or a program that the kernel has started */
};

/* Started as { 0 }. */
struct pids {
	struct process_id *items;
	size_t count;
};

/*
 * All of /proc, in order of pid. What kthreadd has started is read after that, of
 * /proc/2/task/2/children (proc(5)), so that nobody who was there before is taken for one. 0 or -errno.
 * Does not block.
 */
int pids_list(const struct sysroot *root, struct pids *ret);

/* A kernel thread: it has no program. What the kernel starts by call_usermodehelper() has one. */
bool pid_is_thread(const struct sysroot *root, const struct process_id *id);

void pids_done(struct pids *pids);
#define cleanup_pids cleanup(pids_done)
