/* SPDX-License-Identifier: GPL-2.0-or-later */
/* unit: lib/boot/record.c. */
#include "test.h"
#include "tree.h"

#include "boot/record.h"

#define PATH RECORD_FOLDER "/" RECORD_NAME

static void test_round_trip(void **state)
{
	const struct tree *tree = *state;
	cleanup_record struct record record = { .exists = true, .pending = true };
	cleanup_record struct record read = { 0 };
	cleanup_boot_draft struct boot_draft draft = { 0 };
	cleanup_free char *original = NULL;
	struct boot_file *file;
	struct error err = { 0 };
	char name[] = "kvm", value[] = "nested=1";

	tree_file(tree, "etc/default/grub", "before\n");
	assert_int_equal(strings_add(&record.options, "--nested"), 0);
	assert_int_equal(strings_add(&record.cmdline, "iommu=pt"), 0);
	assert_int_equal(boot_settings_add(&record.settings,
					   &(struct boot_setting){ .kind = BOOT_OPTION,
								   .name = name,
								   .value = value,
								   .found = true }),
			 0);
	record.pin_before = strdup("6.5.13-5-pve");
	assert_int_equal(record_note_folders(&tree->root, &record, "etc/default/grub.d/x", &err),
			 0);
	assert_int_equal(boot_draft_set(&draft, &tree->root, "etc/default/grub", "after\n", 0,
					&err),
			 0);
	assert_int_equal(boot_draft_open(&draft, &tree->root, "etc/default/grub", &file, &err), 0);
	assert_int_equal(record_note(&tree->root, &record, file, &err), 0);
	assert_int_equal(record_write(&tree->root, &record, &err), 0);

	assert_int_equal(record_read(&tree->root, &read, &err), 0);
	assert_true(read.exists && read.pending);
	assert_string_equal(read.options.items[0], "--nested");
	assert_string_equal(read.cmdline.items[0], "iommu=pt");
	assert_int_equal(read.settings.items[0].kind, BOOT_OPTION);
	assert_true(read.settings.items[0].found);
	assert_string_equal(read.pin_before, "6.5.13-5-pve");
	assert_int_equal(read.folders.count, 2);
	assert_string_equal(read.folders.items[1], "etc/default/grub.d/x");
	assert_int_equal(read.file_count, 1);
	assert_true(read.files[0].existed);
	assert_true(read.files[0].written == record_hash("after\n"));
	assert_int_equal(record_original(&tree->root, &read.files[0], &original, &err), 0);
	assert_string_equal(original, "before\n");
}

/* What a file was before the first setup stays that, however often it is written. */
static void test_first_original(void **state)
{
	const struct tree *tree = *state;
	cleanup_record struct record record = { 0 };
	cleanup_free char *original = NULL;
	struct error err = { 0 };

	for (int i = 0; i < 3; i++) {
		cleanup_boot_draft struct boot_draft draft = { 0 };
		struct boot_file *file;

		tree_file(tree, "etc/x", "%d\n", i);
		assert_int_equal(boot_draft_set(&draft, &tree->root, "etc/x", NULL, 0, &err), 0);
		assert_int_equal(boot_draft_open(&draft, &tree->root, "etc/x", &file, &err), 0);
		assert_int_equal(record_note(&tree->root, &record, file, &err), 0);
	}
	assert_int_equal(record.file_count, 1);
	assert_true(record.files[0].written == 0);
	assert_int_equal(record_original(&tree->root, &record.files[0], &original, &err), 0);
	assert_string_equal(original, "0\n");
}

static void test_none(void **state)
{
	const struct tree *tree = *state;
	cleanup_record struct record record = { 0 };
	struct error err = { 0 };

	assert_int_equal(record_read(&tree->root, &record, &err), 0);
	assert_false(record.exists);
	assert_int_equal(record_remove(&tree->root, &err), 0);
}

static void test_remove(void **state)
{
	const struct tree *tree = *state;
	cleanup_record struct record record = { 0 };
	struct error err = { 0 };

	tree_folder(tree, "var/lib");
	assert_int_equal(record_write(&tree->root, &record, &err), 0);
	tree_file(tree, RECORD_FOLDER "/" RECORD_ORIGINALS "/etc!a", "a");
	tree_file(tree, RECORD_FOLDER "/" RECORD_ORIGINALS "/etc!b", "b");
	assert_int_equal(record_keep_original(&tree->root, "etc/b", &err), 0);
	assert_int_equal(record_remove(&tree->root, &err), 0);
	assert_false(tree_has(tree, RECORD_FOLDER "/" RECORD_ORIGINALS));
	assert_true(tree_has(tree, RECORD_FOLDER "/kept-etc!b"));
	tree_remove(tree, RECORD_FOLDER "/kept-etc!b");
	/* of an interrupted removal */
	tree_file(tree, RECORD_FOLDER "/" RECORD_ORIGINALS "/etc!a", "a");
	assert_int_equal(record_remove(&tree->root, &err), 0);
	assert_false(tree_has(tree, RECORD_FOLDER));
	assert_true(tree_has(tree, "var/lib"));
}

static void test_broken(void **state)
{
	static const char *const texts[] = {
		"",
		"[]",
		"{}",
		"{\"version\": 2}",
		"{\"version\": 1, \"pending\": 1}",
		"{\"version\":1,\"pending\":true,\"options\":[1],\"cmdline\":[],\"folders\":[],"
		"\"pin_before\":null,\"settings\":[],\"files\":[]}",
		"{\"version\":1,\"pending\":true,\"options\":[],\"cmdline\":[],\"folders\":[],"
		"\"pin_before\":null,\"settings\":[{\"kind\":\"x\"}],\"files\":[]}",
		"{\"version\":1,\"pending\":true,\"options\":[],\"cmdline\":[],\"folders\":[],"
		"\"pin_before\":null,\"settings\":[],\"files\":[{\"path\":\"a\"}]}",
	};
	const struct tree *tree = *state;

	for (size_t i = 0; i < COUNT(texts); i++) {
		cleanup_record struct record record = { 0 };
		struct error err = { 0 };

		tree_file(tree, PATH, "%s", texts[i]);
		assert_row(texts[i], record_read(&tree->root, &record, &err) < 0);
		assert_row(texts[i], strstr(err.message, "/" PATH) != NULL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(test_round_trip), tree_test(test_first_original), tree_test(test_none),
		tree_test(test_remove),	    tree_test(test_broken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
