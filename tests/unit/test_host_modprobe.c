/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: host/modprobe.c. */
#include "test.h"
#include "tree.h"

#include "host/modprobe.h"

static void test_lines(void **state)
{
	static const char file[] = "# a remark\n"
				   "blacklist nouveau\n"
				   "  options vfio-pci ids=10de:2484 \\\n disable_vga=1\n"
				   "install vfio-pci /bin/false\n"
				   "softdep nvidia pre: vfio-pci\n"
				   "blacklist\nblacklist \nalias a b\nremove x y\n"
				   "options last";
	struct modprobe modprobe = { 0 };
	const struct modprobe_line *line;

	(void)state;
	assert_int_equal(modprobe_parse("/etc/x.conf", file, strlen(file), &modprobe), 0);
	assert_int_equal(modprobe.count, 5);
	assert_non_null(modprobe_find(&modprobe, MODPROBE_BLACKLIST, "nouveau"));
	assert_null(modprobe_find(&modprobe, MODPROBE_BLACKLIST, "vfio_pci"));
	line = modprobe_find(&modprobe, MODPROBE_OPTIONS, "vfio_pci");
	assert_non_null(line);
	assert_string_equal(line->file, "/etc/x.conf");
	assert_non_null(strstr(line->rest, "ids=10de:2484"));
	assert_non_null(strstr(line->rest, "disable_vga=1"));
	line = modprobe_find(&modprobe, MODPROBE_INSTALL, "vfio-pci");
	assert_non_null(line);
	assert_string_equal(line->rest, "/bin/false");
	assert_string_equal(modprobe_find(&modprobe, MODPROBE_OPTIONS, "last")->rest, "");
	modprobe_done(&modprobe);
}

/* Of two files with one name that of /etc counts; others than *.conf do not. */
static void test_folders(void **state)
{
	const struct tree *tree = *state;
	struct modprobe modprobe = { 0 };

	assert_int_equal(modprobe_read(&tree->root, &modprobe), 0);
	assert_int_equal(modprobe.count, 0);
	tree_file(tree, "etc/modprobe.d/a.conf", "blacklist one\n");
	tree_file(tree, "etc/modprobe.d/a.conf~", "blacklist two\n");
	tree_file(tree, "lib/modprobe.d/a.conf", "blacklist three\n");
	tree_file(tree, "lib/modprobe.d/b.conf", "blacklist four\n");
	assert_int_equal(modprobe_read(&tree->root, &modprobe), 0);
	assert_int_equal(modprobe.count, 2);
	assert_non_null(modprobe_find(&modprobe, MODPROBE_BLACKLIST, "one"));
	assert_non_null(modprobe_find(&modprobe, MODPROBE_BLACKLIST, "four"));
	modprobe_done(&modprobe);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		tree_test(test_folders),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
