/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * use: which processes have device nodes open, by the number of the node, whatever path and mount
 * namespace it was opened by.
 */
#pragma once

#include <sys/types.h>

#include "use/node.h"

/* A process has a device node open. */
struct opening {
	pid_t pid;
	struct node_id id;
	char *path; /* "/dev/nvme0n1", as the process has it */
};

/* In order of pid, one entry for each process and node. Started as { 0 }. */
struct openings {
	struct opening *items;
	size_t count;
	int unseen;	  /* -errno where the processes could not be looked at */
	struct error why; /* then */
};

/*
 * One walk of /proc (proc(5), /proc/PID/fd) for all that is to be known of it. Left out are what
 * almost every process has open: memory devices such as /dev/null, terminals. A process that ends
 * meanwhile has none; where one's descriptors may not be read nothing is known, since it may be one
 * that counts (`unseen`). The kernel's own users (a mount, swap, device-mapper) are not among them.
 * Does not block: of the files only the type is asked for, and no server (statx(2),
 * AT_STATX_DONT_SYNC).
 */
void openings_read(const struct sysroot *root, struct openings *ret);

/* Moves those of one process to `ret`, which is started as { 0 }. 0 or -ENOMEM. */
int openings_take(struct openings *openings, pid_t pid, struct openings *ret);
void openings_done(struct openings *openings);
#define cleanup_openings cleanup(openings_done)
