/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: vm/lock.c: whether a task of Proxmox VE is at work on a VM, and when it ends. */
#include "test.h"
#include "tree.h"

#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "pve/lock.h"

#define LOCK_PATH "var/lock/qemu-server/lock-101.conf"

/* A task that has the lock, until it is killed. */
static pid_t begin_task(const struct tree *tree)
{
	char path[PATH_MAX], byte;
	int ready[2];
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	tree_path(tree, LOCK_PATH, path);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

		if (fd < 0 || flock(fd, LOCK_EX) < 0 || write(ready[1], "", 1) != 1)
			_exit(EXIT_FAILURE);
		for (;;)
			pause();
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return pid;
}

static void end_task(pid_t pid)
{
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void no_task_was_ever_there(void **state)
{
	const struct tree *tree = *state;

	assert_int_equal(vm_lock_open(&tree->root, 101), -ENOENT);
	tree_folder(tree, "var/lock/qemu-server");
	assert_int_equal(vm_lock_open(&tree->root, 101), -ENOENT);
	assert_false(tree_has(tree, LOCK_PATH));
}

static void nobody_holds_it(void **state)
{
	const struct tree *tree = *state;
	cleanup_close int lock = -1, other = -1;

	tree_file(tree, LOCK_PATH, "%s", "");
	lock = vm_lock_open(&tree->root, 101);
	assert_true(lock >= 0);
	assert_false(vm_lock_is_held(lock));
	assert_int_equal(vm_lock_wait(lock), 0);
	/* and we do not either: a task that comes now gets it at once */
	other = vm_lock_open(&tree->root, 101);
	assert_int_equal(flock(other, LOCK_EX | LOCK_NB), 0);
}

/* It is the task's own life that counts: PVE's tasks are killed, too. */
static void a_task_holds_it_until_it_ends(void **state)
{
	const struct tree *tree = *state;
	cleanup_close int lock = -1;
	pid_t task;

	tree_folder(tree, "var/lock/qemu-server");
	task = begin_task(tree);
	lock = vm_lock_open(&tree->root, 101);
	assert_true(lock >= 0);
	assert_true(vm_lock_is_held(lock));
	assert_true(vm_lock_is_held(lock));
	end_task(task);
	assert_false(vm_lock_is_held(lock));
}

static void on_alarm(int number)
{
	(void)number;
}

/* A signal in between does not count for the end of the task. */
static void waiting_lasts_as_long_as_the_task(void **state)
{
	const struct sigaction action = { .sa_handler = on_alarm };
	const struct tree *tree = *state;
	cleanup_close int lock = -1;
	uint64_t began = clock_now_us();
	pid_t task, killer, waiter = getpid();

	tree_folder(tree, "var/lock/qemu-server");
	task = begin_task(tree);
	lock = vm_lock_open(&tree->root, 101);
	assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
	killer = fork();
	assert_true(killer >= 0);
	if (killer == 0) {
		clock_sleep_ms(100);
		kill(waiter, SIGALRM);
		clock_sleep_ms(100);
		kill(task, SIGKILL);
		_exit(EXIT_SUCCESS);
	}
	assert_int_equal(vm_lock_wait(lock), 0);
	assert_true(clock_now_us() - began >= 200 * 1000);
	assert_int_equal(waitpid(task, NULL, 0), task);
	assert_int_equal(waitpid(killer, NULL, 0), killer);
	assert_int_equal(vm_lock_wait(-1), -EBADF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(no_task_was_ever_there),
		tree_test(nobody_holds_it),
		tree_test(a_task_holds_it_until_it_ends),
		tree_test(waiting_lasts_as_long_as_the_task),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
