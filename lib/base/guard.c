/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base: waits for a child that works. Touches no file but /proc of that child. */
#include "base/guard.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/blocked.h"
#include "base/clock.h"

/* How often the child is looked at: a run that is done before costs nothing. */
#define TICK_MS	      100
#define TICKS_MOST_US (UINT64_C(10000) * TICK_MS) /* on a machine that is busy */

/* A path that was silent before gets no longer than this. */
#define KNOWN_MS 300

/* How long a killed child gets to be gone. */
#define KILL_GRACE_MS 500

/* What asks a process to end. From a terminal they reach the child by themselves. */
static const int endings[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM };

struct watching {
	const volatile unsigned *limit_ms;
	pid_t pid;
	sigset_t waited_for;
	struct blocked blocked;
	uint64_t seen_us;      /* when the child was looked at last */
	uint64_t waited_us;    /* as long as it has been in this call, of what was seen */
	char silent[PATH_MAX]; /* what an earlier child has waited for */
};

/* A child's end, or one of `endings`, or a tick. 0 or the signal. */
static int wait_for_signal(const struct watching *watching, siginfo_t *info)
{
	static const struct timespec tick = { .tv_nsec = TICK_MS * 1000000L };
	int number = sigtimedwait(&watching->waited_for, info, &tick);

	return number < 0 ? 0 : number;
}

/* True when the child has been in one access for longer than it may. */
static bool is_late(struct watching *watching)
{
	uint64_t now_us = clock_now_us(), since_us = now_us - watching->seen_us;
	unsigned limit_ms = *watching->limit_ms;
	struct blocked now;

	watching->seen_us = now_us;
	if (!blocked_find(watching->pid, &now)) {
		*watching->blocked.call = '\0';
		return false;
	}
	if (strcmp(now.call, watching->blocked.call) != 0) {
		watching->blocked = now;
		watching->waited_us = 0;
		return false;
	}
	/* Both may have been stopped for longer. */
	watching->waited_us += since_us < TICKS_MOST_US ? since_us : TICKS_MOST_US;
	if (*now.path && strcmp(now.path, watching->silent) == 0 && limit_ms > KNOWN_MS)
		limit_ms = KNOWN_MS;
	return watching->waited_us >= (uint64_t)limit_ms * 1000;
}

/* Until the child has ended, with its status; false when it is late. */
static bool wait_for_end(struct watching *watching, int *ret_status)
{
	for (;;) {
		siginfo_t info;
		int number = wait_for_signal(watching, &info);
		pid_t ended = waitpid(watching->pid, ret_status, WNOHANG);

		if (ended == watching->pid)
			return true;
		if (ended < 0 && errno != EINTR) {
			*ret_status = W_EXITCODE(EXIT_FAILURE, 0);
			return true;
		}
		if (number == 0 && is_late(watching))
			return false;
		if (number != 0 && number != SIGCHLD && info.si_code != SI_KERNEL)
			kill(watching->pid, number);
	}
}

/* True when it is still there after that. */
static bool kill_child(pid_t pid)
{
	struct deadline deadline = deadline_in_ms(KILL_GRACE_MS);
	unsigned step = 0;

	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, WNOHANG) == 0)
		if (!deadline_wait_step(deadline, &step))
			return true;
	return false;
}

/* Ends as the child did. */
static int end_like(int status, const sigset_t *mask)
{
	if (!WIFSIGNALED(status))
		return WEXITSTATUS(status);
	signal(WTERMSIG(status), SIG_DFL);
	raise(WTERMSIG(status));
	sigprocmask(SIG_SETMASK, mask, NULL);
	return 128 + WTERMSIG(status);
}

/* In the child, which dies with its parent. */
static int work(const struct guarded *guarded, pid_t parent, unsigned *limit_ms,
		const sigset_t *mask)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent) /* it died before the line above */
		_exit(EXIT_FAILURE);
	sigprocmask(SIG_SETMASK, mask, NULL);
	return guarded->run(limit_ms, guarded->context);
}

int guard_run(const struct guarded *guarded, int on_silence)
{
	unsigned *limit_ms = mmap(NULL, sizeof(*limit_ms), PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct watching watching = { .limit_ms = limit_ms };
	unsigned unguarded_ms = guarded->limit_ms;
	pid_t parent = getpid();
	int status = 0;
	sigset_t mask;

	if (limit_ms == MAP_FAILED)
		return guarded->run(&unguarded_ms, guarded->context);
	/* ignored, as a parent may leave it, it would tell no end and no status */
	signal(SIGCHLD, SIG_DFL);
	sigemptyset(&watching.waited_for);
	sigaddset(&watching.waited_for, SIGCHLD);
	for (size_t i = 0; i < sizeof(endings) / sizeof(*endings); i++)
		sigaddset(&watching.waited_for, endings[i]);
	sigprocmask(SIG_BLOCK, &watching.waited_for, &mask);

	for (;;) {
		struct guard_silence silence;

		*limit_ms = guarded->limit_ms;
		*watching.blocked.call = '\0';
		watching.seen_us = clock_now_us();
		watching.pid = fork();
		if (watching.pid == 0)
			return work(guarded, parent, limit_ms, &mask);
		if (watching.pid < 0) {
			sigprocmask(SIG_SETMASK, &mask, NULL);
			return guarded->run(limit_ms, guarded->context);
		}
		if (wait_for_end(&watching, &status))
			return end_like(status, &mask);
		silence = (struct guard_silence){
			.path = watching.blocked.path,
			.limit_ms = *limit_ms,
			.pid = watching.pid,
			.stuck = kill_child(watching.pid),
		};
		if (!guarded->silent(&silence, guarded->context))
			return on_silence;
		memcpy(watching.silent, watching.blocked.path, sizeof(watching.silent));
	}
}
