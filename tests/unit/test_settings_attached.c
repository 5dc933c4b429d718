/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: vm/attached.c. */
#include <errno.h>

#include "test.h"
#include "tree.h"

#include "settings/attached.h"

#define FILE_PATH "etc/pve/pve-vfio/101.attached.json"

static void test_round_trip(void **state)
{
	const struct tree *tree = *state;
	struct vm_config config = { 0 };
	cleanup_attached struct attached written = { 0 }, read = { 0 }, nothing = { 0 };
	cleanup_vm_edit struct vm_edit edit = { 0 };
	struct error err = { 0 };

	tree_folder(tree, "etc/pve");
	assert_int_equal(attached_read(&tree->root, 101, &config, &read, &err), -ENOENT);
	vm_edit_set(&edit, "vga", "std", "none", "why");
	vm_edit_set(&edit, "hostpci0", NULL, "01:00,pcie=1", NULL);
	vm_edit_set(&edit, "bios", "ovmf", NULL, NULL);
	assert_int_equal(attached_add(&written, &edit), 0);
	written.chain = strdup("local:snippets/x");
	written.mapping = strdup("gpu");
	assert_int_equal(attached_write(&tree->root, 101, &written, &err), 0);

	assert_int_equal(attached_read(&tree->root, 101, &config, &read, &err), 0);
	assert_int_equal(read.edit.count, 3);
	assert_text(vm_edit_find(&read.edit, "vga")->before, "std");
	assert_text(vm_edit_find(&read.edit, "hostpci0")->before, NULL);
	assert_text(vm_edit_find(&read.edit, "hostpci0")->after, "01:00,pcie=1");
	assert_text(vm_edit_find(&read.edit, "bios")->after, NULL);
	assert_text(read.chain, "local:snippets/x");
	assert_text(read.mapping, "gpu");

	assert_int_equal(attached_write(&tree->root, 101, &nothing, &err), 0);
	assert_false(tree_has(tree, FILE_PATH));
	assert_int_equal(attached_write(&tree->root, 101, &nothing, &err), 0);
}

/* A record of a VM that is gone does not count for a later one with its number. */
static void test_another_vm(void **state)
{
	static const struct {
		const char *then, *now;
		bool same;
	} rows[] = {
		{ "smbios1: uuid=3c5d9a1e-6a3f-4f0e-9b0e-1f2e3d4c5b6a\n",
		  "smbios1: uuid=3c5d9a1e-6a3f-4f0e-9b0e-1f2e3d4c5b6a\n", true },
		{ "smbios1: uuid=3c5d9a1e-6a3f-4f0e-9b0e-1f2e3d4c5b6a\n",
		  "smbios1: base64=1,uuid=3c5d9a1e-6a3f-4f0e-9b0e-1f2e3d4c5b6a,serial=x\n", true },
		{ "", "smbios1: serial=x\n", true },
		{ "", "", true },
		{ "smbios1: uuid=3c5d9a1e-6a3f-4f0e-9b0e-1f2e3d4c5b6a\n",
		  "smbios1: uuid=3c5d9a1e-6a3f-4f0e-9b0e-1f2e3d4c5b6b\n", false },
		{ "smbios1: uuid=3c5d9a1e-6a3f-4f0e-9b0e-1f2e3d4c5b6a\n",
		  "smbios1: uuid=3c5d9a1e-6a3f-4f0e-9b0e-1f2e3d4c5b6c\n", false },
		{ "smbios1: uuid=3c5d9a1e-6a3f-4f0e-9b0e-1f2e3d4c5b6a\n", "", false },
		{ "", "smbios1: uuid=3c5d9a1e-6a3f-4f0e-9b0e-1f2e3d4c5b6a\n", false },
	};
	const struct tree *tree = *state;

	tree_folder(tree, "etc/pve");
	for (size_t i = 0; i < COUNT(rows); i++) {
		cleanup_vm_config struct vm_config then = { 0 }, now = { 0 };
		cleanup_attached struct attached written = { 0 }, read = { 0 };

		vm_config_parse(NULL, "then", rows[i].then, strlen(rows[i].then), &then, NULL);
		vm_config_parse(NULL, "now", rows[i].now, strlen(rows[i].now), &now, NULL);
		vm_edit_set(&written.edit, "vga", "std", "none", NULL);
		assert_int_equal(attached_name(&written, &then), 0);
		assert_int_equal(attached_write(&tree->root, 101, &written, NULL), 0);
		assert_row(rows[i].now, attached_read(&tree->root, 101, &now, &read, NULL) ==
						(rows[i].same ? 0 : -ENOENT));
	}
}

/* What a second attach changes again keeps the value of before the first. */
static void test_add(void **state)
{
	cleanup_vm_edit struct vm_edit first = { 0 }, second = { 0 };
	cleanup_attached struct attached attached = { 0 };

	(void)state;
	vm_edit_set(&first, "hostpci0", NULL, "01:00", NULL);
	vm_edit_set(&first, "vga", "std", "none", NULL);
	vm_edit_set(&second, "hostpci0", "01:00", "01:00,pcie=1", NULL);
	vm_edit_set(&second, "vga", "none", "std", NULL);
	assert_int_equal(attached_add(&attached, &first), 0);
	assert_int_equal(attached_add(&attached, &second), 0);
	assert_int_equal(attached.edit.count, 1);
	assert_text(attached.edit.items[0].before, NULL);
	assert_text(attached.edit.items[0].after, "01:00,pcie=1");
}

/* What was changed by another hand in between is what detach brings back. */
static void test_add_after_another(void **state)
{
	cleanup_vm_edit struct vm_edit first = { 0 }, second = { 0 };
	cleanup_attached struct attached attached = { 0 };

	(void)state;
	vm_edit_set(&first, "vga", "std", "none", NULL);
	vm_edit_set(&second, "vga", "qxl", "none", NULL);
	assert_int_equal(attached_add(&attached, &first), 0);
	assert_int_equal(attached_add(&attached, &second), 0);
	assert_int_equal(attached.edit.count, 1);
	assert_text(attached.edit.items[0].before, "qxl");
	assert_text(attached.edit.items[0].after, "none");
}

static void test_refused(void **state)
{
	static const char *const rows[] = {
		"",
		"[]",
		"{}",
		"{\"version\": 2, \"changes\": []}",
		"{\"version\": 1}",
		"{\"version\": 1, \"changes\": [], \"uuid\": 1}",
		"{\"version\": 1, \"changes\": {}}",
		"{\"version\": 1, \"changes\": [1]}",
		"{\"version\": 1, \"changes\": [{\"key\": 1}]}",
		"{\"version\": 1, \"changes\": [{\"key\": \"a\", \"after\": 1}]}",
		"{\"version\": 1, \"changes\": [{\"key\": \"a\", \"after\": \"1\"},"
		" {\"key\": \"a\", \"after\": \"2\"}]}",
		"{\"version\": 1, \"changes\": [], \"chain\": []}",
		"{\"version\": 1, \"changes\": [], \"mapping\": 1}",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct attached attached = { 0 };
		struct error err = { 0 };

		assert_row(rows[i], attached_parse("FILE", rows[i], strlen(rows[i]), &attached,
						   &err) == -EBADMSG);
		assert_row(rows[i], strstr(err.message, "FILE"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(test_round_trip),	tree_test(test_another_vm),
		cmocka_unit_test(test_add),	cmocka_unit_test(test_add_after_another),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
