/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The checks of disks. */
#include "test_check_topic.h"

#define ADDRESS "0000:01:00.0"
#define FOLDER	"devices/pci0000:00/" ADDRESS "/block/sda"

static void build(const struct tree *tree, struct check_case *check, unsigned class_code,
		  const char *mountinfo)
{
	tree_add_device(tree,
			&(struct tree_device){ .address = ADDRESS, .class_code = class_code });
	tree_file(tree, "sys/" FOLDER "/dev", "8:0\n");
	tree_link(tree, "sys/class/block/sda", "../../" FOLDER);
	tree_file(tree, "proc/1/mountinfo", "%s", mountinfo);
	check_add(tree, check, ADDRESS);
}

#define MOUNTED "50 22 8:0 / /srv rw - ext4 /dev/sda rw\n"

static void a_mounted_disk_is_an_error(void **state)
{
	struct check_case check = { 0 };

	build(*state, &check, 0x010600, MOUNTED);
	check_run(*state, &check, check_storage);
	assert_int_equal(check.findings.count, 1);
	check_expect(&check, 0, "storage-in-use", LEVEL_ERROR, ADDRESS, "sda is mounted on /srv.");
	check_over(&check);
}

static void the_disk_that_the_host_runs_from_is_not_to_be_unmounted(void **state)
{
	struct check_case check = { 0 };

	build(*state, &check, 0x010600, "50 22 8:0 / /boot/efi rw - vfat /dev/sda rw\n");
	check_run(*state, &check, check_storage);
	check_expect(&check, 0, "storage-in-use", LEVEL_ERROR, ADDRESS,
		     "sda is mounted on /boot/efi.");
	assert_non_null(
		strstr(finding_remedy(&check.findings.items[0]), "give VM 101 another device"));
	check_over(&check);
	build(*state, &check, 0x010600, "50 22 8:0 / /boot/data rw - ext4 /dev/sda rw\n");
	check_run(*state, &check, check_storage);
	assert_non_null(strstr(finding_remedy(&check.findings.items[0]), "Unmount it"));
	check_over(&check);
}

static void on_a_usb_controller_it_has_its_own_id(void **state)
{
	struct check_case check = { 0 };

	build(*state, &check, 0x0c0330, MOUNTED);
	check_run(*state, &check, check_storage);
	assert_int_equal(check.findings.count, 1);
	check_expect(&check, 0, "usb-storage-in-use", LEVEL_ERROR, ADDRESS,
		     "sda is mounted on /srv.");
	check_over(&check);
}

static void an_idle_disk_is_fine(void **state)
{
	struct check_case check = { 0 };

	build(*state, &check, 0x010600, "");
	check_run(*state, &check, check_storage);
	assert_int_equal(check.findings.count, 0);
	check_over(&check);
}

static void what_cannot_be_told_is_an_error(void **state)
{
	struct check_case check = { 0 };

	build(*state, &check, 0x010600, "");
	tree_remove(*state, "proc/1/mountinfo");
	check_run(*state, &check, check_storage);
	assert_int_equal(check.findings.count, 1);
	check_expect(
		&check, 0, "storage-in-use", LEVEL_ERROR, ADDRESS,
		"It cannot be determined whether the host uses its disks: cannot read the mounts in "
		"/proc/1/mountinfo: No such file or directory.");
	check_over(&check);
}

static void long_evidence_is_cut(void **state)
{
	struct tree *tree = *state;
	struct check_case check = { 0 };

	build(tree, &check, 0x010600, "");
	for (int i = 0; i < 9; i++) {
		char path[PATH_MAX];

		tree_format(path, "sys/" FOLDER "/holders/dm-%d", i);
		tree_folder(tree, path);
		tree_format(path, "sys/class/block/dm-%d/dm/name", i);
		tree_file(tree, path, "v%d\n", i);
	}
	check_run(tree, &check, check_storage);
	assert_int_equal(check.findings.count, 1);
	assert_non_null(strstr(check.findings.items[0].evidence,
			       "sda belongs to the device-mapper device v5; and 3 more."));
	check_over(&check);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(a_mounted_disk_is_an_error),
		tree_test(the_disk_that_the_host_runs_from_is_not_to_be_unmounted),
		tree_test(on_a_usb_controller_it_has_its_own_id),
		tree_test(an_idle_disk_is_fine),
		tree_test(what_cannot_be_told_is_an_error),
		tree_test(long_evidence_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
