/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base: waits for a child that works. Touches no file but /proc of that child. */
#include "base/guard.h"

#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/array.h"
#include "base/blocked.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/relay.h"

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
	int signals; /* signalfd(2) */
	struct relays relays;
	int call; /* descriptor of the call that the child is in, or -1 */
	struct blocked blocked;
	uint64_t seen_us;      /* when the child was looked at last */
	uint64_t waited_us;    /* as long as it has been in this call, of what was seen */
	char silent[PATH_MAX]; /* what an earlier child has waited for */
};

/*
 * Passes on what the child says; true where there may be more. `*ret_info`: the child's end, or one of
 * `endings`, or zero.
 */
static bool wait_for_event(struct watching *watching, int timeout_ms,
			   struct signalfd_siginfo *ret_info)
{
	struct pollfd polled[RELAYS_POLLED + 1];

	ret_info->ssi_signo = 0;
	relays_wants(&watching->relays, polled);
	polled[RELAYS_POLLED] = (struct pollfd){ .fd = watching->signals, .events = POLLIN };
	/* a question is answered when nothing more is said */
	if (watching->relays.owed && !relays_pending(&watching->relays))
		timeout_ms = 0;
	if (poll(polled, RELAYS_POLLED + 1, timeout_ms) < 0)
		return false;
	if (polled[RELAYS_POLLED].revents != 0 &&
	    read(watching->signals, ret_info, sizeof(*ret_info)) != (ssize_t)sizeof(*ret_info))
		ret_info->ssi_signo = 0;
	return relays_step(&watching->relays, polled);
}

/* True when the child has been in one access for longer than it may. */
static bool is_late(struct watching *watching)
{
	uint64_t now_us = clock_now_us(), since_us = now_us - watching->seen_us;
	unsigned limit_ms = *watching->limit_ms;
	struct blocked now;

	if (since_us < UINT64_C(1000) * TICK_MS)
		return false;
	watching->seen_us = now_us;
	if (!blocked_read(watching->pid, &watching->call, &now) ||
	    strcmp(now.call, watching->blocked.call) != 0) {
		memcpy(watching->blocked.call, now.call, sizeof(now.call));
		watching->waited_us = 0;
		return false;
	}
	/* What it is about is asked only of a call that lasts. */
	if (!blocked_name(watching->pid, &now)) {
		watching->waited_us = 0;
		return false;
	}
	watching->blocked = now;
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
		struct signalfd_siginfo info;
		bool moved = wait_for_event(watching, TICK_MS, &info);
		pid_t ended = moved && info.ssi_signo == 0
				      ? 0
				      : waitpid(watching->pid, ret_status, WNOHANG);

		if (ended == watching->pid)
			return true;
		if (ended < 0 && errno != EINTR) {
			*ret_status = W_EXITCODE(EXIT_FAILURE, 0);
			return true;
		}
		if (is_late(watching))
			return false;
		if (info.ssi_signo != 0 && info.ssi_signo != SIGCHLD && info.ssi_code != SI_KERNEL)
			kill(watching->pid, (int)info.ssi_signo);
	}
}

/*
 * Passes on what the child has said, and with `all` what others say to whom it gave its streams. A
 * reader gets `patience_ms` to take it; -1: for ever. 0, or the signal that has ended this.
 */
static int hear_out(struct watching *watching, bool all, int patience_ms)
{
	bool moved = true;

	while (!relays_ended(&watching->relays)) {
		bool pending = relays_pending(&watching->relays);
		int timeout_ms = all ? -1 : pending ? patience_ms : 0;
		struct signalfd_siginfo info;

		if (!moved && timeout_ms >= 0)
			break;
		moved = wait_for_event(watching, timeout_ms, &info);
		if (info.ssi_signo != 0 && info.ssi_signo != SIGCHLD)
			return (int)info.ssi_signo;
	}
	relays_close(&watching->relays);
	return 0;
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
static int work(const struct guarded *guarded, pid_t parent, struct watching *watching,
		unsigned *limit_ms, const sigset_t *mask)
{
	struct guard_link link = { limit_ms, watching->relays.ask };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent) /* it died before the line above */
		_exit(EXIT_FAILURE);
	sigprocmask(SIG_SETMASK, mask, NULL);
	relays_enter(&watching->relays, guarded->reads_input);
	return guarded->run(&link, guarded->context);
}

/* Without a deadline. */
static int work_here(const struct guarded *guarded)
{
	unsigned limit_ms = guarded->limit_ms;

	return guarded->run(&(struct guard_link){ &limit_ms, -1 }, guarded->context);
}

/* Blocks the signals that are waited for; the descriptor for them, or -1. */
static int catch_signals(sigset_t *ret_mask)
{
	sigset_t caught;

	/* ignored, as a parent may leave it, it would tell no end and no status */
	signal(SIGCHLD, SIG_DFL);
	sigemptyset(&caught);
	sigaddset(&caught, SIGCHLD);
	for (size_t i = 0; i < ARRAY_SIZE(endings); i++)
		sigaddset(&caught, endings[i]);
	sigprocmask(SIG_BLOCK, &caught, ret_mask);
	return signalfd(-1, &caught, SFD_CLOEXEC);
}

static void note_faults(struct outputs *outputs, const struct relays *relays)
{
	if (outputs && outputs->out.fault == 0)
		outputs->out.fault = relays->out.fault;
	if (outputs && outputs->err.fault == 0)
		outputs->err.fault = relays->err.fault;
}

/* The child's end, or this process's: its exit status. */
static int end(const struct guarded *guarded, struct watching *watching, int status,
	       const sigset_t *mask)
{
	int number = WIFEXITED(status) ? hear_out(watching, true, -1)
				       : hear_out(watching, false, TICK_MS);

	close(watching->signals);
	note_faults(guarded->outputs, &watching->relays);
	return end_like(number != 0 ? W_EXITCODE(0, number) : status, mask);
}

int guard_run(const struct guarded *guarded, int on_silence)
{
	unsigned *limit_ms = mmap(NULL, sizeof(*limit_ms), PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct watching watching = { .limit_ms = limit_ms, .relays = RELAYS_EMPTY };
	pid_t parent = getpid();
	int status = 0;
	sigset_t mask;

	if (limit_ms == MAP_FAILED)
		return work_here(guarded);
	watching.signals = catch_signals(&mask);
	for (;;) {
		struct guard_silence silence;
		bool ended;

		*limit_ms = guarded->limit_ms;
		*watching.blocked.call = '\0';
		watching.seen_us = clock_now_us();
		relays_open(&watching.relays);
		watching.pid = watching.signals < 0 ? -1 : fork();
		if (watching.pid == 0)
			return work(guarded, parent, &watching, limit_ms, &mask);
		relays_begin(&watching.relays);
		if (watching.pid < 0) {
			relays_close(&watching.relays);
			sigprocmask(SIG_SETMASK, &mask, NULL);
			return work_here(guarded);
		}
		watching.call = -1;
		ended = wait_for_end(&watching, &status);
		close_and_reset(&watching.call);
		if (ended)
			return end(guarded, &watching, status, &mask);
		silence = (struct guard_silence){
			.path = watching.blocked.path,
			.limit_ms = *limit_ms,
			.pid = watching.pid,
			.stuck = kill_child(watching.pid),
		};
		status = hear_out(&watching, false, -1);
		if (status != 0)
			return end_like(W_EXITCODE(0, status), &mask);
		note_faults(guarded->outputs, &watching.relays);
		if (!guarded->silent(&silence, guarded->context))
			return on_silence;
		memcpy(watching.silent, watching.blocked.path, sizeof(watching.silent));
	}
}

/* ---- memory */

void guard_tell_no_memory(void)
{
	static const char words[] = "pve-vfio: not enough memory\n";

	(void)!write(STDERR_FILENO, words, sizeof(words) - 1);
}

static void *allocate_or_end(size_t size)
{
	void *data = malloc(size);

	if (!data) {
		fflush(NULL);
		guard_tell_no_memory();
		_exit(EXIT_FAILURE);
	}
	return data;
}

void guard_json(void)
{
	json_set_alloc_funcs(allocate_or_end, free);
}
