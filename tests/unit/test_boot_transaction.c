/* SPDX-License-Identifier: GPL-2.0-or-later */
/* unit: lib/boot/transaction.c and draft.c. The commands run in tests/vm/boot-loaders. */
#include "test.h"
#include "tree.h"

#include "boot/transaction.h"

static void assert_content(const struct tree *tree, const char *path, const char *wanted)
{
	cleanup_free char *content = NULL;

	if (!wanted) {
		assert_false(tree_has(tree, path));
		return;
	}
	content = tree_read(tree, path);
	assert_string_equal(content, wanted);
}

static void assert_mode(const struct tree *tree, const char *path, mode_t wanted)
{
	struct stat status;
	char full[PATH_MAX];

	tree_path(tree, path, full);
	assert_int_equal(stat(full, &status), 0);
	assert_int_equal(status.st_mode & 07777, wanted);
}

static void draft_of(const struct tree *tree, struct boot_draft *draft)
{
	struct error err = { 0 };

	tree_folder(tree, "var/lib");
	tree_file(tree, "etc/a", "a\n");
	tree_file(tree, "etc/gone", "gone\n");
	tree_file(tree, "etc/same", "same\n");
	assert_int_equal(boot_draft_set(draft, &tree->root, "etc/a", "A\n", 0, &err), 0);
	assert_int_equal(boot_draft_set(draft, &tree->root, "etc/gone", NULL, 0, &err), 0);
	assert_int_equal(boot_draft_set(draft, &tree->root, "etc/same", "same\n", 0, &err), 0);
	assert_int_equal(boot_draft_set(draft, &tree->root, "etc/d/e/new", "new\n",
					BOOT_MODE_SCRIPT, &err),
			 0);
}

static void test_write_and_put_back(void **state)
{
	const struct tree *tree = *state;
	cleanup_boot_draft struct boot_draft draft = { 0 };
	cleanup_record struct record record = { 0 };
	struct error err = { 0 };

	draft_of(tree, &draft);
	assert_true(boot_draft_changes(&draft));
	assert_int_equal(transaction_write(&tree->root, &record, &draft, &err), 0);
	assert_content(tree, "etc/a", "A\n");
	assert_content(tree, "etc/gone", NULL);
	assert_content(tree, "etc/d/e/new", "new\n");
	assert_mode(tree, "etc/d/e/new", 0755);
	assert_null(record_find(&record, "etc/same"));
	assert_int_equal(record.file_count, 3);
	assert_int_equal(record.folders.count, 2);
	assert_int_equal(transaction_put_back(&tree->root, &draft, &err), 0);
	transaction_remove_folders(&tree->root, &record.folders);
	assert_content(tree, "etc/a", "a\n");
	assert_content(tree, "etc/gone", "gone\n");
	assert_false(tree_has(tree, "etc/d"));
}

/* One that cannot be written: those before it are put back. */
static void test_fails(void **state)
{
	const struct tree *tree = *state;
	cleanup_boot_draft struct boot_draft draft = { 0 };
	cleanup_record struct record record = { 0 };
	struct error err = { 0 };

	draft_of(tree, &draft);
	tree_file(tree, "etc/file", "no folder\n");
	assert_int_equal(boot_draft_set(&draft, &tree->root, "etc/file/x", "x\n", 0644, &err), 0);
	assert_true(transaction_write(&tree->root, &record, &draft, &err) < 0);
	assert_content(tree, "etc/a", "a\n");
	assert_content(tree, "etc/gone", "gone\n");
	assert_content(tree, "etc/d/e/new", NULL);
}

static void test_links(void **state)
{
	const struct tree *tree = *state;
	cleanup_boot_draft struct boot_draft draft = { 0 };
	struct error err = { 0 };
	struct boot_file *file;

	tree_file(tree, "etc/real", "real\n");
	tree_link(tree, "etc/link", "real");
	assert_int_equal(boot_draft_open(&draft, &tree->root, "etc/link", &file, &err), 0);
	assert_true(file->link);
	assert_string_equal(file->before, "real\n");
	assert_int_equal(boot_draft_check(&draft, &err), 0);
	assert_int_equal(boot_draft_set(&draft, &tree->root, "etc/link", "x\n", 0, &err), 0);
	assert_int_equal(boot_draft_check(&draft, &err), -ELOOP);
}

static void test_no_text(void **state)
{
	const struct tree *tree = *state;
	cleanup_boot_draft struct boot_draft draft = { 0 };
	struct error err = { 0 };
	struct boot_file *file;

	tree_bytes(tree, "etc/bytes", "a\0b", 3);
	assert_int_equal(boot_draft_open(&draft, &tree->root, "etc/bytes", &file, &err), -EBADMSG);
	assert_string_equal(err.message, "'/etc/bytes' is not text: it has a NUL byte");
}

static void test_sweep(void **state)
{
	const struct tree *tree = *state;
	cleanup_boot_draft struct boot_draft draft = { 0 };
	cleanup_record struct record record = { 0 };
	struct error err = { 0 };

	draft_of(tree, &draft);
	assert_int_equal(transaction_write(&tree->root, &record, &draft, &err), 0);
	tree_file(tree, "etc/a.tmp", "half");
	tree_file(tree, "etc/other.tmp", "somebody's");
	transaction_sweep(&tree->root, &record);
	assert_content(tree, "etc/a.tmp", NULL);
	assert_content(tree, "etc/other.tmp", "somebody's");
}

static void assert_commands(bool initramfs, bool loader_changes, const struct boot_loader *loader,
			    const char *wanted)
{
	cleanup_boot_commands struct boot_commands commands = { 0 };
	cleanup_text struct text text = { 0 };
	struct error err = { 0 };

	assert_int_equal(boot_commands_for(&commands,
					   (struct layout_refresh){ .initramfs = initramfs,
								    .loader = loader_changes },
					   loader, &err),
			 0);
	for (size_t i = 0; i < commands.count; i++) {
		cleanup_free char *words = boot_command_words(&commands.items[i]);

		text_add(&text, "%s;", words);
	}
	assert_string_equal(text.data ? text.data : "", wanted);
}

static void test_commands(void **state)
{
	const struct boot_loader grub = { .grub = true };
	const struct boot_loader managed = { .grub = true, .managed = true };
	const struct boot_loader systemd = { .systemd_boot = true, .managed = true };

	(void)state;
	assert_commands(false, false, &grub, "");
	assert_commands(true, false, &grub, "update-initramfs -u -k all;");
	assert_commands(false, true, &grub, "update-grub;");
	assert_commands(true, true, &managed,
			"update-initramfs -u -k all;proxmox-boot-tool refresh;");
	assert_commands(false, true, &systemd, "proxmox-boot-tool refresh;");
}

static void test_lock(void **state)
{
	const struct tree *tree = *state;
	struct error err = { 0 };
	int first, second;

	tree_folder(tree, "etc");
	first = transaction_lock(&tree->root, &err);
	assert_true(first >= 0);
	assert_int_equal(transaction_lock(&tree->root, &err), -EAGAIN);
	assert_string_equal(err.message, "another pve-vfio setup or undo is running");
	close(first);
	second = transaction_lock(&tree->root, &err);
	assert_true(second >= 0);
	close(second);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(test_write_and_put_back),
		tree_test(test_fails),
		tree_test(test_links),
		tree_test(test_no_text),
		tree_test(test_sweep),
		cmocka_unit_test(test_commands),
		tree_test(test_lock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
