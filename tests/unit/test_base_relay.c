/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: base/relay.c, below base/guard.c: what comes of a child's output at the other end of a pipe. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/guard.h"
#include "base/relay.h"

#define LIMIT_MS   300
#define LONG_MS	   6000 /* as long as who has the streams stays */
#define MANY	   20000
#define OUTPUT_MAX (MANY * 8)

enum what { MUCH, BOTH, HANG, LATER, SETTLE, INPUT, RETURN };

struct play {
	enum what what;
	const char *fifo;
};

/* What a run has come to. */
struct heard {
	char *out;
	size_t size;
	int status;
	unsigned took_ms;
};

static void say(int fd, const char *text)
{
	if (write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		_exit(99);
}

/* A process that has the streams and is not killed with the child, as one in the kernel. */
static void leave_another(unsigned wait_ms, const char *words)
{
	if (fork() != 0)
		return;
	clock_sleep_ms(wait_ms);
	say(STDOUT_FILENO, words);
	_exit(0);
}

static int work(const struct guard_link *link, void *context)
{
	const struct play *play = context;
	char line[16];
	struct stat status;

	switch (play->what) {
	case MUCH:
	case BOTH:
		for (int i = 0; i < MANY; i++) {
			snprintf(line, sizeof(line), "%06d\n", i);
			say(play->what == BOTH && i % 2 ? STDERR_FILENO : STDOUT_FILENO, line);
		}
		return 3;
	case HANG:
		say(STDOUT_FILENO, "before");
		leave_another(LONG_MS, "");
		return open(play->fifo, O_RDONLY | O_CLOEXEC);
	case LATER:
		leave_another(LIMIT_MS, "later");
		return 4;
	case SETTLE:
		say(STDOUT_FILENO, "shown?");
		return relay_settle(link->ask) ? 5 : 6;
	case INPUT:
		return fstat(STDIN_FILENO, &status) == 0 && S_ISSOCK(status.st_mode) ? 7 : 8;
	case RETURN:
		break;
	}
	return 0;
}

static bool give_up(const struct guard_silence *silence, void *context)
{
	(void)silence;
	(void)context;
	return false;
}

/* The guard, whose both streams are `to`; its status is 50 more where standard output has a fault. */
static pid_t start(struct play *play, int to, const int *closed, bool reads_input)
{
	pid_t pid = fork();
	struct outputs outputs = { 0 };
	struct guarded guarded = { work, give_up, play, LIMIT_MS, reads_input, &outputs };
	pid_t own = getpid();
	int status;

	if (pid != 0)
		return pid;
	signal(SIGPIPE, SIG_IGN);
	if (dup2(to, STDOUT_FILENO) < 0 || dup2(to, STDERR_FILENO) < 0 ||
	    (reads_input && dup2(to, STDIN_FILENO) < 0))
		_exit(99);
	close(to);
	if (closed)
		close(*closed);
	status = guard_run(&guarded, 9);
	_exit(getpid() == own && outputs.out.fault == -EPIPE ? 50 + status : status);
}

static int end_of(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Reads all that comes, until nobody has the other end any more. */
static void hear(struct play *play, const int ends[2], struct heard *heard)
{
	uint64_t began = clock_now_us();
	pid_t pid = start(play, ends[1], &ends[0], false);
	ssize_t got = 1;

	close(ends[1]);
	heard->out = calloc(1, OUTPUT_MAX + 1);
	assert_non_null(heard->out);
	for (heard->size = 0; got > 0; heard->size += (size_t)got) {
		got = read(ends[0], heard->out + heard->size, OUTPUT_MAX - heard->size);
		assert_true(got >= 0);
	}
	heard->took_ms = (unsigned)((clock_now_us() - began) / 1000);
	heard->status = end_of(pid);
	close(ends[0]);
}

static void test_much(void **state)
{
	static const enum what both[] = { MUCH, BOTH };
	char line[16];

	(void)state;
	for (size_t i = 0; i < 2 * COUNT(both); i++) {
		struct play play = { .what = both[i / 2] };
		struct heard heard;
		int ends[2];

		if (i % 2)
			assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
		else
			assert_int_equal(pipe(ends), 0);
		hear(&play, ends, &heard);
		assert_int_equal(heard.status, 3);
		assert_int_equal(heard.size, MANY * 7);
		for (int k = 0; k < MANY; k++) {
			snprintf(line, sizeof(line), "%06d\n", k);
			assert_memory_equal(heard.out + 7 * k, line, 7);
		}
		free(heard.out);
	}
}

/* The reader is done when the guard is, whoever stays with the child's streams. */
static void test_hang(void **state)
{
	char folder[] = "/tmp/relay.XXXXXX", fifo[64];
	struct play play = { .what = HANG, .fifo = fifo };
	struct heard heard;
	int ends[2];

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(fifo, sizeof(fifo), "%s/fifo", folder);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_int_equal(pipe(ends), 0);
	hear(&play, ends, &heard);
	unlink(fifo);
	rmdir(folder);
	assert_int_equal(heard.status, 9);
	assert_string_equal(heard.out, "before");
	assert_in_range(heard.took_ms, LIMIT_MS, LIMIT_MS + 3000);
	free(heard.out);
}

/* As a reader would: what a hookscript has left running may still say something. */
static void test_later(void **state)
{
	struct play play = { .what = LATER };
	struct heard heard;
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	hear(&play, ends, &heard);
	assert_int_equal(heard.status, 4);
	assert_string_equal(heard.out, "later");
	free(heard.out);
}

static void test_settle(void **state)
{
	struct play play = { .what = SETTLE };
	struct heard heard;
	int ends[2];
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	hear(&play, ends, &heard);
	assert_int_equal(heard.status, 5);
	assert_string_equal(heard.out, "shown?");
	free(heard.out);

	/* a reader that is gone */
	assert_int_equal(pipe(ends), 0);
	close(ends[0]);
	pid = start(&play, ends[1], NULL, false);
	close(ends[1]);
	assert_int_equal(end_of(pid), 50 + 6);
}

/* A reader that does not read is waited for, but nobody is kept from ending that. */
static void test_full(void **state)
{
	struct play play = { .what = MUCH };
	int ends[2], status;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	pid = start(&play, ends[1], &ends[0], false);
	clock_sleep_ms(2 * LIMIT_MS);
	assert_int_equal(waitpid(pid, &status, WNOHANG), 0);
	kill(pid, SIGTERM);
	assert_int_equal(end_of(pid), 128 + SIGTERM);
	close(ends[0]);
	close(ends[1]);
}

/* sshd gives one socket for input and output. */
static void test_input(void **state)
{
	struct play play = { .what = INPUT };
	int ends[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	assert_int_equal(end_of(start(&play, ends[1], NULL, true)), 7);
	assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
	assert_int_equal(end_of(start(&play, ends[1], NULL, false)), 8);
	close(ends[0]);
	close(ends[1]);
}

/* Files are the child's own: there is no question to answer. */
static void test_file(void **state)
{
	struct play play = { .what = SETTLE };
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC),
	    null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	(void)state;
	assert_int_equal(end_of(start(&play, fd, NULL, false)), 99); /* it sees the fault itself */
	assert_int_equal(end_of(start(&play, null, NULL, false)), 5);
	close(fd);
	close(null);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_much),  cmocka_unit_test(test_hang),
		cmocka_unit_test(test_later), cmocka_unit_test(test_settle),
		cmocka_unit_test(test_full),  cmocka_unit_test(test_input),
		cmocka_unit_test(test_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
