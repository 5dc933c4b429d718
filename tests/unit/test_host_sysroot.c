/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: host/sysroot.c: nothing leads out of a tree. */
#include "test.h"
#include "tree.h"

#include <signal.h>
#include <sys/wait.h>

#include "base/clock.h"

static void assert_reads(const struct tree *tree, const char *path, const char *value)
{
	char *read = NULL;
	int r = sysroot_read_attribute(&tree->root, path, &read);

	if (r != 0)
		fail_msg("%s: %s", path, strerror(-r));
	assert_string_equal(read, value);
	free(read);
}

static void test_open(void **state)
{
	const struct tree *tree = *state;
	struct sysroot root = { .fd = -1 };
	struct error err = { 0 };
	char path[PATH_MAX];

	assert_false(tree->root.live);
	assert_string_equal(tree->root.path, tree->path);

	assert_int_equal(sysroot_open("/", &root, &err), 0);
	assert_true(root.live);
	sysroot_done(&root);
	/* by another name it is the machine itself all the same */
	assert_int_equal(sysroot_open("/../usr/..", &root, &err), 0);
	assert_true(root.live);
	sysroot_done(&root);
	sysroot_done(&root);
	assert_int_equal(root.fd, -1);

	tree_path(tree, "nosuch", path);
	assert_int_equal(sysroot_open(path, &root, &err), -ENOENT);
	assert_non_null(strstr(err.message, "/nosuch': No such file or directory"));
	tree_file(tree, "file", "x");
	tree_path(tree, "file", path);
	assert_int_equal(sysroot_open(path, &root, &err), -ENOTDIR);
	assert_int_equal(root.fd, -1);
}

/* RESOLVE_IN_ROOT: links and dots end at the tree's top, as in a chroot. */
static void test_stays_inside(void **state)
{
	static const char *const inside[] = {
		"etc/real",	   "/etc/real",
		"../etc/real",	   "../../../../../../etc/real",
		"etc/absolute",	   "etc/up",
		"etc/far-up",	   "etc/chain",
		"sys/folder/real", "etc/../../../etc/real",
		"./etc//real",
	};
	static const char *const outside[] = { "etc/host", "etc/host-up", "etc/hostname",
					       "etc/dangling" };
	const struct tree *tree = *state;
	char path[PATH_MAX];

	tree_file(tree, "etc/real", "inside\n");
	tree_link(tree, "etc/absolute", "/etc/real");
	tree_link(tree, "etc/up", "../etc/real");
	tree_link(tree, "etc/far-up", "../../../../../../../../etc/real");
	tree_link(tree, "etc/chain", "/etc/absolute");
	tree_link(tree, "sys/folder", "/etc");
	/* the machine has these; the tree has not */
	tree_link(tree, "etc/host", "/proc/self/status");
	tree_link(tree, "etc/host-up", "../../../../../../../../proc/self/status");
	tree_path(tree, "nosuch", path);
	tree_link(tree, "etc/dangling", path);

	for (size_t i = 0; i < COUNT(inside); i++) {
		assert_reads(tree, inside[i], "inside");
		assert_true(sysroot_exists(&tree->root, inside[i]));
	}
	for (size_t i = 0; i < COUNT(outside); i++) {
		char *value = NULL;

		assert_row(outside[i], !sysroot_exists(&tree->root, outside[i]));
		assert_row(outside[i],
			   sysroot_read_attribute(&tree->root, outside[i], &value) == -ENOENT);
		assert_row(outside[i],
			   sysroot_write_attribute(&tree->root, outside[i], "x") == -ENOENT);
	}
	assert_int_equal(sysroot_openat(&tree->root, "etc/loop", O_RDONLY), -ENOENT);
	tree_link(tree, "etc/loop", "loop");
	assert_int_equal(sysroot_openat(&tree->root, "etc/loop", O_RDONLY), -ELOOP);
}

/* No descriptor is left to a program that is started. */
static void test_close_on_exec(void **state)
{
	const struct tree *tree = *state;
	struct sysroot live = { .fd = -1 };
	struct error err = { 0 };
	int fd;

	assert_true(fcntl(tree->root.fd, F_GETFD) & FD_CLOEXEC);
	tree_file(tree, "file", "x");
	fd = sysroot_openat(&tree->root, "file", O_RDONLY);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	close(fd);
	assert_int_equal(sysroot_open("/", &live, &err), 0);
	fd = sysroot_openat(&live, "proc", O_RDONLY | O_DIRECTORY);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	close(fd);
	sysroot_done(&live);
}

/*
 * openat2(2): with RESOLVE_IN_ROOT, a ".." on the way and any rename on the machine at that moment
 * the call ends with EAGAIN, and is to be tried again.
 */
static void test_renames_elsewhere(void **state)
{
	const struct tree *tree = *state;
	char one[PATH_MAX], two[PATH_MAX];
	struct deadline deadline = deadline_in_ms(1000);
	unsigned tried = 0, failed = 0;
	pid_t pid;

	tree_file(tree, "sys/module/e1000e/version", "1\n");
	tree_link(tree, "sys/device/driver",
		  "../../sys/../sys/../sys/../sys/../sys/../sys/../sys/../sys/module/e1000e");
	tree_file(tree, "one", "x");
	tree_path(tree, "one", one);
	tree_path(tree, "two", two);
	pid = fork();
	if (pid == 0) {
		for (;;) {
			rename(one, two);
			rename(two, one);
		}
	}
	while (!deadline_passed(deadline)) {
		tried++;
		failed += !sysroot_exists(&tree->root, "sys/device/driver/version");
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	if (failed > 0)
		fail_msg("%u of %u openings failed", failed, tried);
}

static void test_read(void **state)
{
	const struct tree *tree = *state;
	char *data = NULL;
	size_t size;

	tree_bytes(tree, "file", "a\0b\n", 4);
	assert_int_equal(sysroot_read(&tree->root, "file", 4, &data, &size), 0);
	assert_int_equal(size, 4);
	assert_memory_equal(data, "a\0b\n", 5);
	free(data);
	data = NULL;
	assert_int_equal(sysroot_read(&tree->root, "file", 3, &data, &size), -EFBIG);
	assert_int_equal(sysroot_read(&tree->root, "nosuch", 3, &data, &size), -ENOENT);
	tree_folder(tree, "folder");
	assert_int_equal(sysroot_read(&tree->root, "folder", 3, &data, &size), -EISDIR);
	assert_null(data);
}

/* A pipe somebody has put in a file's place does not hang the reader. */
static void test_read_fifo(void **state)
{
	const struct tree *tree = *state;
	char path[PATH_MAX];
	char *data = NULL;
	size_t size = 1;

	tree_path(tree, "fifo", path);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(sysroot_read(&tree->root, "fifo", 3, &data, &size), 0);
	assert_int_equal(size, 0);
	free(data);
}

static void test_read_attribute(void **state)
{
	static const struct {
		const char *data;
		size_t size;
		const char *value; /* NULL: -EBADMSG */
	} rows[] = {
		{ "0x10de\n", 7, "0x10de" },
		{ "0x10de", 6, "0x10de" },
		{ "", 0, "" },
		{ "\n", 1, "" },
		{ "a\n\n", 3, "a\n" }, /* its final newline, and no other */
		{ "a b \n", 5, "a b " },
		{ "a\0", 2, NULL },
		{ "\0a\n", 3, NULL },
		{ "\0", 1, NULL },
	};
	const struct tree *tree = *state;
	static char page[ATTRIBUTE_MAX + 1];
	char *value = NULL;

	for (size_t i = 0; i < COUNT(rows); i++) {
		tree_bytes(tree, "attribute", rows[i].data, rows[i].size);
		if (rows[i].value)
			assert_reads(tree, "attribute", rows[i].value);
		else
			assert_int_equal(sysroot_read_attribute(&tree->root, "attribute", &value),
					 -EBADMSG);
	}
	memset(page, 'x', sizeof(page));
	tree_bytes(tree, "attribute", page, ATTRIBUTE_MAX);
	assert_int_equal(sysroot_read_attribute(&tree->root, "attribute", &value), 0);
	assert_int_equal(strlen(value), ATTRIBUTE_MAX);
	free(value);
	value = NULL;
	tree_bytes(tree, "attribute", page, ATTRIBUTE_MAX + 1);
	assert_int_equal(sysroot_read_attribute(&tree->root, "attribute", &value), -EFBIG);
	assert_null(value);
}

static void test_read_hex(void **state)
{
	const struct tree *tree = *state;
	unsigned value = 4711;

	tree_file(tree, "attribute", "0x030000\n");
	assert_int_equal(sysroot_read_hex(&tree->root, "attribute", &value), 0);
	assert_int_equal(value, 0x30000);
	tree_file(tree, "attribute", "-1\n");
	assert_int_equal(sysroot_read_hex(&tree->root, "attribute", &value), -EINVAL);
	tree_file(tree, "attribute", "\n");
	assert_int_equal(sysroot_read_hex(&tree->root, "attribute", &value), -EINVAL);
	assert_int_equal(sysroot_read_hex(&tree->root, "nosuch", &value), -ENOENT);
	assert_int_equal(value, 0x30000);
}

static void test_write_attribute(void **state)
{
	const struct tree *tree = *state;

	/* it makes no file, and cuts none off: sysfs has neither */
	assert_int_equal(sysroot_write_attribute(&tree->root, "attribute", "value"), -ENOENT);
	assert_false(tree_has(tree, "attribute"));
	tree_file(tree, "attribute", "0123456789\n");
	assert_int_equal(sysroot_write_attribute(&tree->root, "attribute", "value"), 0);
	assert_reads(tree, "attribute", "value56789");
	tree_folder(tree, "folder");
	assert_int_equal(sysroot_write_attribute(&tree->root, "folder", "value"), -EISDIR);
	/* the kernel's own answer: this one takes no write at all */
	tree_file(tree, "fifo", "x");
	assert_int_equal(sysroot_write_attribute(&tree->root, "fifo/x", "value"), -ENOTDIR);
}

static int refuse(const struct sysroot *root, const char *path, const char *value)
{
	assert_non_null(root);
	assert_string_equal(path, "attribute");
	assert_string_equal(value, "value");
	return -EBUSY;
}

static void test_fake_write(void **state)
{
	struct tree *tree = *state;

	tree_file(tree, "attribute", "before\n");
	tree->root.fake_write = refuse;
	assert_int_equal(sysroot_write_attribute(&tree->root, "attribute", "value"), -EBUSY);
	assert_reads(tree, "attribute", "before");
}

static void test_link_name(void **state)
{
	const struct tree *tree = *state;
	char long_target[SYSROOT_PATH_MAX + 1];
	char *name = NULL;

	tree_link(tree, "device/driver", "../../../bus/pci/drivers/e1000e");
	assert_int_equal(sysroot_link_name(&tree->root, "device/driver", &name), 0);
	assert_string_equal(name, "e1000e"); /* also where the link leads nowhere */
	free(name);
	tree_link(tree, "device/driver", "e1000e");
	assert_int_equal(sysroot_link_name(&tree->root, "device/driver", &name), 0);
	assert_string_equal(name, "e1000e");
	free(name);
	name = NULL;

	assert_int_equal(sysroot_link_name(&tree->root, "device/nosuch", &name), -ENOENT);
	assert_int_equal(sysroot_link_name(&tree->root, "nosuch/driver", &name), -ENOENT);
	tree_file(tree, "device/file", "x");
	assert_int_equal(sysroot_link_name(&tree->root, "device/file", &name), -ENOENT);
	memset(long_target, 'x', SYSROOT_PATH_MAX);
	long_target[SYSROOT_PATH_MAX] = '\0';
	tree_link(tree, "device/driver", long_target);
	assert_int_equal(sysroot_link_name(&tree->root, "device/driver", &name), -ENAMETOOLONG);
	assert_null(name);
}

static void test_list(void **state)
{
	const struct tree *tree = *state;
	cleanup_strings struct strings names = { 0 };

	tree_file(tree, "folder/b", "x");
	tree_file(tree, "folder/.hidden", "x");
	tree_folder(tree, "folder/a");
	tree_link(tree, "folder/c", "nowhere");
	assert_int_equal(sysroot_list(&tree->root, "folder", &names), 0);
	assert_int_equal(names.count, 4);
	assert_string_equal(names.items[0], ".hidden");
	assert_string_equal(names.items[1], "a");
	assert_string_equal(names.items[2], "b");
	assert_string_equal(names.items[3], "c");
	/* added to what is there */
	assert_int_equal(sysroot_list(&tree->root, "folder/a", &names), 0);
	assert_int_equal(names.count, 4);
	assert_int_equal(sysroot_list(&tree->root, "nosuch", &names), -ENOENT);
	assert_int_equal(sysroot_list(&tree->root, "folder/b", &names), -ENOTDIR);
	assert_int_equal(names.count, 4);
}

/* The machine itself: paths are relative to "/". */
static void test_live(void **state)
{
	struct sysroot root = { .fd = -1 };
	struct error err = { 0 };
	char *value = NULL;

	(void)state;
	assert_int_equal(sysroot_open("/", &root, &err), 0);
	assert_int_equal(sysroot_read_attribute(&root, "proc/sys/kernel/ostype", &value), 0);
	assert_string_equal(value, "Linux");
	free(value);
	assert_false(sysroot_exists(&root, "nosuch/file"));
	sysroot_done(&root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(test_open),
		tree_test(test_stays_inside),
		tree_test(test_close_on_exec),
		tree_test(test_renames_elsewhere),
		tree_test(test_read),
		tree_test(test_read_fifo),
		tree_test(test_read_attribute),
		tree_test(test_read_hex),
		tree_test(test_write_attribute),
		tree_test(test_fake_write),
		tree_test(test_link_name),
		tree_test(test_list),
		tree_test(test_live),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
