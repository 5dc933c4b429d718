/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base: work in children with a deadline. Never waits for a child without a bound. */
#include "base/lanes.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/blocked.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/stream.h"

/* How long a late child gets to die of its SIGKILL. */
#define KILL_GRACE_MS 500

/* A report is one write, so that it arrives whole: see pipe(7) on PIPE_BUF. */
_Static_assert(sizeof(struct lane_report) <= 4096, "a report must fit into PIPE_BUF");

void lane_send(int fd, const struct lane_report *report)
{
	while (write(fd, report, sizeof(*report)) < 0 && errno == EINTR)
		continue;
}

/* In a lane, when its parent gives up on it. */
static struct deadline own_deadline;
static bool is_lane;

unsigned lane_left_ms(void)
{
	return is_lane ? (unsigned)deadline_left_ms(own_deadline) : UINT_MAX;
}

static int start_lane(struct lane *lane, struct deadline deadline,
		      const struct lanes_callbacks *callbacks, void *context)
{
	pid_t parent = getpid();
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	lane->pid = fork();
	if (lane->pid < 0) {
		int r = -errno;

		close(ends[0]);
		close(ends[1]);
		return r;
	}
	if (lane->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent) /* it died before the line above */
			_exit(EXIT_FAILURE);
		streams_silence();
		close(ends[0]);
		is_lane = true;
		own_deadline = deadline;
		callbacks->run(ends[1], lane->work, context);
		_exit(EXIT_SUCCESS);
	}
	close(ends[1]);
	lane->fd = ends[0];
	return 0;
}

/* Reads one report; false when the child has closed its end, that is, has ended. */
static bool receive(struct lane *lane, const struct lanes_callbacks *callbacks, void *context)
{
	struct lane_report report;
	ssize_t got = read(lane->fd, &report, sizeof(report));

	if (got < 0 && errno == EINTR)
		return true;
	if (got != (ssize_t)sizeof(report))
		return false;
	report.text[sizeof(report.text) - 1] = '\0';
	callbacks->report(&report, lane, context);
	return true;
}

/* The pipe's end is closed, so the child is gone or about to be. */
static void reap(struct lane *lane)
{
	int status = 0;

	close(lane->fd);
	lane->fd = -1;
	while (waitpid(lane->pid, &status, 0) < 0 && errno == EINTR)
		continue;
	lane->end = WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS ? LANE_FINISHED
									     : LANE_DIED;
}

/* When the first sign of life is given; each next one after twice as long. */
#define FIRST_SIGN_S 5

/* Receives reports until every lane has ended or the deadline has passed; true when all ended. */
static bool listen_until(struct lane *lanes, size_t count, struct deadline deadline,
			 const struct lanes_callbacks *callbacks, void *context)
{
	cleanup_free struct pollfd *polled = calloc(count + 1, sizeof(*polled));
	unsigned waited_s = FIRST_SIGN_S;
	struct deadline sign = deadline_in_ms(FIRST_SIGN_S * 1000ull);

	if (!polled)
		return false;
	for (;;) {
		size_t running = 0;
		int left_ms;

		for (size_t i = 0; i < count; i++) {
			polled[i] = (struct pollfd){ .fd = lanes[i].fd, .events = POLLIN };
			running += lanes[i].fd >= 0;
		}
		if (running == 0)
			return true;
		if (deadline_passed(deadline))
			return false;
		if (deadline_passed(sign)) {
			for (size_t i = 0; i < count && callbacks->still; i++)
				if (lanes[i].fd >= 0)
					callbacks->still(&lanes[i], waited_s, context);
			sign = deadline_in_ms(waited_s * 1000ull);
			waited_s *= 2;
		}
		left_ms = deadline_left_ms(sign.at_us < deadline.at_us ? sign : deadline);
		if (poll(polled, count, left_ms) <= 0)
			continue;
		for (size_t i = 0; i < count; i++)
			if (lanes[i].fd >= 0 && polled[i].revents != 0 &&
			    !receive(&lanes[i], callbacks, context))
				reap(&lanes[i]);
	}
}

static void end_late_lanes(struct lane *lanes, size_t count,
			   const struct lanes_callbacks *callbacks, void *context)
{
	struct blocked blocked;

	for (size_t i = 0; i < count; i++) {
		if (lanes[i].fd < 0)
			continue;
		if (blocked_find(lanes[i].pid, &blocked))
			snprintf(lanes[i].path, sizeof(lanes[i].path), "%.*s",
				 (int)sizeof(lanes[i].path) - 1, blocked.path);
		kill(lanes[i].pid, SIGKILL);
		lanes[i].late = true;
	}
	listen_until(lanes, count, deadline_in_ms(KILL_GRACE_MS), callbacks, context);
	for (size_t i = 0; i < count; i++) {
		if (!lanes[i].late)
			continue;
		lanes[i].end = lanes[i].fd < 0 ? LANE_LATE : LANE_STUCK;
		close_and_reset(&lanes[i].fd);
		lanes[i].fd = -1;
	}
}

int lanes_run(struct lane *lanes, size_t count, unsigned deadline_ms,
	      const struct lanes_callbacks *callbacks, void *context)
{
	struct deadline deadline = deadline_in_ms(deadline_ms);
	int r = 0;

	/* Where it is ignored, as a parent may have left it, a child's status is lost: wait(2). */
	signal(SIGCHLD, SIG_DFL);
	for (size_t i = 0; i < count; i++) {
		lanes[i].fd = -1;
		lanes[i].pid = -1;
		lanes[i].late = false;
		*lanes[i].path = '\0';
		lanes[i].end = LANE_DIED;
	}
	for (size_t i = 0; i < count && r == 0; i++)
		r = start_lane(&lanes[i], deadline, callbacks, context);

	if (listen_until(lanes, count, deadline, callbacks, context))
		return r;
	end_late_lanes(lanes, count, callbacks, context);
	return r;
}
