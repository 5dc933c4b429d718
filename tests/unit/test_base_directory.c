/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: base/directory.c. */
#include "test.h"
#include "tree.h"

#include "base/directory.h"

/* More than one getdents64(2) gives. */
#define MANY 2000

static void all_names_come_once(void **state)
{
	const struct tree *tree = *state;
	cleanup_strings struct strings names = { 0 };
	cleanup_close int fd = -1;

	for (unsigned i = 0; i < MANY; i++) {
		char path[64];

		tree_format(path, "names/a-name-of-some-length-%04u", MANY - 1 - i);
		tree_file(tree, path, "%s", "");
	}
	fd = sysroot_openat(&tree->root, "names", O_RDONLY | O_DIRECTORY);
	assert_int_equal(directory_list(fd, &names), 0);
	assert_int_equal(names.count, MANY);
	assert_string_equal(names.items[0], "a-name-of-some-length-0000");
	assert_string_equal(names.items[MANY - 1], "a-name-of-some-length-1999");
}

static void folders_links_and_files_differ(void **state)
{
	const struct tree *tree = *state;
	cleanup_close int fd = -1;
	struct directory directory;
	unsigned char type;
	const char *name;
	size_t seen = 0;

	tree_folder(tree, "mixed/folder");
	tree_link(tree, "mixed/link", "folder");
	tree_file(tree, "mixed/file", "%s", "");
	fd = sysroot_openat(&tree->root, "mixed", O_RDONLY | O_DIRECTORY);
	directory_begin(&directory, fd);
	while (directory_next(&directory, &name, &type) > 0) {
		seen++;
		if (type == DT_UNKNOWN)
			continue;
		assert_int_equal(type, strcmp(name, "folder") == 0 ? DT_DIR
				       : strcmp(name, "link") == 0 ? DT_LNK
								   : DT_REG);
	}
	assert_int_equal(seen, 3);
}

static void what_is_no_directory_fails(void **state)
{
	const struct tree *tree = *state;
	cleanup_strings struct strings names = { 0 };
	cleanup_close int fd = -1;

	tree_file(tree, "file", "%s", "");
	fd = sysroot_openat(&tree->root, "file", O_RDONLY);
	assert_int_equal(directory_list(fd, &names), -ENOTDIR);
	assert_int_equal(names.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(all_names_come_once),
		tree_test(folders_links_and_files_differ),
		tree_test(what_is_no_directory_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
