/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * base: the file, or the answer by netlink, that another process is waiting for in the kernel.
 * This room holds no domain word.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

/* In place of a path: an answer of the kernel by netlink(7), which has none. */
#define BLOCKED_NETLINK "netlink"

/* A system call on a file, or on a netlink socket, in which a process was found. */
struct blocked {
	char call
		[256]; /* its number, arguments and place in the program: the same, the same wait */
	char path[PATH_MAX]; /* what it is about; "" where that cannot be read */
};

/*
 * Reads which call a child of the caller is in, and opens /proc/PID/syscall (proc_pid_syscall(5)) for
 * that where `*fd` is -1; its caller closes it. False where the child runs or cannot be asked; `call` is
 * "" then.
 */
bool blocked_read(pid_t pid, int *fd, struct blocked *ret);

/*
 * What the call is about that was just read. False where the child waits for something else (time, another
 * process, a pipe, a terminal, another socket). Opens nothing but /proc/PID, and does not block.
 */
bool blocked_name(pid_t pid, struct blocked *blocked);

/* Both. */
bool blocked_find(pid_t pid, struct blocked *ret);
