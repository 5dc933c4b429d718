/* SPDX-License-Identifier: GPL-2.0-or-later */
/* change: free memory put together. Waits for none of it. */
#include "change/compact.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/stream.h"

#define COMPACT	   "proc/sys/vm/compact_memory"
#define HUGE_PAGES "sys/kernel/mm/transparent_hugepage/enabled"

/* Of what the VM wants so large a part, or it is not worth the work. */
#define WORTH_PART 16

bool compact_helps(const struct sysroot *root, uint64_t wanted_mib, struct memory_blocks *ret)
{
	cleanup_free char *enabled = NULL;

	if (memory_blocks_read(root, ret) < 0 || ret->huge_mib >= wanted_mib ||
	    ret->small_mib < wanted_mib / WORTH_PART)
		return false;
	return sysroot_read_attribute(root, HUGE_PAGES, &enabled) == 0 &&
	       !strstr(enabled, "[never]");
}

/* SIGKILL ends it: compact_zone() in mm/compaction.c looks for one. */
static void write_one(const struct sysroot *root)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)sysroot_write_attribute(root, COMPACT, "1");
}

/* Until one of the two is closed at its other end. */
static void wait_closed(int first, int second, int timeout_ms)
{
	struct pollfd ends[] = { { .fd = first }, { .fd = second } };

	while (poll(ends, 2, timeout_ms) < 0 && errno == EINTR)
		continue;
}

static void supervise(const struct sysroot *root, int go)
{
	int ends[2];
	pid_t writer;

	streams_silence();
	streams_close_others(go, root->fd);
	if (pipe2(ends, O_CLOEXEC) < 0)
		return;
	writer = fork();
	if (writer == 0) {
		close(ends[0]);
		write_one(root);
		_exit(EXIT_SUCCESS);
	}
	close(ends[1]);
	if (writer < 0)
		return;
	wait_closed(go, ends[0], -1);
	wait_closed(-1, ends[0], COMPACT_GRACE_MS);
	kill(writer, SIGKILL);
}

int compact_begin(const struct sysroot *root)
{
	int ends[2], r = 0;
	pid_t supervisor;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	supervisor = fork();
	if (supervisor == 0) {
		close(ends[1]);
		supervise(root, ends[0]);
		_exit(EXIT_SUCCESS);
	}
	if (supervisor < 0)
		r = -errno;
	close(ends[0]);
	if (r < 0)
		close(ends[1]);
	return r < 0 ? r : ends[1];
}

void compact_over(int *go)
{
	close_and_reset(go);
}
