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

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(what_was_read_stays),
		tree_test(what_failed_is_read_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
