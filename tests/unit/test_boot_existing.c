/* SPDX-License-Identifier: GPL-2.0-or-later */
/* unit: lib/boot/existing.c. */
#include "test.h"
#include "tree.h"

#include "boot/existing.h"

/* Of the lines about modules ours do not count. */
static void test_modules(void **state)
{
	const struct tree *tree = *state;
	cleanup_boot_draft struct boot_draft draft = { 0 };
	cleanup_boot_existing struct boot_existing existing = { 0 };
	cleanup_text struct text found = { 0 };
	struct error err = { 0 };

	tree_file(tree, "etc/modules", "a\n");
	tree_file(tree, "etc/modules-load.d/b.conf", "b\n");
	tree_link(tree, "etc/modules-load.d/modules.conf", "../modules");
	tree_file(tree, "etc/modules-load.d/pve-vfio.conf", "ours\n");
	tree_file(tree, "etc/modprobe.d/c.conf", "blacklist c\n");
	tree_file(tree, "etc/modprobe.d/d.conf.bak", "blacklist d\n");
	tree_file(tree, "etc/modprobe.d/pve-vfio.conf", "blacklist ours\n");
	assert_int_equal(boot_existing_read(&draft, &tree->root, &existing, &err), 0);
	assert_int_equal(existing.conf.count, 3);
	for (size_t i = 0; i < existing.conf.count; i++)
		text_add(&found, "%s %s\n", existing.conf.items[i].path,
			 existing.conf.items[i].module);
	assert_string_equal(found.data, "etc/modules a\netc/modules-load.d/b.conf b\n"
					"etc/modprobe.d/c.conf c\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(test_modules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
