/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: change/state.c: whose directory it is, and who waits for whom. */
#include "test.h"
#include "tree.h"

#include <signal.h>
#include <sys/wait.h>

#include "change/state.h"

static int open_state(const struct tree *tree, bool create, struct error *err)
{
	struct state state = { .fd = -1 };
	int r;

	*err = (struct error){ 0 };
	r = state_open(&tree->root, create, &state, err);
	state_done(&state);
	return r;
}

static void test_open(void **state)
{
	const struct tree *tree = *state;
	struct stat status;
	struct error err;
	char path[PATH_MAX];
	mode_t mask;

	/* nothing there: silently, and nothing is made */
	tree_folder(tree, "run");
	assert_int_equal(open_state(tree, false, &err), -ENOENT);
	assert_string_equal(err.message, "");
	assert_false(tree_has(tree, "run/pve-vfio"));

	mask = umask(0);
	assert_int_equal(open_state(tree, true, &err), 0);
	umask(mask);
	tree_path(tree, "run/pve-vfio", path);
	assert_int_equal(lstat(path, &status), 0);
	assert_int_equal(status.st_mode, S_IFDIR | 0700);
	assert_int_equal(status.st_uid, geteuid());
	/* it may be there already */
	assert_int_equal(open_state(tree, true, &err), 0);
	assert_int_equal(open_state(tree, false, &err), 0);
}

static void test_no_run(void **state)
{
	const struct tree *tree = *state;
	struct error err;

	assert_int_equal(open_state(tree, true, &err), -ENOENT);
	assert_string_equal(err.message, "cannot open /run: No such file or directory");
	tree_file(tree, "run", "no folder");
	assert_int_equal(open_state(tree, true, &err), -ENOTDIR);
	assert_string_equal(err.message, "cannot open /run: Not a directory");
}

static void test_no_run_is_silent(void **state)
{
	const struct tree *tree = *state;
	struct error err;

	assert_int_equal(open_state(tree, false, &err), -ENOENT);
	assert_string_equal(err.message, "");
}

/* Others may write to it: what it says cannot be believed. */
static void test_modes(void **state)
{
	static const struct {
		mode_t mode;
		const char *text; /* NULL: taken */
	} rows[] = {
		{ 0700, NULL },	  { 0500, NULL },  { 0777, "777" },
		{ 01777, "777" }, { 0770, "770" }, { 0707, "707" },
		{ 0720, "720" },  { 0702, "702" }, { 0755, "755" },
	};
	const struct tree *tree = *state;

	tree_folder(tree, "run/pve-vfio");
	for (size_t i = 0; i < COUNT(rows); i++) {
		char path[PATH_MAX], message[ERROR_MAX];
		struct error err;

		tree_path(tree, "run/pve-vfio", path);
		assert_int_equal(chmod(path, rows[i].mode), 0);
		assert_int_equal(open_state(tree, i % 2, &err), rows[i].text ? -EPERM : 0);
		if (!rows[i].text)
			continue;
		snprintf(message, sizeof(message),
			 "/run/pve-vfio is not this program's: it belongs to uid %u with mode %s, "
			 "and must belong to uid %u with mode 700; remove it",
			 geteuid(), rows[i].text, geteuid());
		assert_string_equal(err.message, message);
	}
}

/* Root alone can make another user's. */
static void test_owner(void **state)
{
	const struct tree *tree = *state;
	char path[PATH_MAX];
	struct error err;

	if (geteuid() != 0)
		skip();
	tree_folder(tree, "run/pve-vfio");
	tree_path(tree, "run/pve-vfio", path);
	assert_int_equal(chmod(path, 0700), 0);
	assert_int_equal(chown(path, 65534, 65534), 0);
	assert_int_equal(open_state(tree, false, &err), -EPERM);
	assert_string_equal(err.message,
			    "/run/pve-vfio is not this program's: it belongs to uid 65534 with "
			    "mode 700, and must belong to uid 0 with mode 700; remove it");
	assert_int_equal(open_state(tree, true, &err), -EPERM);
}

/* Something else in its place. */
static void test_symbolic_link(void **state)
{
	const struct tree *tree = *state;
	char path[PATH_MAX];
	struct error err;

	tree_folder(tree, "elsewhere");
	tree_path(tree, "elsewhere", path);
	assert_int_equal(chmod(path, 0700), 0);
	tree_link(tree, "run/pve-vfio", "../elsewhere");
	assert_int_equal(open_state(tree, true, &err), -ENOTDIR);
	assert_string_equal(err.message, "cannot open /run/pve-vfio: Not a directory");
	assert_int_equal(open_state(tree, false, &err), -ENOTDIR);

	tree_link(tree, "run/pve-vfio", "nowhere");
	assert_int_equal(open_state(tree, true, &err), -ENOTDIR);
	assert_false(tree_has(tree, "run/nowhere"));

	tree_remove(tree, "run/pve-vfio");
	tree_file(tree, "run/pve-vfio", "x");
	assert_int_equal(open_state(tree, true, &err), -ENOTDIR);
}

/* What another user of the machine gets to read. */
static void test_not_root(void **state)
{
	const struct tree *tree = *state;
	struct error err;
	int status, r;
	pid_t pid;

	if (geteuid() != 0)
		skip();
	tree_folder(tree, "run");
	assert_int_equal(chmod(tree->path, 0755), 0);
	pid = fork();
	if (pid == 0) {
		if (setuid(65534) < 0)
			_exit(1);
		r = open_state(tree, true, &err);
		if (r != -EACCES || strcmp(err.message, "cannot make /run/pve-vfio: Permission "
							"denied; this needs root") != 0)
			_exit(2);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);

	assert_int_equal(open_state(tree, true, &err), 0);
	pid = fork();
	if (pid == 0) {
		if (setuid(65534) < 0)
			_exit(1);
		r = open_state(tree, false, &err);
		if (r != -EACCES || strcmp(err.message, "cannot open /run/pve-vfio: Permission "
							"denied; this needs root") != 0)
			_exit(2);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* ---- locks */

static void make_state(const struct tree *tree, struct state *ret)
{
	struct error err = { 0 };

	tree_folder(tree, "run");
	if (state_open(&tree->root, true, ret, &err) != 0)
		fail_msg("%s", err.message);
}

/* Another process takes the lock for so long; returns once it has it. */
static pid_t lock_elsewhere(const struct state *state, int (*lock)(const struct state *state),
			    unsigned milliseconds)
{
	int ready[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		int fd = lock(state);

		if (fd < 0 || write(ready[1], "x", 1) != 1)
			_exit(1);
		clock_sleep_ms(milliseconds);
		_exit(0);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return pid;
}

static int lock_101(const struct state *state)
{
	return state_lock_vm(state, 101, deadline_in_ms(0), NULL);
}

static int lock_claims(const struct state *state)
{
	return state_lock_claims(state, deadline_in_ms(0), NULL);
}

static void test_locks(void **state)
{
	cleanup_state struct state own = { .fd = -1 };
	struct error err = { 0 };
	uint64_t began;
	pid_t pid;
	int fd;

	make_state(*state, &own);
	pid = lock_elsewhere(&own, lock_101, 60000);
	began = clock_now_us();
	assert_int_equal(state_lock_vm(&own, 101, deadline_in_ms(0), &err), -EWOULDBLOCK);
	assert_string_equal(err.message, "/run/pve-vfio/101.lock is locked by another process");
	assert_int_equal(state_lock_vm(&own, 101, deadline_in_ms(300), &err), -EWOULDBLOCK);
	assert_true(clock_now_us() - began >= 300000);

	/* another VM's and that of the claims are other locks */
	fd = state_lock_vm(&own, 102, deadline_in_ms(0), &err);
	assert_true(fd >= 0);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	close(fd);
	fd = lock_claims(&own);
	assert_true(fd >= 0);
	close(fd);

	/* it goes with the process */
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	fd = state_lock_vm(&own, 101, deadline_in_ms(0), &err);
	assert_true(fd >= 0);
	/* within one process too: it is by descriptor */
	assert_int_equal(lock_101(&own), -EWOULDBLOCK);
	close(fd);
	fd = lock_101(&own);
	assert_true(fd >= 0);
	close(fd);
}

/* One that is let go in time is taken. */
static void test_lock_waits(void **state)
{
	cleanup_state struct state own = { .fd = -1 };
	struct error err = { 0 };
	uint64_t began;
	pid_t pid;
	int fd;

	make_state(*state, &own);
	pid = lock_elsewhere(&own, lock_101, 300);
	began = clock_now_us();
	fd = state_lock_vm(&own, 101, deadline_in_ms(30000), &err);
	assert_true(fd >= 0);
	assert_in_range(clock_now_us() - began, 1, 20000000);
	close(fd);
	assert_int_equal(waitpid(pid, NULL, 0), pid);

	pid = lock_elsewhere(&own, lock_claims, 300);
	assert_int_equal(lock_claims(&own), -EWOULDBLOCK);
	fd = state_lock_claims(&own, deadline_in_ms(30000), &err);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* A child that has the descriptor, as a lane does, holds the lock on. */
static void test_lock_of_children(void **state)
{
	cleanup_state struct state own = { .fd = -1 };
	pid_t pid;
	int fd;

	make_state(*state, &own);
	fd = lock_101(&own);
	assert_true(fd >= 0);
	pid = fork();
	if (pid == 0) {
		pause();
		_exit(0);
	}
	close(fd);
	assert_int_equal(lock_101(&own), -EWOULDBLOCK);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	fd = lock_101(&own);
	assert_true(fd >= 0);
	close(fd);
}

static void test_lock_fails(void **state)
{
	cleanup_state struct state own = { .fd = -1 };
	const struct tree *tree = *state;
	struct error err = { 0 };

	make_state(tree, &own);
	tree_file(tree, "elsewhere", "x");
	tree_link(tree, "run/pve-vfio/101.lock", "../../elsewhere");
	assert_int_equal(state_lock_vm(&own, 101, deadline_in_ms(0), &err), -ELOOP);
	assert_string_equal(err.message, "cannot open /run/pve-vfio/101.lock: Too many levels of "
					 "symbolic links");
	tree_folder(tree, "run/pve-vfio/claims.lock");
	assert_int_equal(state_lock_claims(&own, deadline_in_ms(0), &err), -EISDIR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(test_open),
		tree_test(test_no_run),
		tree_test(test_no_run_is_silent),
		tree_test(test_modes),
		tree_test(test_owner),
		tree_test(test_symbolic_link),
		tree_test(test_not_root),
		tree_test(test_locks),
		tree_test(test_lock_waits),
		tree_test(test_lock_of_children),
		tree_test(test_lock_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
