/* SPDX-License-Identifier: GPL-2.0-or-later */
/* unit: lib/boot/conf.c. */
#include "test.h"
#include "tree.h"

#include "boot/conf.h"

static void assert_lines(const char *text, bool load, const char *wanted)
{
	static const char *const kinds[] = { "load",	"options", "blacklist",
					     "softdep", "install", "other" };
	cleanup_conf_lines struct conf_lines lines = { 0 };
	cleanup_text struct text found = { 0 };

	assert_int_equal(conf_parse(&lines, "f", text, load), 0);
	for (size_t i = 0; i < lines.count; i++)
		text_add(&found, "%u %s %s|%s|%zu+%zu\n", lines.items[i].line,
			 kinds[lines.items[i].kind], lines.items[i].module, lines.items[i].rest,
			 lines.items[i].offset, lines.items[i].size);
	assert_string_equal(found.data ? found.data : "", wanted);
}

static void test_parse(void **state)
{
	(void)state;
	assert_lines("", false, "");
	assert_lines("# a\n\n  \nblacklist a\n", false, "4 blacklist a||8+12\n");
	assert_lines("options vfio-pci ids=1:2 \\\n  disable_vga=1 \nblacklist b", false,
		     "1 options vfio-pci|ids=1:2     disable_vga=1|0+44\n3 blacklist b||44+11\n");
	assert_lines("softdep a pre: vfio-pci\ninstall i915 /bin/false\nalias x y\r\n", false,
		     "1 softdep a|pre: vfio-pci|0+24\n2 install i915|/bin/false|24+24\n"
		     "3 other x|y|48+11\n");
	assert_lines("blacklist\n", false, "1 blacklist ||0+10\n");
	assert_lines("vfio\n; x\n# y\nkvm nested=1\nz \\\n", true,
		     "1 load vfio||0+5\n4 load kvm|nested=1|13+13\n5 load z||26+4\n");
}

static void test_read(void **state)
{
	const struct tree *tree = *state;
	cleanup_boot_draft struct boot_draft draft = { 0 };
	cleanup_conf_lines struct conf_lines lines = { 0 };
	cleanup_text struct text found = { 0 };
	struct error err = { 0 };

	tree_file(tree, "etc/modules", "a\n");
	tree_file(tree, "etc/modules-load.d/b.conf", "b\n");
	tree_link(tree, "etc/modules-load.d/modules.conf", "../modules");
	tree_file(tree, "etc/modules-load.d/pve-vfio.conf", "ours\n");
	tree_file(tree, "etc/modprobe.d/c.conf", "blacklist c\n");
	tree_file(tree, "etc/modprobe.d/d.conf.bak", "blacklist d\n");
	tree_file(tree, "etc/modprobe.d/pve-vfio.conf", "blacklist ours\n");
	assert_int_equal(conf_read(&draft, &tree->root, &lines, &err), 0);
	for (size_t i = 0; i < lines.count; i++)
		text_add(&found, "%s %s\n", lines.items[i].path, lines.items[i].module);
	assert_string_equal(found.data, "etc/modules a\netc/modules-load.d/b.conf b\n"
					"etc/modprobe.d/c.conf c\n");
}

static void test_options(void **state)
{
	size_t size;

	(void)state;
	assert_string_equal(conf_find_option("a=1 ids=2:3", "ids", &size), "ids=2:3");
	assert_int_equal(size, 7);
	assert_null(conf_find_option("xids=1 idsx=2", "ids", &size));
	assert_string_equal(conf_find_option(" flag b", "flag", &size), "flag b");
	assert_int_equal(size, 4);
	assert_true(conf_same_module("vfio-pci", "vfio_pci"));
	assert_false(conf_same_module("vfio", "vfio_pci"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		tree_test(test_read),
		cmocka_unit_test(test_options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
