/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: writes that fail, stall or end the process that makes them. */
#include "fake_write.h"

#include <signal.h>
#include <sys/wait.h>

#include "base/clock.h"

/* ---- misbehaviour */

_Noreturn static void wait_for_ever(void)
{
	pid_t parent = getppid();

	while (getppid() == parent)
		clock_sleep_ms(5);
	_exit(EXIT_FAILURE);
}

/*
 * A task that sleeps in the kernel uninterruptibly survives its SIGKILL, and what it has open
 * stays open. A user's process cannot do that, but a child of it that the signal does not reach
 * has the same descriptors: the lane's pipe, the VM's lock, the device's lock.
 */
static void stick(const struct fake_write *write)
{
	char loose[PATH_MAX], path[PATH_MAX];
	pid_t self = getpid(), child;

	tree_format(path, "proc/%d/wchan", (int)self);
	tree_file(write->tree, path, "nvkm_thread_sleep");
	child = fork();
	if (child < 0)
		tree_broken("fork", "");
	if (child > 0)
		wait_for_ever();
	device_file(write->address, "loose", loose);
	while (!tree_has(write->tree, loose)) {
		if (!tree_has(write->tree, ".fake"))
			_exit(EXIT_FAILURE);
		clock_sleep_ms(5);
	}
	do_write(write);
	device_file(write->address, "misbehave", path);
	tree_remove(write->tree, path);
	tree_remove(write->tree, loose);
	_exit(EXIT_SUCCESS);
}

static void bind_late(const struct fake_write *write, unsigned milliseconds)
{
	pid_t child = fork();

	if (child < 0)
		tree_broken("fork", "");
	if (child > 0)
		return;
	/* no pipe of the lane may stay open */
	for (int fd = 3; fd < 256; fd++)
		if (fd != write->tree->root.fd)
			close(fd);
	clock_sleep_ms(milliseconds);
	do_write(write);
	_exit(EXIT_SUCCESS);
}

/* What the write is told to do, "" for nothing. Forgets a "once". */
static void find_misbehaviour(const struct fake_write *write, char what[NAME_SIZE])
{
	char path[PATH_MAX], detail[NAME_SIZE];
	char *content;

	write_detail(write, false, detail);
	tree_format(path, ".fake/%s/misbehave/%s@%s", write->address, write->name, detail);
	if (!tree_has(write->tree, path))
		tree_format(path, ".fake/%s/misbehave/%s", write->address, write->name);
	content = tree_read(write->tree, path);
	what[0] = '\0';
	if (!content)
		return;
	if (text_starts_with(content, "once "))
		tree_remove(write->tree, path);
	snprintf(what, NAME_SIZE, "%s",
		 content + (text_starts_with(content, "once ") ? strlen("once ") : 0));
	free(content);
}

static int perform(const struct fake_write *write)
{
	char what[NAME_SIZE];
	struct fake_kernel kernel;

	find_misbehaviour(write, what);
	if (text_starts_with(what, "fail ")) {
		return -atoi(what + strlen("fail "));
	} else if (text_starts_with(what, "wrong ")) {
		set_driver(write->tree, write->address, what + strlen("wrong "));
	} else if (text_starts_with(what, "late ")) {
		bind_late(write, (unsigned)atoi(what + strlen("late ")));
	} else if (strcmp(what, "stall") == 0) {
		wait_for_ever();
	} else if (strcmp(what, "stick") == 0) {
		stick(write);
	} else if (strcmp(what, "die") == 0) {
		kill(getpid(), SIGKILL);
	} else if (strcmp(what, "vanish") == 0) {
		kernel.tree = *write->tree;
		fake_vanish(&kernel, write->address);
		return -ENODEV;
	} else if (strcmp(what, "beaten") == 0) {
		do_write(write);
		return -ENODEV;
	} else if (strcmp(what, "forestalled") == 0) {
		do_write(write);
		return -ENOENT;
	} else if (!*what) {
		return do_write(write);
	} else if (strcmp(what, "ignore") != 0) {
		tree_broken("misbehave", what);
	}
	return 0;
}

/* ---- being killed */

/* Counts the writes of all processes; true for the one at which fake_kill_at() wants the end. */
static bool is_last_write(const struct tree *tree)
{
	int lock = take_lock(tree, ".fake/lock");
	char *wanted = tree_read(tree, ".fake/kill-at");
	char *count = tree_read(tree, ".fake/count");
	int now = count ? atoi(count) + 1 : 1;
	bool last = wanted && atoi(wanted) == now;

	tree_file(tree, ".fake/count", "%d", now);
	free(wanted);
	free(count);
	close(lock);
	return last;
}

/* The lane and the process that runs it, as when the machine's OOM killer finds them. */
_Noreturn static void die(void)
{
	kill(getppid(), SIGKILL);
	kill(getpid(), SIGKILL);
	_exit(EXIT_FAILURE);
}

bool write_begins(const struct tree *tree)
{
	bool last = is_last_write(tree);

	if (last && !tree_has(tree, ".fake/kill-after"))
		die();
	return last;
}

void write_ends(bool last)
{
	if (last)
		die();
}

/* Under the device's lock. */
int misbehave_or_do(const struct fake_write *write)
{
	bool last = write_begins(write->tree);
	int r = perform(write);

	write_ends(last);
	return r;
}

/* ---- for the tests */

void fake_misbehave(const struct fake_kernel *kernel, const char *address, const char *where,
		    const char *what)
{
	char path[PATH_MAX];

	tree_format(path, ".fake/%s/misbehave/%s", address, where);
	tree_file(&kernel->tree, path, "%s", what);
}

void fake_behave(const struct fake_kernel *kernel, const char *address, const char *where)
{
	char path[PATH_MAX];

	tree_format(path, ".fake/%s/misbehave/%s", address, where);
	tree_remove(&kernel->tree, path);
}

void fake_kill_at(const struct fake_kernel *kernel, unsigned number, bool after)
{
	tree_remove(&kernel->tree, ".fake/count");
	tree_file(&kernel->tree, ".fake/kill-at", "%u", number);
	tree_remove(&kernel->tree, ".fake/kill-after");
	if (after)
		tree_file(&kernel->tree, ".fake/kill-after", "yes");
}

void fake_loosen(const struct fake_kernel *kernel, const char *address)
{
	char path[PATH_MAX];

	device_file(address, "loose", path);
	tree_file(&kernel->tree, path, "loose");
	while (tree_has(&kernel->tree, path))
		clock_sleep_ms(5);
	/* the device's lock goes when the process has ended */
	device_file(address, "lock", path);
	close(take_lock(&kernel->tree, path));
}

bool fake_is_killed(struct fake_kernel *kernel,
		    int (*work)(struct fake_kernel *kernel, void *context), void *context)
{
	int alive[2], status;
	char none;
	pid_t pid;

	assert_int_equal(pipe(alive), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(alive[0]);
		_exit(work(kernel, context) == 0 ? 0 : 99);
	}
	close(alive[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	/* the last of them closes the pipe */
	assert_int_equal(read(alive[0], &none, 1), 0);
	close(alive[0]);
	if (WIFSIGNALED(status)) {
		assert_int_equal(WTERMSIG(status), SIGKILL);
		return true;
	}
	assert_int_equal(WEXITSTATUS(status), 0);
	return false;
}
