/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The mounts in mountinfo. */
#include "test.h"
#include "tree.h"
#include "use/mount.h"

static void lines_of_every_kind(void **state)
{
	struct tree *tree = *state;
	struct mounts mounts = { 0 };

	tree_file(tree, "proc/1/mountinfo", "%s",
		  "36 35 98:0 /sub /mnt1 rw,noatime master:1 shared:7 - ext3 /dev/root rw\n"
		  "37 35 0:5 / /a\\134b\\011c rw - tmpfs none rw\n"
		  "38 35 98:1 / /bad\\09\\8 rw - ext4 /dev/with\\040blank rw\n"
		  "39 35 98:2 / /cut\n"
		  "40 35 98:3 / /cut rw master:1\n"
		  "41 35 98:4 / /cut rw - ext4\n"
		  "42");
	assert_int_equal(mounts_read(&tree->root, &mounts, NULL), 0);
	assert_int_equal(mounts.count, 3);
	assert_string_equal(mounts.items[0].number, "98:0");
	assert_string_equal(mounts.items[0].point, "/mnt1");
	assert_string_equal(mounts.items[0].source, "/dev/root");
	assert_string_equal(mounts.items[1].point, "/a\\b\tc");
	assert_string_equal(mounts.items[2].point, "/bad\\09\\8");
	assert_string_equal(mounts.items[2].source, "/dev/with blank");

	assert_ptr_equal(mount_find(&mounts, "98:1", "/dev/x"), &mounts.items[2]);
	assert_ptr_equal(mount_find(&mounts, "8:0", "/dev/root"), &mounts.items[0]);
	assert_null(mount_find(&mounts, "98:2", "/dev/x"));
	mounts_done(&mounts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(lines_of_every_kind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
