/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which processes have device nodes open. */
#include <errno.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "test.h"
#include "tree.h"
#include "use/opener.h"

static void each_process_and_node_counts_once(void **state)
{
	struct openings openings = { 0 };
	struct tree *tree = *state;

	tree_process(tree, 9, "kvm", 0);
	tree_process_opens(tree, 9, 3, "/dev/sda");
	tree_process_opens(tree, 9, 4, "/dev/sda");
	tree_process_opens(tree, 9, 5, "/dev/dm-0");
	tree_process_opens(tree, 9, 6, "/dev/sdb (deleted)");
	tree_process_opens(tree, 9, 7, "pipe:[1]");
	tree_process_opens(tree, 9, 8, "/var/log/messages");
	tree_process_opens(tree, 9, 9, "/dev/null");
	tree_process_opens(tree, 9, 10, "/dev/pts/0");
	tree_process(tree, 100, "dd", 0);
	tree_process_opens(tree, 100, 3, "/dev/sda");
	tree_folder(tree, "proc/10");
	tree_folder(tree, "proc/99999999999/fd");
	tree_folder(tree, "proc/sys/fd");
	openings_read(&tree->root, &openings);
	assert_int_equal(openings.unseen, 0);
	assert_int_equal(openings.count, 4);
	assert_int_equal(openings.items[0].pid, 9);
	assert_string_equal(openings.items[0].path, "/dev/dm-0");
	assert_string_equal(openings.items[1].path, "/dev/sda");
	assert_string_equal(openings.items[2].path, "/dev/sdb");
	assert_int_equal(openings.items[3].pid, 100);
	openings_done(&openings);
}

/* A tree can have links, and where root makes it, a device. */
static void a_path_is_followed(void **state)
{
	struct openings openings = { 0 };
	struct tree *tree = *state;
	char path[PATH_MAX];
	bool has_device;

	tree_file(tree, "dev/dri/renderD128", "%s", "");
	tree_link(tree, "dev/dri/by-path/pci-0000:01:00.0-render", "../renderD128");
	tree_link(tree, "dev/serial/by-id/stick", "../../ttyUSB0"); /* leads to nothing */
	tree_folder(tree, "srv");
	tree_path(tree, "srv/gpu", path);
	has_device = mknod(path, S_IFCHR | 0600, makedev(226, 128)) == 0;
	tree_process(tree, 9, "x", 0);
	tree_process_opens(tree, 9, 3, "/dev/dri/by-path/pci-0000:01:00.0-render");
	tree_process_opens(tree, 9, 4, "/dev/serial/by-id/stick");
	tree_process_opens(tree, 9, 5, "/srv/gpu");
	openings_read(&tree->root, &openings);
	assert_int_equal(openings.count, has_device ? 3 : 2);
	assert_string_equal(openings.items[0].path, "/dev/dri/renderD128");
	assert_string_equal(openings.items[1].path, "/dev/ttyUSB0");
	if (has_device) {
		assert_int_equal(openings.items[2].id.type, 'c');
		assert_int_equal(openings.items[2].id.major, 226);
		assert_int_equal(openings.items[2].id.minor, 128);
	}
	openings_done(&openings);
}

/* On the machine itself: a node is known by its number. */
static void the_machine_has_numbers(void **state)
{
	int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	struct openings openings = { 0 };
	struct sysroot root = { .fd = -1 };
	struct error err = { 0 };
	struct stat status;
	bool found = false;

	(void)state;
	if (fd < 0 || fstat(fd, &status) < 0 || !S_ISCHR(status.st_mode) || geteuid() != 0)
		skip();
	assert_int_equal(sysroot_open("/", &root, &err), 0);
	assert_true(root.live);
	openings_read(&root, &openings);
	assert_int_equal(openings.unseen, 0);
	for (size_t i = 0; i < openings.count; i++)
		found |= openings.items[i].pid == getpid() && openings.items[i].id.type == 'c' &&
			 openings.items[i].id.major == major(status.st_rdev) &&
			 openings.items[i].id.minor == minor(status.st_rdev);
	assert_true(found);
	openings_done(&openings);
	sysroot_done(&root);
	close(fd);
}

static void one_can_be_taken_out(void **state)
{
	struct openings openings = { 0 }, own = { 0 };
	struct tree *tree = *state;

	for (int pid = 9; pid < 12; pid++) {
		tree_process(tree, pid, "x", 0);
		tree_process_opens(tree, pid, 3, "/dev/sda");
	}
	openings_read(&tree->root, &openings);
	assert_int_equal(openings_take(&openings, 10, &own), 0);
	assert_int_equal(openings.count, 2);
	assert_int_equal(openings.items[1].pid, 11);
	assert_int_equal(own.count, 1);
	assert_int_equal(own.items[0].pid, 10);
	openings_done(&own);
	openings_done(&openings);
}

static void without_all_of_them_nothing_is_known(void **state)
{
	struct openings openings = { 0 };
	struct tree *tree = *state;

	tree_file(tree, "proc/9/fd", "%s", "");
	openings_read(&tree->root, &openings);
	assert_int_equal(openings.unseen, -ENOTDIR);
	assert_int_equal(openings.count, 0);
	assert_string_equal(openings.why.message,
			    "cannot read which files the processes have open: Not a directory");
}

/* So many that several look: what each has found counts, and where one could not look nothing does. */
static void a_crowd_is_shared_out(void **state)
{
	struct openings openings = { 0 };
	struct tree *tree = *state;
	char path[64];

	for (int pid = 3; pid < 1303; pid++) {
		snprintf(path, sizeof(path), "proc/%d/fd", pid);
		tree_folder(tree, path);
		snprintf(path, sizeof(path), "proc/%d/exe", pid);
		tree_link(tree, path, "/usr/bin/worker");
	}
	for (int pid = 9; pid < 13; pid++) {
		tree_process_opens(tree, pid, 3, "/dev/sdb");
		tree_process_opens(tree, pid, 4, "/dev/sda");
		tree_process_opens(tree, pid, 5, "/dev/sda");
	}
	tree_process_opens(tree, 1302, 7, "/dev/nvme0n1");
	openings_read(&tree->root, &openings);
	assert_int_equal(openings.unseen, 0);
	assert_int_equal(openings.count, 9);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(openings.items[2 * i].pid, 9 + i);
		assert_string_equal(openings.items[2 * i].path, "/dev/sda");
		assert_string_equal(openings.items[2 * i + 1].path, "/dev/sdb");
	}
	assert_int_equal(openings.items[8].pid, 1302);
	assert_string_equal(openings.items[8].path, "/dev/nvme0n1");
	openings_done(&openings);

	tree_file(tree, "proc/1400/fd", "%s", "");
	openings_read(&tree->root, &openings);
	assert_int_equal(openings.unseen, -ENOTDIR);
	assert_int_equal(openings.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(each_process_and_node_counts_once),	 tree_test(a_path_is_followed),
		cmocka_unit_test(the_machine_has_numbers),	 tree_test(one_can_be_taken_out),
		tree_test(without_all_of_them_nothing_is_known), tree_test(a_crowd_is_shared_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
