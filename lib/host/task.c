/* SPDX-License-Identifier: GPL-2.0-or-later */
/* host: processes. Signals none, and moves none but its own. */
#include "host/task.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/array.h"
#include "base/number.h"

#define FIELD_STATE	 3
#define FIELD_START_TIME 22

/* The fields follow the command's name, which is in parentheses and may hold any byte. */
int task_read(const struct sysroot *root, pid_t pid, struct task *ret)
{
	cleanup_free char *line = NULL;
	char path[SYSROOT_PATH_MAX];
	char *rest, *field = NULL;
	uint64_t start_time;
	int r;

	snprintf(path, sizeof(path), "proc/%d/stat", (int)pid);
	r = sysroot_read_attribute(root, path, &line);
	if (r < 0)
		return r;
	rest = strrchr(line, ')');
	if (!rest || rest[1] != ' ')
		return -EBADMSG;
	rest += 2;
	/* Ended, and not yet waited for: proc(5). */
	if (*rest == 'Z' || *rest == 'X')
		return -ESRCH;
	for (int number = FIELD_STATE; number <= FIELD_START_TIME; number++) {
		field = strsep(&rest, " ");
		if (!field)
			return -EBADMSG;
	}
	r = parse_u64(field, &start_time);
	if (r == 0)
		*ret = (struct task){ pid, start_time };
	return r;
}

uint64_t task_age_us(const struct task *task)
{
	long ticks = sysconf(_SC_CLK_TCK);
	struct timespec now;
	uint64_t now_us, start_us;

	if (!task->pid || ticks <= 0 || clock_gettime(CLOCK_BOOTTIME, &now) < 0)
		return 0;
	now_us = (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
	start_us = task->start_time > UINT64_MAX / 1000000
			   ? UINT64_MAX
			   : task->start_time * 1000000 / (uint64_t)ticks;
	return now_us > start_us ? now_us - start_us : 0;
}

bool task_is_alive(const struct sysroot *root, const struct task *task)
{
	struct task now;

	return task->pid && task_read(root, task->pid, &now) == 0 &&
	       now.start_time == task->start_time;
}

void task_leave_cgroup(const struct sysroot *root)
{
	/* Version 2; beside version 1; and the named hierarchy of version 1. */
	static const char *const groups[] = {
		"sys/fs/cgroup/cgroup.procs",
		"sys/fs/cgroup/unified/cgroup.procs",
		"sys/fs/cgroup/systemd/cgroup.procs",
	};

	/* 0 is the process that writes. */
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
		(void)sysroot_write_attribute(root, groups[i], "0");
}
