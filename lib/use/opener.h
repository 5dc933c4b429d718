/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * use: which processes have device nodes open.
 */
#pragma once

#include <sys/types.h>

#include "host/sysroot.h"

struct opener {
	pid_t pid;
	char command[64]; /* its short name, /proc/PID/comm */
	char *node;	  /* "/dev/nvme0n1", as in the list that was asked for */
};

/* Started as { 0 }. */
struct openers {
	struct opener *items;
	size_t count;
};

/*
 * The processes that have one of `nodes` open, in order of pid, one entry for each process and
 * node. A node is the kernel's name for it ("/dev/dm-0", "/dev/nvme0n1"), which is what the links
 * in /proc/PID/fd show, whatever link a process opened it by (proc(5)).
 * A process that ends meanwhile is none; one whose descriptors may not be read is an error, since
 * it may be one. The kernel's own users (a mount, swap, device-mapper) are not among them.
 * Does not block: no file is looked at, only its name.
 */
int openers_find(const struct sysroot *root, const struct strings *nodes, struct openers *ret,
		 struct error *err);
void opener_done(struct opener *opener);
void openers_done(struct openers *openers);
#define cleanup_openers cleanup(openers_done)
