/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: pve/section.c, files of sections as Proxmox VE reads them. */
#include "test.h"

#include "pve/section.h"
#include "tree.h"

static void test_read(void **state)
{
	cleanup_sections struct sections sections = { 0 };
	const struct tree *tree = *state;

	tree_file(tree, "etc/pve/jobs.cfg", "%s",
		  "vzdump: backup-1\n\tall 1\n\texclude 100,102\n  enabled  0  \n\t\n"
		  "not a header\n"
		  "vzdump: two\n\tfleecing\n\n"
		  "\tvmid 7\n");
	assert_int_equal(sections_read(&tree->root, "etc/pve/nosuch", &sections), 0);
	assert_int_equal(sections.count, 0);
	assert_int_equal(sections_read(&tree->root, "etc/pve/jobs.cfg", &sections), 0);
	assert_int_equal(sections.count, 2);
	assert_text(sections.items[0].type, "vzdump");
	assert_text(sections.items[0].name, "backup-1");
	assert_text(section_get(&sections.items[0], "exclude"), "100,102");
	assert_null(section_get(&sections.items[0], "vmid"));
	assert_true(section_is_on(&sections.items[0], "all", false));
	assert_false(section_is_on(&sections.items[0], "enabled", true));
	assert_true(section_is_on(&sections.items[0], "nosuch", true));
	assert_text(section_get(&sections.items[1], "fleecing"), "");
	assert_null(section_get(&sections.items[1], "vmid"));
}

static void test_list(void **state)
{
	(void)state;
	assert_true(list_has_word("100", "100", false));
	assert_true(list_has_word("99, 100;101", "100", false));
	assert_false(list_has_word("1000,10", "100", false));
	assert_false(list_has_word("", "100", false));
	assert_true(list_has_word("pve1:2,pve2", "pve1", true));
	assert_false(list_has_word("pve10:2", "pve1", true));
	assert_false(list_has_word("vm:100", "vm", false));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(test_read),
		cmocka_unit_test(test_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
