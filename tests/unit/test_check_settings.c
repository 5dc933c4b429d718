/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: check/settings.c: found in one situation and absent in another. */
#include "start.h"

#include <fcntl.h>

#define FILE_PATH "etc/pve/pve-vfio/101.json"

#define SECOND                                                                                     \
	"hostpci0: 02:00.0\nsmbios1: uuid=bbbbbbbb-1111-4111-8111-bbbbbbbbbbbb\nmeta: creation-qemu=9.0,ctime=1700000000\n"

static void test_foreign(void **state)
{
	static const struct timespec old[2] = { { .tv_sec = 1600000000 },
						{ .tv_sec = 1600000000 } };
	struct machine *machine = *state;
	const struct tree *tree = &machine->tree;
	char path[PATH_MAX];

	assert_found(machine, check_settings, SECOND, "");
	tree_file(tree, FILE_PATH, "{\"allow\": [\"romfile\"]}");
	assert_found(machine, check_settings, SECOND, "");
	setenv("TZ", "UTC", 1);
	tree_path(tree, FILE_PATH, path);
	assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0);
	assert_found(machine, check_settings, SECOND,
		     "settings-foreign /etc/pve/pve-vfio/101.json: It was last written at "
		     "2020-09-13 12:26, before this VM 101 was created.\n");
	assert_int_equal(check_describe(CHECK_SETTINGS_FOREIGN)->level, LEVEL_WARNING);
	tree_file(tree, FILE_PATH,
		  "{\"vm\": {\"uuid\": \"bbbbbbbb-1111-4111-8111-bbbbbbbbbbbb\"}}");
	assert_found(machine, check_settings, SECOND, "");
	tree_file(tree, FILE_PATH,
		  "{\"vm\": {\"uuid\": \"aaaaaaaa-1111-4111-8111-aaaaaaaaaaaa\"}}");
	assert_found(
		machine, check_settings, SECOND,
		"settings-foreign /etc/pve/pve-vfio/101.json: It was written for a VM 101 "
		"with the UUID aaaaaaaa-1111-4111-8111-aaaaaaaaaaaa, and this one has another.\n");
	tree_file(tree, FILE_PATH, "{\"vm\": {\"ctime\": 7}}");
	assert_found(machine, check_settings, SECOND,
		     "settings-foreign /etc/pve/pve-vfio/101.json: It was written for a VM 101 "
		     "that was created at another time than this one.\n");
}

/* What an earlier VM was allowed, this one is not. */
static void test_allow(void **state)
{
	struct machine *machine = *state;

	tree_file(
		&machine->tree, FILE_PATH,
		"{\"allow\": [\"romfile\"], \"vm\": {\"uuid\": \"aaaaaaaa-1111-4111-8111-aaaaaaaaaaaa\"}}");
	machine_prepare(
		machine,
		"hostpci0: 02:00.0,romfile=nosuch.rom\nsmbios1: uuid=aaaaaaaa-1111-4111-8111-aaaaaaaaaaaa\n");
	assert_int_equal(check_start_run(&machine->start, &machine->findings, &machine->err), 0);
	assert_int_equal(findings_count(&machine->findings, LEVEL_ERROR), 0);
	machine_prepare(
		machine,
		"hostpci0: 02:00.0,romfile=nosuch.rom\nsmbios1: uuid=bbbbbbbb-1111-4111-8111-bbbbbbbbbbbb\n");
	assert_int_equal(check_start_run(&machine->start, &machine->findings, &machine->err), 0);
	assert_int_equal(findings_count(&machine->findings, LEVEL_ERROR), 1);
	assert_int_equal(findings_count(&machine->findings, LEVEL_WARNING), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		machine_test(test_foreign),
		machine_test(test_allow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
