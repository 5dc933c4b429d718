/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base: the standard streams. Writes to none. */
#include "base/stream.h"

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A failed read or write is better than one that lands in another file. */
static int open_nowhere(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	return fd >= 0 ? fd : open("/", O_PATH | O_CLOEXEC);
}

static void lead_nowhere(bool open_ones)
{
	int nowhere = -1;

	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (!open_ones && fcntl(fd, F_GETFD) >= 0)
			continue;
		if (nowhere < 0)
			nowhere = open_nowhere();
		/* It may be the very number that is missing: dup2(2) would leave it close-on-exec. */
		if (nowhere == fd)
			(void)fcntl(fd, F_SETFD, 0);
		else if (nowhere >= 0)
			(void)dup2(nowhere, fd);
		else
			(void)close(fd);
	}
	if (nowhere > STDERR_FILENO)
		close(nowhere);
}

void streams_open(void)
{
	lead_nowhere(false);
}

void streams_silence(void)
{
	lead_nowhere(true);
}

/* More than Linux lets a process have open by default (fs.nr_open). */
#define DESCRIPTORS_MAX (1 << 20)

static void close_between(int first, int last)
{
	struct rlimit limit = { .rlim_cur = DESCRIPTORS_MAX };

	if (first > last || syscall(SYS_close_range, first, last, 0) == 0)
		return;
	(void)getrlimit(RLIMIT_NOFILE, &limit);
	for (int fd = first; fd <= last && fd < DESCRIPTORS_MAX && (rlim_t)fd < limit.rlim_cur;
	     fd++)
		(void)close(fd);
}

void streams_close_others(int keep, int other)
{
	int low = keep < other ? keep : other, high = keep < other ? other : keep;

	if (low <= STDERR_FILENO)
		low = STDERR_FILENO;
	if (high <= low)
		high = low;
	close_between(STDERR_FILENO + 1, low - 1);
	close_between(low + 1, high - 1);
	close_between(high + 1, INT_MAX);
}
