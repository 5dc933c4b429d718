/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: vm/qemu.c, on a /proc that is built. */
#include "test.h"
#include "tree.h"

#include "pve/qemu.h"

static pid_t find(const struct tree *tree, uint32_t vmid, struct task *qemu)
{
	struct error err = { 0 };

	*qemu = (struct task){ .pid = -1, .start_time = 1 };
	if (qemu_find(&tree->root, vmid, qemu, &err) != 0)
		fail_msg("%s", err.message);
	return qemu->pid;
}

static void test_runs(void **state)
{
	const struct tree *tree = *state;
	struct task qemu;

	tree_process(tree, 4711, "kvm", 101);
	assert_int_equal(find(tree, 101, &qemu), 4711);
	assert_int_equal(qemu.start_time, 104711);
	/* another VM */
	assert_int_equal(find(tree, 102, &qemu), 0);
	assert_int_equal(qemu.start_time, 0);
}

/* proc(5): the name is in parentheses and may hold any byte. */
static void test_names(void **state)
{
	static const char *const names[] = { "kvm",	   "a b",   ")", "(x) S 1 2",
					     "kvm) R 9 9", ") 0 )", "" };
	const struct tree *tree = *state;
	struct task qemu;

	for (size_t i = 0; i < COUNT(names); i++) {
		tree_process(tree, 4711, names[i], 101);
		assert_row(names[i], find(tree, 101, &qemu) == 4711);
		assert_row(names[i], qemu.start_time == 104711);
	}
}

/* Each of these is a VM that does not run. */
static void test_does_not_run(void **state)
{
	static const char *const pids[] = { "",	       "\n",  "0\n",	       "-4711\n",
					    "4711 \n", "x\n", "99999999999\n", "4711\n4711\n" };
	const struct tree *tree = *state;
	struct task qemu;

	assert_int_equal(find(tree, 101, &qemu), 0);
	for (size_t i = 0; i < COUNT(pids); i++) {
		tree_process(tree, 4711, "kvm", 101);
		tree_file(tree, "run/qemu-server/101.pid", "%s", pids[i]);
		assert_row(pids[i], find(tree, 101, &qemu) == 0);
	}
	/* a pid file that was left behind */
	tree_file(tree, "run/qemu-server/101.pid", "4712\n");
	assert_int_equal(find(tree, 101, &qemu), 0);
	/* without the newline */
	tree_file(tree, "run/qemu-server/101.pid", "4711");
	assert_int_equal(find(tree, 101, &qemu), 4711);
}

/* The pid is another process's now: what tells is "-pidfile" with this name in its command line. */
static void test_command_lines(void **state)
{
	static const struct {
		const char *line;
		size_t size;
		bool found;
	} rows[] = {
#define LINE(text) text, sizeof(text)
#define PID_FILE   "/run/qemu-server/101.pid"
		{ LINE("/usr/bin/kvm\0-pidfile\0/var" PID_FILE), true },
		{ LINE("/usr/bin/kvm\0-pidfile\0" PID_FILE), true },
		{ LINE("/usr/bin/kvm\0-id\0"
		       "101\0-pidfile\0/var" PID_FILE "\0-name\0x"),
		  true },
		{ LINE("/usr/bin/kvm\0-name\0-pidfile\0-pidfile\0/var" PID_FILE), true },
		{ "/usr/bin/kvm\0-pidfile\0" PID_FILE, 46, true }, /* no NUL at the end */
		{ LINE("/usr/bin/kvm\0-pidfile\0/var" PID_FILE "1"), false },
		{ LINE("/usr/bin/kvm\0-pidfile\0/var/run/qemu-server/10.pid"), false },
		{ LINE("/usr/bin/kvm\0-pidfile\0/var/run/qemu-server/0101.pid"), false },
		{ LINE("/usr/bin/kvm\0-pidfile\0/tmp" PID_FILE), false },
		{ LINE("/usr/bin/kvm\0-pidfile"), false },
		{ LINE("/usr/bin/kvm\0-pidfile\0\0" PID_FILE), false },
		{ LINE("/usr/bin/kvm\0-pidfile " PID_FILE), false },
		{ LINE("/usr/bin/kvm\0-id\0"
		       "101"),
		  false },
		{ LINE(PID_FILE), false },
		{ LINE("-pidfile"), false },
		{ "", 0, false }, /* a zombie */
		{ LINE(""), false },
	};
	const struct tree *tree = *state;
	struct task qemu;

	tree_process(tree, 4711, "kvm", 101);
	for (size_t i = 0; i < COUNT(rows); i++) {
		tree_bytes(tree, "proc/4711/cmdline", rows[i].line, rows[i].size);
		assert_row(rows[i].line, find(tree, 101, &qemu) == (rows[i].found ? 4711 : 0));
	}
}

/* A command line with every argument PVE and a person can think of. */
static void test_long_command_line(void **state)
{
	static const char end[] = "\0-pidfile\0" PID_FILE;
	const struct tree *tree = *state;
	static char line[1024 * 1024];
	struct task qemu;

	tree_process(tree, 4711, "kvm", 101);
	memset(line, 'x', sizeof(line));
	memcpy(line + sizeof(line) - sizeof(end), end, sizeof(end));
	tree_bytes(tree, "proc/4711/cmdline", line, sizeof(line));
	assert_int_equal(find(tree, 101, &qemu), 4711);
}

/* Nobody can tell: an error, not "it does not run". */
static void test_cannot_tell(void **state)
{
	static const char *const stats[] = {
		"",
		"4711 (kvm",
		"4711 (kvm)",
		"4711 (kvm) ",
		"4711 (kvm)S 4 5",
		"4711 (kvm) S 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21",
	};
	static const char *const times[] = { "x", "-1", "", "99999999999999999999" };
	const struct tree *tree = *state;
	struct error err = { 0 };
	struct task qemu = { 0 };

	for (size_t i = 0; i < COUNT(stats); i++) {
		tree_process(tree, 4711, "kvm", 101);
		tree_file(tree, "proc/4711/stat", "%s", stats[i]);
		assert_row(stats[i], qemu_find(&tree->root, 101, &qemu, &err) == -EBADMSG);
		assert_row(stats[i], qemu.pid == 0);
	}
	for (size_t i = 0; i < COUNT(times); i++) {
		tree_process(tree, 4711, "kvm", 101);
		tree_file(tree, "proc/4711/stat",
			  "4711 (kvm) S 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 %s 23\n",
			  times[i]);
		assert_row(times[i], qemu_find(&tree->root, 101, &qemu, &err) < 0);
	}
	tree_process(tree, 4711, "kvm", 101);
	tree_remove(tree, "proc/4711/cmdline");
	tree_folder(tree, "proc/4711/cmdline");
	assert_int_equal(qemu_find(&tree->root, 101, &qemu, &err), -EISDIR);
	assert_string_equal(err.message, "cannot read /proc/4711/cmdline: Is a directory");
	tree_remove(tree, "run/qemu-server/101.pid");
	tree_folder(tree, "run/qemu-server/101.pid");
	assert_int_equal(qemu_find(&tree->root, 101, &qemu, &err), -EISDIR);
	assert_string_equal(err.message, "cannot read /run/qemu-server/101.pid: Is a directory");
}

/* It ends while it is looked at. */
static void test_ends_meanwhile(void **state)
{
	const struct tree *tree = *state;
	struct task qemu;

	tree_process(tree, 4711, "kvm", 101);
	tree_remove(tree, "proc/4711/stat");
	assert_int_equal(find(tree, 101, &qemu), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(test_runs),
		tree_test(test_names),
		tree_test(test_does_not_run),
		tree_test(test_command_lines),
		tree_test(test_long_command_line),
		tree_test(test_cannot_tell),
		tree_test(test_ends_meanwhile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
