/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host: a process, distinguished from a later one with its pid.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "host/sysroot.h"

struct task {
	pid_t pid;	     /* 0: none */
	uint64_t start_time; /* clock ticks after boot: proc(5), /proc/PID/stat, field 22 */
};

/* -ENOENT or -ESRCH when there is no such process, or it has ended and is not yet waited for. */
int task_read(const struct sysroot *root, pid_t pid, struct task *ret);

/* How long it has been there, in microseconds; to a hundredth of a second. 0 where that is not known. */
uint64_t task_age_us(const struct task *task);

/* The very process is still there. */
bool task_is_alive(const struct sysroot *root, const struct task *task);

/*
 * Moves this process out of its control group into the root one, in each hierarchy that systemd may
 * use ("cgroup.procs" in Documentation/admin-guide/cgroup-v2.rst): a unit that is
 * stopped or restarted has all processes of its control group killed (systemd.kill(5)). In the root
 * group are none of a unit's. Where it fails the process stays.
 */
void task_leave_cgroup(const struct sysroot *root);
