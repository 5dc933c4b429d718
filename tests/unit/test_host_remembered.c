/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: host/remembered.c, with what reads through it. */
#include "test.h"
#include "tree.h"

#include "host/remembered.h"

static char *value_of(const struct sysroot *root, const char *path)
{
	char *value;

	return sysroot_read_attribute(root, path, &value) == 0 ? value : strdup("-");
}

static void assert_value(const struct sysroot *root, const char *path, const char *expected)
{
	cleanup_free char *value = value_of(root, path);

	assert_string_equal(value, expected);
}

/* A file is as it was when it was read first, and one that was not there stays away. */
static void what_was_read_stays(void **state)
{
	const struct tree *tree = *state;
	cleanup_remembered struct remembered remembered = { 0 };
	struct sysroot root = tree->root;
	cleanup_free char *data = NULL;
	size_t size;

	root.remembered = &remembered;
	tree_file(tree, "sys/a", "one\n");
	assert_value(&root, "sys/a", "one");
	assert_value(&root, "sys/b", "-");
	tree_file(tree, "sys/a", "two\n");
	tree_file(tree, "sys/b", "three\n");
	assert_value(&root, "sys/a", "one");
	assert_value(&root, "sys/b", "-");
	assert_value(&tree->root, "sys/a", "two");
	assert_value(&tree->root, "sys/b", "three");
	assert_int_equal(sysroot_read(&root, "sys/a", 100, &data, &size), 0);
	assert_int_equal(size, 4);
	assert_string_equal(data, "one\n");
	assert_int_equal(sysroot_read(&root, "sys/a", 3, &data, &size), -EFBIG);
	assert_int_equal(sysroot_read(&root, "sys/b", 3, &data, &size), -ENOENT);
	assert_int_equal(remembered.count, 2);
}

static void what_failed_is_read_again(void **state)
{
	const struct tree *tree = *state;
	cleanup_remembered struct remembered remembered = { 0 };
	struct sysroot root = tree->root;
	char large[ATTRIBUTE_MAX + 2];

	root.remembered = &remembered;
	memset(large, 'x', sizeof(large));
	tree_bytes(tree, "sys/large", large, sizeof(large));
	tree_folder(tree, "sys/folder");
	assert_value(&root, "sys/large", "-");
	assert_value(&root, "sys/folder", "-");
	assert_int_equal(remembered.count, 0);
	tree_file(tree, "sys/large", "small\n");
	assert_value(&root, "sys/large", "small");
	assert_int_equal(remembered.count, 1);
}

static void assert_names(const struct sysroot *root, const char *path, const char *expected)
{
	cleanup_strings struct strings names = { 0 };
	cleanup_text struct text words = { 0 };
	int r = sysroot_list(root, path, &names);

	if (r < 0)
		text_add(&words, "%s", strerror(-r));
	for (size_t i = 0; i < names.count; i++)
		text_add(&words, "%s%s", i > 0 ? " " : "", names.items[i]);
	assert_string_equal(words.data ? words.data : "", expected);
}

/* A folder is no file of the same path. */
static void a_folder_stays(void **state)
{
	const struct tree *tree = *state;
	cleanup_remembered struct remembered remembered = { 0 };
	cleanup_strings struct strings names = { 0 };
	struct sysroot root = tree->root;

	root.remembered = &remembered;
	tree_file(tree, "sys/b", "one\n");
	tree_file(tree, "sys/a", "one\n");
	tree_folder(tree, "sys/empty");
	assert_names(&root, "sys", "a b empty");
	assert_names(&root, "sys/empty", "");
	assert_names(&root, "sys/none", "No such file or directory");
	assert_names(&root, "sys/a", "Not a directory");
	tree_file(tree, "sys/c", "one\n");
	tree_file(tree, "sys/empty/d", "one\n");
	tree_folder(tree, "sys/none");
	assert_names(&root, "sys", "a b empty");
	assert_names(&root, "sys/empty", "");
	assert_names(&root, "sys/none", "No such file or directory");
	assert_value(&root, "sys/a", "one");
	assert_value(&root, "sys", "-");
	assert_names(&tree->root, "sys", "a b c empty none");
	/* what is added to others is sorted with them */
	assert_int_equal(strings_add(&names, "bb"), 0);
	assert_int_equal(sysroot_list(&root, "sys", &names), 0);
	assert_int_equal(names.count, 6);
	assert_string_equal(names.items[2], "bb");
}

/* More than the table has room for at first. */
static void many_stay(void **state)
{
	const struct tree *tree = *state;
	cleanup_remembered struct remembered remembered = { 0 };
	struct sysroot root = tree->root;
	char path[32], value[32];

	root.remembered = &remembered;
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 1000; i++) {
			snprintf(path, sizeof(path), "sys/%d", i);
			snprintf(value, sizeof(value), "%d", i);
			if (round == 0)
				tree_file(tree, path, "%d\n", i);
			assert_value(&root, path, value);
			if (round == 0)
				tree_file(tree, path, "other\n");
		}
	}
	assert_int_equal(remembered.count, 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(what_was_read_stays),
		tree_test(what_failed_is_read_again),
		tree_test(a_folder_stays),
		tree_test(many_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
