/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base: streams of a child, passed on. Waits for no reader. */
#include "base/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

static void close_end(int *fd)
{
	close_and_reset(fd);
	*fd = -1;
}

static bool is_waited_for(const struct stat *status)
{
	return S_ISFIFO(status->st_mode) || S_ISSOCK(status->st_mode);
}

static bool open_pipe(struct relay *relay)
{
	int ends[2];

	relay->begin = relay->end = 0;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return false;
	relay->from = ends[0];
	relay->in = ends[1];
	return true;
}

void relays_open(struct relays *relays)
{
	struct stat out = { 0 }, err = { 0 };
	int ends[2];

	(void)!fstat(relays->out.stream, &out);
	(void)!fstat(relays->err.stream, &err);
	if (is_waited_for(&out) && open_pipe(&relays->out) && out.st_dev == err.st_dev &&
	    out.st_ino == err.st_ino)
		relays->err.in = fcntl(relays->out.in, F_DUPFD_CLOEXEC, 0);
	if (relays->err.in < 0 && is_waited_for(&err))
		(void)open_pipe(&relays->err);
	if (relays->out.in < 0 && relays->err.in < 0)
		return;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return;
	relays->asked = ends[0];
	relays->ask = ends[1];
}

static void enter(struct relay *relay)
{
	if (relay->in >= 0)
		(void)dup2(relay->in, relay->stream);
	close_end(&relay->in);
	close_end(&relay->from);
}

void relays_enter(struct relays *relays, bool reads_input)
{
	struct stat input;
	int null = -1;

	enter(&relays->out);
	enter(&relays->err);
	close_end(&relays->asked);
	if (!reads_input && fstat(STDIN_FILENO, &input) == 0 && S_ISSOCK(input.st_mode))
		null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (null >= 0)
		(void)dup2(null, STDIN_FILENO);
	close_and_reset(&null);
}

void relays_begin(struct relays *relays)
{
	close_end(&relays->out.in);
	close_end(&relays->err.in);
	close_end(&relays->ask);
}

static bool is_pending(const struct relay *relay)
{
	return relay->begin < relay->end;
}

/* A pipe that is writable takes PIPE_BUF bytes at once, and more is never read: pipe(7). */
static struct pollfd wants(const struct relay *relay)
{
	if (is_pending(relay))
		return (struct pollfd){ .fd = relay->stream, .events = POLLOUT };
	return (struct pollfd){ .fd = relay->from, .events = POLLIN };
}

void relays_wants(const struct relays *relays, struct pollfd polled[RELAYS_POLLED])
{
	polled[0] = wants(&relays->out);
	polled[1] = wants(&relays->err);
	polled[2] = (struct pollfd){ .fd = relays->owed ? -1 : relays->asked, .events = POLLIN };
}

static bool step(struct relay *relay, const struct pollfd *polled)
{
	ssize_t size;

	if (polled->revents == 0)
		return false;
	if (is_pending(relay)) {
		size = write(relay->stream, relay->data + relay->begin, relay->end - relay->begin);
		if (size > 0) {
			relay->begin += (size_t)size;
		} else if (size < 0 && errno != EAGAIN && errno != EINTR) {
			relay->fault = -errno;
			relay->end = relay->begin;
		}
		return true;
	}
	size = read(relay->from, relay->data, sizeof(relay->data));
	if (size > 0) {
		relay->begin = 0;
		relay->end = relay->fault < 0 ? 0 : (size_t)size;
	} else if (size == 0 || errno != EINTR) {
		close_end(&relay->from);
	}
	return true;
}

bool relays_step(struct relays *relays, const struct pollfd polled[RELAYS_POLLED])
{
	bool out = step(&relays->out, &polled[0]), err = step(&relays->err, &polled[1]);
	bool answer;

	if (polled[2].revents != 0) {
		relays->owed = read(relays->asked, &answer, sizeof(answer)) == sizeof(answer);
		if (!relays->owed)
			close_end(&relays->asked);
		return true;
	}
	/* What the child wrote before it asked was there before the question. */
	if (relays->owed && !out && !err && !relays_pending(relays)) {
		answer = relays->out.fault == 0;
		(void)!send(relays->asked, &answer, sizeof(answer), MSG_NOSIGNAL);
		relays->owed = false;
	}
	return out || err;
}

bool relays_pending(const struct relays *relays)
{
	return is_pending(&relays->out) || is_pending(&relays->err);
}

bool relays_ended(const struct relays *relays)
{
	return relays->out.from < 0 && relays->err.from < 0 && !relays_pending(relays);
}

void relays_close(struct relays *relays)
{
	close_end(&relays->out.from);
	close_end(&relays->err.from);
	close_end(&relays->asked);
	relays->owed = false;
}

bool relay_settle(int ask)
{
	bool answer = true;

	if (ask < 0)
		return true;
	return send(ask, &answer, sizeof(answer), MSG_NOSIGNAL) == sizeof(answer) &&
	       read(ask, &answer, sizeof(answer)) == sizeof(answer) && answer;
}
