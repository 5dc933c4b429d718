/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: vm/copies.c. */
#include "test.h"
#include "tree.h"

#include "pve/copies.h"

#define ELF	  "\177ELF pve-vfio-hook "
#define INSTALLED "usr/libexec/pve-vfio/pve-vfio-hook"
#define COPY	  "srv/snippets/pve-vfio-hook"

static char name[] = "srv", folder[] = "/srv/snippets";
static const struct snippet_store store = { .name = name, .folder = folder };

static enum hook_copy_state look(const struct tree *tree, char version[VERSION_MAX])
{
	cleanup_hook_copy struct hook_copy copy = { 0 };
	struct error err = { 0 };

	assert_int_equal(hook_copy_look(&tree->root, &store, &copy, &err), 0);
	if (version)
		memcpy(version, copy.version, VERSION_MAX);
	return copy.state;
}

static void test_look(void **state)
{
	const struct tree *tree = *state;
	char version[VERSION_MAX];

	tree_file(tree, INSTALLED, "%s", ELF "pve-vfio-version=0.10.0");
	assert_int_equal(look(tree, NULL), HOOK_COPY_ABSENT);
	tree_file(tree, COPY, "%s", ELF "pve-vfio-version=0.10.0");
	assert_int_equal(look(tree, NULL), HOOK_COPY_SAME);
	tree_file(tree, COPY, "%s", ELF "pve-vfio-version=0.9.1\n");
	assert_int_equal(look(tree, version), HOOK_COPY_OLDER);
	assert_string_equal(version, "0.9.1");
	tree_file(tree, COPY, "%s", ELF "pve-vfio-version=0.11.0");
	assert_int_equal(look(tree, version), HOOK_COPY_NEWER);
	assert_string_equal(version, "0.11.0");
	/* of the same version, with other bytes: built anew */
	tree_file(tree, COPY, "%s", ELF "pve-vfio-version=0.10.0 ");
	assert_int_equal(look(tree, NULL), HOOK_COPY_OLDER);
	/* from before there was a mark */
	tree_file(tree, COPY, "%s", ELF);
	assert_int_equal(look(tree, version), HOOK_COPY_OLDER);
	assert_string_equal(version, "");
}

static void test_foreign(void **state)
{
	const struct tree *tree = *state;

	tree_file(tree, INSTALLED, "%s", ELF "pve-vfio-version=1");
	tree_file(tree, COPY, "#!/bin/sh\nexec pve-vfio-hook pve-vfio-version=0.1\n");
	assert_int_equal(look(tree, NULL), HOOK_COPY_FOREIGN);
	tree_file(tree, COPY, "\177ELF pve-vfio-version=0.1");
	assert_int_equal(look(tree, NULL), HOOK_COPY_FOREIGN);
	tree_file(tree, COPY, "%s", "");
	assert_int_equal(look(tree, NULL), HOOK_COPY_FOREIGN);
	tree_link(tree, COPY, "/opt/pve-vfio-hook");
	assert_int_equal(look(tree, NULL), HOOK_COPY_FOREIGN);
	tree_link(tree, COPY, HOOK_PATH "2");
	assert_int_equal(look(tree, NULL), HOOK_COPY_FOREIGN);
	tree_link(tree, COPY, HOOK_PATH);
	assert_int_equal(look(tree, NULL), HOOK_COPY_LINK);
}

static void test_renew(void **state)
{
	const struct tree *tree = *state;
	cleanup_hook_copy struct hook_copy copy = { 0 };
	struct error err = { 0 };
	struct stat status;
	char full[PATH_MAX];
	char *now;

	tree_file(tree, INSTALLED, "%s", ELF "pve-vfio-version=2");
	tree_file(tree, COPY, "%s", ELF "pve-vfio-version=1");
	assert_int_equal(hook_copy_look(&tree->root, &store, &copy, &err), 0);
	assert_int_equal(hook_copy_renew(&tree->root, &copy, &err), 0);
	now = tree_read(tree, COPY);
	assert_text(now, ELF "pve-vfio-version=2");
	tree_path(tree, COPY, full);
	assert_int_equal(stat(full, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0755);
	free(now);
	assert_false(tree_has(tree, COPY ".new"));

	tree_remove(tree, INSTALLED);
	assert_int_equal(hook_copy_renew(&tree->root, &copy, &err), -ENOENT);
	assert_non_null(strstr(err.message, HOOK_PATH));
}

static void test_version(void **state)
{
	static const char cut[] = "x pve-vfio-version=";
	char version[VERSION_MAX] = "", data[128];

	(void)state;
	assert_false(hook_version_find("", 0, version));
	assert_false(hook_version_find(cut, sizeof(cut) - 1, version));
	memset(data, '1', sizeof(data));
	memcpy(data, VERSION_MARK, strlen(VERSION_MARK));
	assert_true(hook_version_find(data, sizeof(data), version));
	assert_int_equal(strlen(version), VERSION_MAX - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(test_look),
		tree_test(test_foreign),
		tree_test(test_renew),
		cmocka_unit_test(test_version),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
