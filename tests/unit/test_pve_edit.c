/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: vm/edit.c. */
#include "test.h"

#include "pve/edit.h"

static const char file[] = "#a description\n"
			   "bios: ovmf\n"
			   "biosx: 1\n"
			   "hostpci0: 02:00.0\n"
			   "hostpci2: 04:00.0,pcie=1 \n"
			   "vga: std\n"
			   "\n[snap]\nvga: qxl\nhostpci1: 01:00\n";

static void parse(struct vm_config *config)
{
	assert_int_equal(vm_config_parse(NULL, "file", file, strlen(file), config, NULL), 0);
}

static void test_set(void **state)
{
	cleanup_vm_edit struct vm_edit edit = { 0 };

	(void)state;
	assert_int_equal(vm_edit_set(&edit, "vga", "std", "std", "why"), 0);
	assert_int_equal(edit.count, 0);
	assert_int_equal(vm_edit_set(&edit, "vga", NULL, NULL, NULL), 0);
	assert_int_equal(edit.count, 0);
	assert_int_equal(vm_edit_set(&edit, "vga", "std", "none", "why"), 0);
	assert_int_equal(vm_edit_set(&edit, "cpu", NULL, "host", NULL), 0);
	assert_int_equal(vm_edit_set(&edit, "bios", "ovmf", NULL, NULL), 0);
	assert_int_equal(edit.count, 3);

	/* the first `before` stays, the last wish counts */
	assert_int_equal(vm_edit_set(&edit, "vga", "none", "qxl", NULL), 0);
	assert_text(vm_edit_find(&edit, "vga")->before, "std");
	assert_text(vm_edit_find(&edit, "vga")->after, "qxl");

	/* what comes back to what it was is no change */
	assert_int_equal(vm_edit_set(&edit, "cpu", "host", NULL, NULL), 0);
	assert_null(vm_edit_find(&edit, "cpu"));
	assert_int_equal(vm_edit_set(&edit, "bios", NULL, "ovmf", NULL), 0);
	assert_int_equal(edit.count, 1);
}

static void test_value(void **state)
{
	cleanup_vm_config struct vm_config config = { 0 };
	cleanup_vm_edit struct vm_edit edit = { 0 };

	(void)state;
	parse(&config);
	assert_text(vm_config_value(&config, "vga"), "std");
	assert_text(vm_config_value(&config, "hostpci2"), "04:00.0,pcie=1");
	assert_null(vm_config_value(&config, "hostpci1"));
	assert_null(vm_config_value(&config, "hostpci16"));
	assert_null(vm_config_value(&config, "hostpci"));
	assert_null(vm_config_value(&config, "nosuch"));
	vm_edit_set(&edit, "vga", "std", NULL, NULL);
	assert_null(vm_edit_value(&edit, &config, "vga"));
	assert_text(vm_edit_value(&edit, &config, "bios"), "ovmf");
}

static void test_free_line(void **state)
{
	cleanup_vm_config struct vm_config config = { 0 };
	cleanup_vm_edit struct vm_edit edit = { 0 };

	(void)state;
	parse(&config);
	assert_int_equal(vm_edit_free_hostpci(&edit, &config), 1);
	vm_edit_set(&edit, "hostpci1", NULL, "01:00", NULL);
	assert_int_equal(vm_edit_free_hostpci(&edit, &config), 3);
	vm_edit_set(&edit, "hostpci0", "02:00.0", NULL, NULL);
	assert_int_equal(vm_edit_free_hostpci(&edit, &config), 0);
	for (unsigned i = 0; i < HOSTPCI_COUNT; i++) {
		cleanup_free char *key = text_format("hostpci%u", i);

		vm_edit_set(&edit, key, vm_config_value(&config, key), "01:00", NULL);
	}
	assert_int_equal(vm_edit_free_hostpci(&edit, &config), HOSTPCI_COUNT);
}

static void test_text(void **state)
{
	cleanup_vm_edit struct vm_edit edit = { 0 };
	cleanup_free char *same = vm_edit_text(&edit, file), *text = NULL;

	(void)state;
	assert_text(same, "#a description\nbios: ovmf\nbiosx: 1\nhostpci0: 02:00.0\n"
			  "hostpci2: 04:00.0,pcie=1 \nvga: std\n\n");
	vm_edit_set(&edit, "bios", "ovmf", NULL, NULL);
	vm_edit_set(&edit, "hostpci0", "02:00.0", "01:00", NULL);
	vm_edit_set(&edit, "cpu", NULL, "host", NULL);
	text = vm_edit_text(&edit, file);
	assert_text(text, "hostpci0: 01:00\ncpu: host\n#a description\nbiosx: 1\n"
			  "hostpci2: 04:00.0,pcie=1 \nvga: std\n\n");
}

static void test_words(void **state)
{
	cleanup_strings struct strings words = { 0 };
	cleanup_vm_edit struct vm_edit edit = { 0 };
	static const char *const wanted[] = { "qm",   "set",	  "101",     "--cpu",
					      "host", "--delete", "vga,bios" };

	(void)state;
	vm_edit_set(&edit, "vga", "std", NULL, NULL);
	vm_edit_set(&edit, "cpu", NULL, "host", NULL);
	vm_edit_set(&edit, "bios", "ovmf", NULL, NULL);
	assert_int_equal(vm_edit_words(&edit, 101, &words), 0);
	assert_int_equal(words.count, COUNT(wanted));
	for (size_t i = 0; i < COUNT(wanted); i++)
		assert_text(words.items[i], wanted[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set),	  cmocka_unit_test(test_value),
		cmocka_unit_test(test_free_line), cmocka_unit_test(test_text),
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
