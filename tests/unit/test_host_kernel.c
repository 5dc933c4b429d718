/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: host/kernel.c. */
#include "test.h"
#include "tree.h"

#include "host/kernel.h"

static void test_boot_id(void **state)
{
	const struct tree *tree = *state;
	struct error err = { 0 };
	char *boot_id = NULL;

	assert_int_equal(kernel_boot_id(&tree->root, &boot_id, &err), -ENOENT);
	assert_string_equal(
		err.message,
		"cannot read /proc/sys/kernel/random/boot_id: No such file or directory");
	assert_null(boot_id);
	tree_boot(tree, TREE_BOOT_ID);
	assert_int_equal(kernel_boot_id(&tree->root, &boot_id, &err), 0);
	assert_string_equal(boot_id, TREE_BOOT_ID);
	free(boot_id);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(test_boot_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
