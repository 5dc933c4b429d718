/* SPDX-License-Identifier: GPL-2.0-or-later */
/* unit: lib/base/stream.c. Each test closes the streams of a child of its own. */
#include "base/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

/* What the child found wrong is its exit status. */
static void assert_in_child(int (*child)(unsigned), unsigned closed)
{
	int status = -1;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(child(closed));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (status != 0)
		fail_msg("streams %u: status %x", closed, (unsigned)status);
}

static bool is_null(int fd)
{
	struct stat stream, null;

	return fstat(fd, &stream) == 0 && stat("/dev/null", &null) == 0 &&
	       stream.st_rdev == null.st_rdev && fcntl(fd, F_GETFD) == 0;
}

/* The streams of the bits are closed, the others are a file. */
static bool arrange(unsigned closed)
{
	int file = open("/proc/self/stat", O_RDONLY);

	if (file < 0 || dup2(file, 10) < 0)
		return false;
	for (int fd = 0; fd <= 2; fd++) {
		if (closed & 1u << fd)
			close(fd);
		else if (dup2(10, fd) < 0)
			return false;
	}
	streams_close_others(-1, -1);
	return fcntl(3, F_GETFD) < 0;
}

static int open_closed(unsigned closed)
{
	if (!arrange(closed))
		return 1;
	streams_open();
	for (int fd = 0; fd <= 2; fd++)
		if (is_null(fd) != !!(closed & 1u << fd) || fcntl(fd, F_GETFD) != 0)
			return 2 + fd;
	/* and nothing else was left open */
	return fcntl(3, F_GETFD) >= 0 ? 5 : 0;
}

static int silence(unsigned closed)
{
	if (!arrange(closed))
		return 1;
	streams_silence();
	for (int fd = 0; fd <= 2; fd++)
		if (!is_null(fd))
			return 2 + fd;
	return fcntl(3, F_GETFD) >= 0 ? 5 : 0;
}

/* Two stay, in either order and whatever they are; the standard streams do in any case. */
static int close_others(unsigned kept)
{
	static const int pairs[][2] = { { 20, 10 }, { 10, 11 }, { 3, -1 }, { -1, 30 }, { 1, 3 } };
	int keep = pairs[kept][0], other = pairs[kept][1];

	for (int fd = 3; fd <= 30; fd++)
		if (dup2(STDERR_FILENO, fd) < 0)
			return 1;
	streams_close_others(keep, other);
	for (int fd = 0; fd <= 30; fd++)
		if ((fcntl(fd, F_GETFD) >= 0) != (fd <= 2 || fd == keep || fd == other))
			return 2;
	return 0;
}

static void test_close_others(void **state)
{
	(void)state;
	for (unsigned kept = 0; kept < 5; kept++)
		assert_in_child(close_others, kept);
}

/*
 * A mount on /dev that nobody else sees. In a tree that one has been chrooted into / is no mount, but
 * /dev is: what is mounted on a private one stays here.
 */
static bool cover_dev(void)
{
	if (unshare(CLONE_NEWNS) < 0)
		return false;
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 &&
	    mount(NULL, "/dev", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return false;
	return mount("tmpfs", "/dev", "tmpfs", 0, NULL) == 0;
}

/* In a root without /dev/null they are no file that could be written to. */
static int without_null(unsigned closed)
{
	char byte = 'x';

	if (!cover_dev())
		return 77;
	if (!arrange(closed))
		return 1;
	if (closed)
		streams_open();
	else
		streams_silence();
	for (int fd = 0; fd <= 2; fd++)
		if ((closed == 0 || closed & 1u << fd) &&
		    (fcntl(fd, F_GETFD) != 0 || write(fd, &byte, 1) >= 0 || errno != EBADF ||
		     read(fd, &byte, 1) >= 0 || errno != EBADF))
			return 2 + fd;
	return 0;
}

static void test_open(void **state)
{
	(void)state;
	for (unsigned closed = 0; closed < 8; closed++)
		assert_in_child(open_closed, closed);
}

static void test_silence(void **state)
{
	(void)state;
	for (unsigned closed = 0; closed < 8; closed++)
		assert_in_child(silence, closed);
}

static void test_without_null(void **state)
{
	(void)state;
	for (unsigned closed = 0; closed < 8; closed++)
		assert_in_child(without_null, closed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_close_others),
		cmocka_unit_test(test_open),
		cmocka_unit_test(test_silence),
		cmocka_unit_test(test_without_null),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
