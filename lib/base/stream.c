/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base: the standard streams. Writes to none. */
#include "base/stream.h"

#include <fcntl.h>
#include <stdbool.h>
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
