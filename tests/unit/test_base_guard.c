/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: base/guard.c and base/blocked.c. Upper bounds of time leave room for a busy machine. */
#include "test.h"

#include <fcntl.h>
#include <linux/netlink.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/blocked.h"
#include "base/clock.h"
#include "base/guard.h"

#define LIMIT_MS 300

/* What the work does, and what the guard has said. */
struct play {
	char folder[64], fifo[96], other[96];
	enum {
		RETURN,
		OPEN,
		OPEN_TWICE,
		READ,
		NETLINK,
		SOCKET,
		SLEEP,
		PIPE,
		SIGNAL,
		RAISE_LIMIT,
		IGNORE
	} what;
	unsigned attempts; /* at most */
	unsigned silences;
	char path[PATH_MAX];
	unsigned limit_ms;
	bool stuck;
};

static int begin(void **state)
{
	struct play *play = calloc(1, sizeof(*play));

	assert_non_null(play);
	strcpy(play->folder, "/tmp/guard.XXXXXX");
	assert_non_null(mkdtemp(play->folder));
	snprintf(play->fifo, sizeof(play->fifo), "%s/fifo", play->folder);
	snprintf(play->other, sizeof(play->other), "%s/other", play->folder);
	assert_int_equal(mkfifo(play->fifo, 0600), 0);
	assert_int_equal(mkfifo(play->other, 0600), 0);
	*state = play;
	return 0;
}

static int end(void **state)
{
	struct play *play = *state;

	unlink(play->fifo);
	unlink(play->other);
	rmdir(play->folder);
	free(play);
	return 0;
}

static int work(const struct guard_link *link, void *context)
{
	static const struct sockaddr_nl own = { .nl_family = AF_NETLINK };
	const struct play *play = context;
	int ends[2], fd;
	char byte;

	switch (play->what) {
	case RETURN:
		return 42;
	case IGNORE:
		signal(SIGTERM, SIG_IGN);
		return open(play->fifo, O_RDONLY | O_CLOEXEC);
	case OPEN:
		return open(play->fifo, O_RDONLY | O_CLOEXEC);
	case OPEN_TWICE:
		return open(play->silences == 0 ? play->fifo : play->other, O_RDONLY | O_CLOEXEC);
	case READ:
		fd = open(play->fifo, O_RDWR | O_CLOEXEC);
		return (int)read(fd, &byte, 1);
	case NETLINK: /* the kernel, which was not asked, says nothing */
		fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0);
		if (bind(fd, (const struct sockaddr *)&own, sizeof(own)) < 0)
			return 1;
		return (int)recv(fd, &byte, 1, 0);
	case SOCKET:
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
			return 1;
		if (fork() == 0) {
			clock_sleep_ms(3 * LIMIT_MS);
			_exit(send(ends[1], "", 1, 0) != 1);
		}
		return recv(ends[0], &byte, 1, 0) == 1 ? 45 : 1;
	case SLEEP:
		clock_sleep_ms(3 * LIMIT_MS);
		return 43;
	case PIPE:
		if (pipe(ends) < 0 || fcntl(ends[1], F_SETFL, O_NONBLOCK) < 0)
			return 1;
		if (fork() == 0) {
			clock_sleep_ms(3 * LIMIT_MS);
			_exit(write(ends[1], "", 1) != 1);
		}
		return read(ends[0], &byte, 1) == 1 ? 44 : 1;
	case SIGNAL:
		raise(SIGUSR1);
		return 1;
	case RAISE_LIMIT:
		*link->limit_ms = 3 * LIMIT_MS;
		return open(play->fifo, O_RDONLY | O_CLOEXEC);
	}
	return 1;
}

static bool hear(const struct guard_silence *silence, void *context)
{
	struct play *play = context;

	play->silences++;
	snprintf(play->path, sizeof(play->path), "%s", silence->path);
	play->limit_ms = silence->limit_ms;
	play->stuck = silence->stuck;
	return play->silences < play->attempts;
}

/* The guard ends its process as the child ended, so it has one of its own; what it heard comes back. */
static int run(struct play *play, int *ret_status, unsigned *ret_took_ms)
{
	struct guarded guarded = { work, hear, play, LIMIT_MS, false, NULL };
	uint64_t began = clock_now_us();
	int ends[2], status;
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		pid_t own = getpid();

		signal(SIGCHLD, SIG_IGN); /* as a parent may leave it */
		status = guard_run(&guarded, 7);
		if (getpid() == own && write(ends[1], play, sizeof(*play)) < 0)
			_exit(99);
		_exit(status);
	}
	close(ends[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	*ret_took_ms = (unsigned)((clock_now_us() - began) / 1000);
	*ret_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	status = (int)read(ends[0], play, sizeof(*play));
	close(ends[0]);
	return status;
}

static void test_status(void **state)
{
	struct play *play = *state;
	unsigned took;
	int status;

	run(play, &status, &took);
	assert_int_equal(status, 42);
	assert_int_equal(play->silences, 0);
}

static void test_own_signal(void **state)
{
	struct play *play = *state;
	unsigned took;
	int status;

	play->what = SIGNAL;
	run(play, &status, &took);
	assert_int_equal(status, 128 + SIGUSR1);
}

static void expect_silence(struct play *play, const char *path)
{
	unsigned took;
	int status;

	run(play, &status, &took);
	assert_int_equal(status, 7);
	assert_string_equal(play->path, path);
	assert_int_equal(play->limit_ms, LIMIT_MS);
	assert_false(play->stuck);
	assert_in_range(took, LIMIT_MS, LIMIT_MS * (play->attempts ? play->attempts : 1) + 1000);
}

static void test_open(void **state)
{
	struct play *play = *state;

	play->what = OPEN;
	expect_silence(play, play->fifo);
	assert_int_equal(play->silences, 1);
}

static void test_read(void **state)
{
	struct play *play = *state;

	play->what = READ;
	expect_silence(play, play->fifo);
}

static void test_netlink(void **state)
{
	struct play *play = *state;

	play->what = NETLINK;
	expect_silence(play, BLOCKED_NETLINK);
}

static void test_again(void **state)
{
	struct play *play = *state;

	play->what = OPEN_TWICE;
	play->attempts = 2;
	expect_silence(play, play->other);
	assert_int_equal(play->silences, 2);
}

static void test_own_waits(void **state)
{
	struct play *play = *state;
	unsigned took;
	int status;

	play->what = SLEEP;
	run(play, &status, &took);
	assert_int_equal(status, 43);
	play->what = PIPE;
	run(play, &status, &took);
	assert_int_equal(status, 44);
	play->what = SOCKET;
	run(play, &status, &took);
	assert_int_equal(status, 45);
	assert_int_equal(play->silences, 0);
}

static void test_limit_set_anew(void **state)
{
	struct play *play = *state;
	unsigned took;
	int status;

	play->what = RAISE_LIMIT;
	run(play, &status, &took);
	assert_int_equal(status, 7);
	assert_int_equal(play->limit_ms, 3 * LIMIT_MS);
	assert_true(took >= 3 * LIMIT_MS);
}

/* Whoever ends the guard ends the work, and at once. */
static void test_signal_passed_on(void **state)
{
	struct play *play = *state;
	struct guarded guarded = { work, hear, play, 60000, false, NULL };
	int status;
	pid_t pid;

	play->what = OPEN;
	pid = fork();
	if (pid == 0)
		_exit(guard_run(&guarded, 7));
	clock_sleep_ms(200);
	kill(pid, SIGTERM);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
}

/* A signal that the work ignores does not end it, and its parent stays. */
static void test_signal_ignored(void **state)
{
	struct play *play = *state;
	struct guarded guarded = { work, hear, play, 1000, false, NULL };
	int status;
	pid_t pid;

	play->what = IGNORE;
	pid = fork();
	if (pid == 0)
		_exit(guard_run(&guarded, 7));
	clock_sleep_ms(300);
	kill(pid, SIGTERM);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 7);
}

static void test_nothing_to_find(void **state)
{
	struct blocked blocked;

	(void)state;
	assert_false(blocked_find(getpid(), &blocked)); /* it runs */
	assert_false(blocked_find(0x3fffffff, &blocked));
}

int main(void)
{
#define GUARD_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	static const struct CMUnitTest tests[] = {
		GUARD_TEST(test_status),	 GUARD_TEST(test_own_signal),
		GUARD_TEST(test_open),		 GUARD_TEST(test_read),
		GUARD_TEST(test_again),		 GUARD_TEST(test_own_waits),
		GUARD_TEST(test_limit_set_anew), GUARD_TEST(test_signal_passed_on),
		GUARD_TEST(test_signal_ignored), GUARD_TEST(test_nothing_to_find),
		GUARD_TEST(test_netlink),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
