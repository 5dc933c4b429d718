/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests: one system call of a run fails. The run and its children are traced by ptrace(2); a call is
 * named by the process (1 is the first, in the order in which they are begun), what it is called, and
 * which of that process's calls of that name it is: "2.openat.17". So it is the same one in each run.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

/* prctl(2) with this, 1 or 0: the calls that follow do not count (a fake kernel's own). */
#define FAULT_PAUSE 0x70766669

struct fault {
	/* The call that fails, or NULL: none. */
	const char *point;
	/*
	 * The name of what it returns ("ENOSPC"); "short": it writes or reads half, or no more than a
	 * byte; "full": writes half, and each later write(2) to a file returns ENOSPC.
	 */
	const char *how;
	/* Each call that counts: "POINT ERRNO,… PATH"; or NULL. */
	FILE *list;
	/* Whose calls count: the name of the program's file begins so; NULL: everybody's. */
	const char *program;
	/* Then all is killed. 0: never. */
	unsigned limit_s;
	/* Afterwards: "openat of /etc/pve/…", or "" where the point was not reached. */
	char hit[512];
};

/*
 * Runs `work` in a child, and returns when that and all its children are gone: its exit status, 128 and
 * the signal that has ended it, 124 where it took too long, or -1: it cannot be traced. Only a child
 * that `work` has left to itself may live on, for no longer than the limit; it is killed then.
 */
int fault_run(struct fault *fault, int (*work)(void *context), void *context);
