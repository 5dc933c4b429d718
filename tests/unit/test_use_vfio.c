/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: use/vfio.c. */
#include "test.h"
#include "tree.h"

#include "use/vfio.h"

static void find(const struct tree *tree, pid_t pid, struct vfio_holders *holders)
{
	struct error err = { 0 };

	if (vfio_holders_find(&tree->root, pid, holders, &err) != 0)
		fail_msg("%s", err.message);
}

static void build(const struct tree *tree)
{
	tree_process(tree, 1, "systemd", 0);
	tree_process(tree, 300, "kvm", 0);
	tree_process_opens(tree, 300, 0, "/dev/null");
	tree_process_opens(tree, 300, 1, "pipe:[4711]");
	tree_process_opens(tree, 300, 20, "/dev/vfio/vfio");
	tree_process_opens(tree, 300, 21, "/dev/vfio/14");
	tree_process_opens(tree, 300, 22, "/dev/vfio/15");
	tree_process_opens(tree, 300, 23, "/dev/vfio/14"); /* twice: one holder */
	tree_process_opens(tree, 300, 24, "anon_inode:[vfio-device]");
	tree_process(tree, 400, "other", 0);
	tree_process_opens(tree, 400, 3, "/dev/vfio/16");
	tree_folder(tree, "proc/sys");
	tree_file(tree, "proc/uptime", "1 2\n");
}

static void test_find_all(void **state)
{
	cleanup_vfio_holders struct vfio_holders holders = { 0 };
	const struct tree *tree = *state;
	const struct vfio_holder *holder;

	build(tree);
	find(tree, 0, &holders);
	assert_int_equal(holders.count, 3);
	holder = vfio_holder_of(&holders, 14);
	assert_int_equal(holder->pid, 300);
	assert_int_equal(holder->group, 14);
	assert_string_equal(holder->command, "kvm");
	assert_int_equal(vfio_holder_of(&holders, 15)->pid, 300);
	assert_int_equal(vfio_holder_of(&holders, 16)->pid, 400);
	assert_string_equal(vfio_holder_of(&holders, 16)->command, "other");
	assert_null(vfio_holder_of(&holders, 1));
	assert_null(vfio_holder_of(&holders, IOMMU_GROUP_NONE));
}

static void test_find_one_process(void **state)
{
	cleanup_vfio_holders struct vfio_holders holders = { 0 };
	const struct tree *tree = *state;

	build(tree);
	find(tree, 400, &holders);
	assert_int_equal(holders.count, 1);
	assert_int_equal(holders.items[0].group, 16);
	vfio_holders_done(&holders);
	find(tree, 1, &holders);
	assert_int_equal(holders.count, 0);
	vfio_holders_done(&holders);
	find(tree, 999, &holders); /* gone */
	assert_int_equal(holders.count, 0);
}

/* What is only alike: not a group's node. */
static void test_other_links(void **state)
{
	static const char *const links[] = {
		"/dev/vfio/vfio",	 "/dev/vfio/",
		"/dev/vfio/14x",	 "/dev/vfio/devices/vfio9",
		"/dev/vfio/devices/",	 "/dev/vfio/-1",
		"/dev/vfio/99999999999", "/dev/vfio/2147483648",
		"/tmp/dev/vfio/14",	 "dev/vfio/14",
		"/dev/vfioX/14",	 "/dev/vfio/0x14",
	};
	cleanup_vfio_holders struct vfio_holders holders = { 0 };
	const struct tree *tree = *state;

	tree_process(tree, 300, "kvm", 0);
	for (size_t i = 0; i < COUNT(links); i++)
		tree_process_opens(tree, 300, (int)i, links[i]);
	find(tree, 0, &holders);
	assert_int_equal(holders.count, 0);
}

static void test_order(void **state)
{
	static const int pids[] = { 9, 10, 100, 99, 1000000 };
	static const int ordered[] = { 9, 10, 99, 100, 1000000 };
	cleanup_vfio_holders struct vfio_holders holders = { 0 };
	const struct tree *tree = *state;

	for (size_t i = 0; i < COUNT(pids); i++) {
		tree_process(tree, pids[i], "kvm", 0);
		tree_process_opens(tree, pids[i], 3, "/dev/vfio/14");
	}
	find(tree, 0, &holders);
	assert_int_equal(holders.count, COUNT(ordered));
	for (size_t i = 0; i < COUNT(ordered); i++)
		assert_int_equal(holders.items[i].pid, ordered[i]);
	assert_int_equal(vfio_holder_of(&holders, 14)->pid, 9);
}

/* A process without a name, or with one that is too long for its room. */
static void test_names(void **state)
{
	cleanup_vfio_holders struct vfio_holders holders = { 0 };
	const struct tree *tree = *state;
	char name[200];

	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	tree_process(tree, 300, name, 0);
	tree_process_opens(tree, 300, 3, "/dev/vfio/14");
	tree_process(tree, 301, "kvm", 0);
	tree_process_opens(tree, 301, 3, "/dev/vfio/15");
	tree_remove(tree, "proc/301/comm");
	find(tree, 0, &holders);
	assert_int_equal(holders.count, 2);
	assert_int_equal(strlen(vfio_holder_of(&holders, 14)->command),
			 sizeof(holders.items[0].command) - 1);
	assert_string_equal(vfio_holder_of(&holders, 15)->command, "");
}

/* One that cannot be looked at may be a holder: an error, not a pass. */
static void test_cannot_tell(void **state)
{
	struct vfio_holders holders = { 0 };
	const struct tree *tree = *state;
	struct error err = { 0 };

	assert_int_equal(vfio_holders_find(&tree->root, 0, &holders, &err), -ENOENT);
	assert_string_equal(
		err.message,
		"cannot tell which processes hold VFIO devices: No such file or directory");
	tree_process(tree, 300, "kvm", 0);
	tree_remove(tree, "proc/300/fd");
	tree_file(tree, "proc/300/fd", "no folder");
	assert_int_equal(vfio_holders_find(&tree->root, 0, &holders, &err), -ENOTDIR);
	assert_int_equal(vfio_holders_find(&tree->root, 300, &holders, &err), -ENOTDIR);
	assert_int_equal(holders.count, 0);
}

/* It was listed, and then there was no descriptor left for its folder: no error once, and no holder. */
static void test_cannot_open(void **state)
{
	static const char *const paths[] = { "proc/300/fd", "sys/bus/pci/devices",
					     "sys/bus/pci/devices/0000:01:00.0/vfio-dev/vfio1",
					     "sys/bus/pci/devices/0000:01:00.0/iommu_group" };
	struct vfio_holders holders = { 0 };
	struct tree *tree = *state;
	struct error err = { 0 };

	tree_process(tree, 300, "kvm", 0);
	tree_process_opens(tree, 300, 21, "/dev/vfio/devices/vfio1");
	tree_add_device(tree, &(struct tree_device){ "0000:01:00.0", .group = 14 });
	tree_file(tree, "sys/bus/pci/devices/0000:01:00.0/vfio-dev/vfio1/dev", "510:1\n");
	for (size_t i = 0; i < COUNT(paths); i++) {
		tree_refuse(tree, paths[i], i == 0 ? 2 : 1, -EMFILE);
		assert_int_equal(vfio_holders_find(&tree->root, 300, &holders, &err), -EMFILE);
		assert_int_equal(vfio_holders_find(&tree->root, 0, &holders, &err), -EMFILE);
	}
	tree_refuse(tree, NULL, 0, 0);
	find(tree, 300, &holders);
	assert_non_null(vfio_holder_of(&holders, 14));
	vfio_holders_done(&holders);
}

/* The forms that are not a plain group's node. */
static void test_forms(void **state)
{
	cleanup_vfio_holders struct vfio_holders holders = { 0 };
	const struct tree *tree = *state;

	tree_add_device(tree, &(struct tree_device){ "0000:01:00.0", .group = 14 });
	tree_add_device(tree, &(struct tree_device){ "0000:02:00.0", .group = 15 });
	tree_folder(tree, "sys/devices/pci0000:00/0000:01:00.0/vfio-dev/vfio10");
	tree_folder(tree, "sys/devices/pci0000:00/0000:02:00.0/vfio-dev/vfio1");
	tree_process(tree, 300, "kvm", 0);
	tree_process_opens(tree, 300, 3, "/dev/vfio/devices/vfio1");
	tree_process(tree, 301, "kvm", 0);
	tree_process_opens(tree, 301, 3, "/dev/vfio/devices/vfio10 (deleted)");
	tree_process(tree, 302, "kvm", 0);
	tree_process_opens(tree, 302, 3, "/dev/vfio/16 (deleted)");
	tree_process(tree, 303, "dpdk", 0);
	tree_process_opens(tree, 303, 3, "/dev/vfio/noiommu-17");
	find(tree, 0, &holders);
	assert_int_equal(holders.count, 4);
	assert_int_equal(vfio_holder_of(&holders, 15)->pid, 300);
	assert_int_equal(vfio_holder_of(&holders, 14)->pid, 301);
	assert_int_equal(vfio_holder_of(&holders, 16)->pid, 302);
	assert_int_equal(vfio_holder_of(&holders, 17)->pid, 303);
}

static bool is_open(const struct tree *tree, int group)
{
	cleanup_vfio_sight struct vfio_sight sight = { 0 };

	return vfio_group_is_open(&tree->root, group, &sight);
}

/* A node that is open already cannot be played by a file: tests/fake and tests/vm have it. */
static void test_group_is_open(void **state)
{
	const struct tree *tree = *state;

	assert_false(is_open(tree, 14));
	tree_bytes(tree, "dev/vfio/14", "", 0);
	assert_false(is_open(tree, 14));
	assert_false(is_open(tree, IOMMU_GROUP_NONE));
	/* with device nodes it is a question of who has them, and /proc cannot be read here */
	tree_folder(tree, "dev/vfio/devices");
	assert_true(is_open(tree, 14));
	tree_process(tree, 300, "kvm", 0);
	tree_process_opens(tree, 300, 3, "/dev/vfio/15");
	assert_false(is_open(tree, 14));
	assert_true(is_open(tree, 15));
	assert_false(is_open(tree, IOMMU_GROUP_NONE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(test_find_all),      tree_test(test_find_one_process),
		tree_test(test_other_links),   tree_test(test_order),
		tree_test(test_forms),	       tree_test(test_names),
		tree_test(test_cannot_tell),   tree_test(test_cannot_open),
		tree_test(test_group_is_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
