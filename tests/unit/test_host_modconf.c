/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: host/modconf.c. */
#include "test.h"
#include "tree.h"

#include "host/modconf.h"

static void assert_lines(const char *text, bool load, const char *wanted)
{
	static const char *const kinds[] = { "load",	"options", "blacklist",
					     "softdep", "install", "other" };
	cleanup_modconf struct modconf conf = { 0 };
	cleanup_text struct text found = { 0 };

	assert_int_equal(modconf_parse(&conf, "f", text, load), 0);
	for (size_t i = 0; i < conf.count; i++)
		text_add(&found, "%u %s %s|%s|%zu+%zu\n", conf.items[i].line,
			 kinds[conf.items[i].kind], conf.items[i].module, conf.items[i].rest,
			 conf.items[i].offset, conf.items[i].size);
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
		     "3 other x|y\r|48+11\n");
	assert_lines("blacklist\n", false, "1 blacklist ||0+10\n");
	assert_lines("vfio\r\n; x\n# y\nkvm nested=1\nz \\\n", true,
		     "1 load vfio||0+6\n4 load kvm|nested=1|14+13\n5 load z||27+4\n");
}

static void test_find(void **state)
{
	static const char file[] = "# a remark\n"
				   "blacklist nouveau\n"
				   "  options vfio-pci ids=10de:2484 \\\n disable_vga=1\n"
				   "install vfio-pci /bin/false\n"
				   "softdep nvidia pre: vfio-pci\n"
				   "blacklist\nblacklist \nalias a b\nremove x y\n"
				   "options last";
	cleanup_modconf struct modconf conf = { 0 };
	const struct modconf_line *line;

	(void)state;
	assert_int_equal(modconf_parse(&conf, "/etc/x.conf", file, false), 0);
	assert_int_equal(conf.count, 9);
	assert_non_null(modconf_find(&conf, MODCONF_BLACKLIST, "nouveau"));
	assert_null(modconf_find(&conf, MODCONF_BLACKLIST, "vfio_pci"));
	line = modconf_find(&conf, MODCONF_OPTIONS, "vfio_pci");
	assert_non_null(line);
	assert_string_equal(line->path, "/etc/x.conf");
	assert_non_null(strstr(line->rest, "ids=10de:2484"));
	assert_non_null(strstr(line->rest, "disable_vga=1"));
	line = modconf_find(&conf, MODCONF_INSTALL, "vfio-pci");
	assert_non_null(line);
	assert_string_equal(line->rest, "/bin/false");
	assert_string_equal(modconf_find(&conf, MODCONF_OPTIONS, "last")->rest, "");
}

static void test_options(void **state)
{
	size_t size;

	(void)state;
	assert_string_equal(modconf_find_option("a=1 ids=2:3", "ids", &size), "ids=2:3");
	assert_int_equal(size, 7);
	assert_null(modconf_find_option("xids=1 idsx=2", "ids", &size));
	assert_string_equal(modconf_find_option(" flag b", "flag", &size), "flag b");
	assert_int_equal(size, 4);
	assert_true(modconf_same_module("vfio-pci", "vfio_pci"));
	assert_false(modconf_same_module("vfio", "vfio_pci"));
}

/* Of two files with one name that of /etc counts; others than *.conf do not. */
static void test_folders(void **state)
{
	const struct tree *tree = *state;
	cleanup_modconf struct modconf conf = { 0 };

	assert_int_equal(modconf_read(&tree->root, &conf), 0);
	assert_int_equal(conf.count, 0);
	tree_file(tree, "etc/modprobe.d/a.conf", "blacklist one\n");
	tree_file(tree, "etc/modprobe.d/a.conf~", "blacklist two\n");
	tree_file(tree, "lib/modprobe.d/a.conf", "blacklist three\n");
	tree_file(tree, "lib/modprobe.d/b.conf", "blacklist four\n");
	assert_int_equal(modconf_read(&tree->root, &conf), 0);
	assert_int_equal(conf.count, 2);
	assert_non_null(modconf_find(&conf, MODCONF_BLACKLIST, "one"));
	assert_non_null(modconf_find(&conf, MODCONF_BLACKLIST, "four"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_options),
		tree_test(test_folders),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
