/* SPDX-License-Identifier: GPL-2.0-or-later */
/* unit: lib/base/process.c. What a program gets, and what is told of its end. */
#include "base/number.h"
#include "base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include "test_rom_make.h"

#define DEADLINE_MS 20000
#define OUTPUT_MAX  4096

static struct process_end end;

static int tear_down(void **state)
{
	(void)state;
	process_end_done(&end);
	return 0;
}

static int run_script(const char *script, unsigned deadline_ms, size_t output_max)
{
	const char *const argv[] = { "sh", "-c", script, NULL };

	process_end_done(&end);
	return process_run(argv, deadline_ms, output_max, &end, NULL);
}

static void test_output_and_status(void **state)
{
	(void)state;
	assert_int_equal(run_script("echo out; echo err >&2; exit 7", DEADLINE_MS, OUTPUT_MAX), 0);
	assert_int_equal(end.status, 7);
	assert_string_equal(end.output, "out\nerr\n");
	assert_int_equal(end.size, 8);
	assert_int_equal(run_script("kill -TERM $$", DEADLINE_MS, OUTPUT_MAX), 0);
	assert_int_equal(end.status, 128 + SIGTERM);
	/* the status a shell has for a missing program is a status like any other */
	assert_int_equal(run_script("exit 127", DEADLINE_MS, OUTPUT_MAX), 0);
	assert_int_equal(end.status, 127);
}

/* As a parent may have left it, which an exec does not change. */
static void test_children_are_ignored(void **state)
{
	const char *const passed[] = { "/bin/sh", "-c", "exit 5", NULL };
	uint64_t ignored = 0;
	int status = -1;

	signal(SIGCHLD, SIG_IGN);
	test_output_and_status(state);
	signal(SIGCHLD, SIG_IGN);
	assert_int_equal(process_pass(passed, "PASSED=4", &status, NULL), 0);
	assert_int_equal(status, 5);
	signal(SIGCHLD, SIG_IGN);
	/* nor is it the programs' that are run; what else is ignored is this test's own parent's */
	assert_int_equal(run_script("sed -n 's/SigIgn:.//p' /proc/self/status", DEADLINE_MS,
				    OUTPUT_MAX),
			 0);
	assert_int_equal(parse_number(end.output, strcspn(end.output, "\n"), 16, UINT64_MAX,
				      &ignored),
			 0);
	assert_int_equal(ignored >> (SIGCHLD - 1) & 1, 0);
}

static void test_arguments_are_not_read_by_a_shell(void **state)
{
	const char *const argv[] = { "echo", "$(id); `id`", "a b", NULL };

	(void)state;
	assert_int_equal(process_run(argv, DEADLINE_MS, OUTPUT_MAX, &end, NULL), 0);
	assert_string_equal(end.output, "$(id); `id` a b\n");
}

static void test_no_such_program(void **state)
{
	const char *const argv[] = { "pve-vfio-no-such-program", NULL };
	const char *const folder[] = { "/usr/bin", NULL };
	struct error err = { 0 };

	(void)state;
	assert_int_equal(process_run(argv, DEADLINE_MS, OUTPUT_MAX, &end, &err), -ENOENT);
	assert_non_null(strstr(err.message, "pve-vfio-no-such-program"));
	assert_int_equal(process_run(folder, DEADLINE_MS, OUTPUT_MAX, &end, NULL), -EACCES);
}

static void test_deadline(void **state)
{
	(void)state;
	assert_int_equal(run_script("exec sleep 100", 200, OUTPUT_MAX), -ETIMEDOUT);
	/* its output is closed, and it still does not end */
	assert_int_equal(run_script("exec sleep 100 >&- 2>&-", 200, OUTPUT_MAX), -ETIMEDOUT);
}

static void test_output_is_bounded(void **state)
{
	(void)state;
	assert_int_equal(run_script("head -c 300000 /dev/zero | tr '\\0' x", DEADLINE_MS, 1000), 0);
	assert_int_equal(end.status, 0);
	assert_int_equal(end.size, 1000);
	assert_int_equal(strlen(end.output), 1000);
}

static void test_nothing_is_passed_on(void **state)
{
	int fd = open("/dev/null", O_RDONLY); /* not O_CLOEXEC */

	(void)state;
	assert_true(fd >= 0);
	setenv("PVE_VFIO_TEST", "passed on", 1);
	assert_int_equal(run_script("echo /proc/self/fd/*; echo $PVE_VFIO_TEST$PATH; cat",
				    DEADLINE_MS, OUTPUT_MAX),
			 0);
	close(fd);
	/* 3 is the shell reading the folder */
	assert_string_equal(end.output, "/proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2 "
					"/proc/self/fd/3\n" PROCESS_PATH "\n");
}

static void test_closed_standard_streams(void **state)
{
	int saved = dup(STDIN_FILENO);

	(void)state;
	close(STDIN_FILENO);
	assert_int_equal(run_script("echo here", DEADLINE_MS, OUTPUT_MAX), 0);
	if (saved >= 0) {
		dup2(saved, STDIN_FILENO);
		close(saved);
	}
	assert_string_equal(end.output, "here\n");
}

static void test_pass(void **state)
{
	const char *const argv[] = { "/bin/sh", "-c", "exit $((PASSED + OURS))", NULL };
	const char *const killed[] = { "/bin/sh", "-c", "kill -9 $$", NULL };
	const char *const piped[] = { "/bin/sh", "-c", "kill -PIPE $$", NULL };
	const char *const absent[] = { "/nosuch", NULL };
	struct error err = { 0 };
	int status = -1;

	(void)state;
	setenv("OURS", "3", 1);
	assert_int_equal(process_pass(argv, "PASSED=4", &status, &err), 0);
	assert_int_equal(status, 7);
	unsetenv("OURS");
	assert_null(getenv("PASSED"));
	assert_int_equal(process_pass(killed, "PASSED=4", &status, &err), 0);
	assert_int_equal(status, 128 + SIGKILL);
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(process_pass(piped, "PASSED=4", &status, &err), 0);
	assert_int_equal(status, 128 + SIGPIPE);
	signal(SIGPIPE, SIG_DFL);
	assert_int_equal(process_pass(absent, "PASSED=4", &status, &err), -ENOENT);
	assert_string_equal(err.message, "cannot run '/nosuch': No such file or directory");
}

/* One that must not be cut short goes on when the caller is killed, and may write. */
static void test_to_its_end(void **state)
{
	static const char script[] = "echo one; sleep 0.5; echo two >&2; echo done >\"$0\"";
	char folder[] = "/tmp/process.XXXXXX", file[64];
	const char *const argv[] = { "sh", "-c", script, file, NULL };
	pid_t pid;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(file, sizeof(file), "%s/done", folder);
	assert_int_equal(process_run_to_end(argv, DEADLINE_MS, OUTPUT_MAX, &end, NULL), 0);
	assert_int_equal(end.status, 0);
	assert_string_equal(end.output, "one\ntwo\n");
	assert_int_equal(unlink(file), 0);

	pid = fork();
	if (pid == 0) {
		process_run_to_end(argv, DEADLINE_MS, OUTPUT_MAX, &end, NULL);
		_exit(0);
	}
	usleep(200000);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_int_not_equal(access(file, F_OK), 0);
	for (int i = 0; i < 100 && access(file, F_OK) != 0; i++)
		usleep(100000);
	assert_int_equal(unlink(file), 0);
	assert_int_equal(rmdir(folder), 0);
}

/* More than a pipe holds; one that does not read it holds up nobody. */
static void test_fed(void **state)
{
	const char *const counts[] = { "wc", "-c", NULL }, *const deaf[] = { "true", NULL };
	cleanup_free char *much = calloc(1, 300001);

	(void)state;
	memset(much, 'x', 300000);
	assert_int_equal(process_run_fed(counts, much, DEADLINE_MS, OUTPUT_MAX, &end, NULL), 0);
	assert_string_equal(end.output, "300000\n");
	process_end_done(&end);
	assert_int_equal(process_run_fed(deaf, much, DEADLINE_MS, OUTPUT_MAX, &end, NULL), 0);
	assert_int_equal(end.status, 0);
}

static void test_to_its_end_deadline(void **state)
{
	const char *const argv[] = { "sh", "-c", "sleep 60", NULL };
	const char *const missing[] = { "pve-vfio-no-such-program", NULL };

	(void)state;
	process_end_done(&end);
	assert_int_equal(process_run_to_end(argv, 200, OUTPUT_MAX, &end, NULL), -ETIMEDOUT);
	assert_int_equal(process_run_to_end(missing, 200, OUTPUT_MAX, &end, NULL), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_output_and_status, tear_down),
		cmocka_unit_test_teardown(test_arguments_are_not_read_by_a_shell, tear_down),
		cmocka_unit_test_teardown(test_no_such_program, tear_down),
		cmocka_unit_test_teardown(test_deadline, tear_down),
		cmocka_unit_test_teardown(test_output_is_bounded, tear_down),
		cmocka_unit_test_teardown(test_nothing_is_passed_on, tear_down),
		cmocka_unit_test_teardown(test_closed_standard_streams, tear_down),
		cmocka_unit_test(test_pass),
		cmocka_unit_test_teardown(test_children_are_ignored, tear_down),
		cmocka_unit_test_teardown(test_to_its_end, tear_down),
		cmocka_unit_test_teardown(test_fed, tear_down),
		cmocka_unit_test_teardown(test_to_its_end_deadline, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
