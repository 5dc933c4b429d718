/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: report/tar.c, against tar(1). */
#include "test.h"
#include "tree.h"

#include "base/process.h"
#include "record/tar.h"

static void write_archive(const struct tree *tree, const struct tar *tar)
{
	tree_bytes(tree, "a.tar", tar->data, tar->size);
}

/* Names and targets of 90 to 220 bytes, and contents around a block's size. */
static void test_unpacks(void **state)
{
	const struct tree *tree = *state;
	struct tar tar = { 0 };
	char archive[128], folder[128], name[256];
	const char *const argv[] = { "tar", "-xf", archive, "-C", folder, NULL };
	struct process_end end = { 0 };
	struct error err = { 0 };
	char content[1025];

	memset(content, 'x', sizeof(content));
	for (size_t size = 511; size <= 513; size++) {
		snprintf(name, sizeof(name), "size%zu", size);
		tar_add_file(&tar, name, 0644, content, size);
	}
	tar_add_file(&tar, "empty", 0755, "", 0);
	tar_add_folder(&tar, "private", 0700);
	for (size_t length = 90; length <= 220; length++) {
		memset(name, 'n', length);
		name[length] = '\0';
		snprintf(name, 8, "f/%03zu", length);
		name[5] = 'n';
		tar_add_file(&tar, name, 0644, "y", 1);
		name[0] = 'l';
		tar_add_link(&tar, name, name);
	}
	tar_finish(&tar);
	assert_false(tar.failed);
	assert_int_equal(tar.size % 512, 0);
	write_archive(tree, &tar);
	tree_folder(tree, "out");
	snprintf(archive, sizeof(archive), "%s/a.tar", tree->path);
	snprintf(folder, sizeof(folder), "%s/out", tree->path);
	assert_int_equal(process_run(argv, 20000, 4096, &end, &err), 0);
	assert_string_equal(end.output, "");
	assert_int_equal(end.status, 0);
	process_end_done(&end);
	for (size_t length = 90; length <= 220; length++) {
		char path[300], target[256];
		ssize_t size;

		memset(name, 'n', length);
		name[length] = '\0';
		snprintf(name, 8, "l/%03zu", length);
		name[5] = 'n';
		snprintf(path, sizeof(path), "%s/%s", folder, name);
		size = readlink(path, target, sizeof(target) - 1);
		assert_int_equal(size, length);
		target[size] = '\0';
		assert_string_equal(target, name);
		name[0] = 'f';
		snprintf(path, sizeof(path), "%s/%s", folder, name);
		assert_int_equal(access(path, R_OK), 0);
	}
	tar_done(&tar);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(test_unpacks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
