/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: host/module.c, as far as it goes without loading one: tests/vm does that. */
#include "test.h"
#include "tree.h"

#include "host/module.h"

static void test_is_present(void **state)
{
	const struct tree *tree = *state;

	tree_folder(tree, "sys/module/vfio_pci");
	tree_folder(tree, "sys/module/e1000e");
	assert_true(module_is_present(&tree->root, "vfio_pci"));
	assert_true(module_is_present(&tree->root, "vfio-pci"));
	assert_true(module_is_present(&tree->root, "e1000e"));
	assert_false(module_is_present(&tree->root, "vfio"));
	assert_false(module_is_present(&tree->root, "vfio_pci_core"));
}

/* The folder is there before the module has initialised, and what is built in has no state. */
static void test_initialises(void **state)
{
	const struct tree *tree = *state;

	tree_file(tree, "sys/module/vfio_pci/initstate", "coming\n");
	assert_false(module_is_present(&tree->root, "vfio-pci"));
	tree_file(tree, "sys/module/vfio_pci/initstate", "live\n");
	assert_true(module_is_present(&tree->root, "vfio-pci"));
	tree_file(tree, "sys/module/vfio_pci/initstate", "going\n");
	assert_false(module_is_present(&tree->root, "vfio-pci"));
	tree_remove(tree, "sys/module/vfio_pci/initstate");
	assert_true(module_is_present(&tree->root, "vfio-pci"));
}

static void test_load(void **state)
{
	const struct tree *tree = *state;
	struct error err = { 0 };
	char message[256];

	tree_folder(tree, "sys/module/vfio_pci");
	assert_int_equal(module_load(&tree->root, "vfio-pci", &err), 0);
	/* nothing is loaded into the running kernel for another tree */
	assert_int_equal(module_load(&tree->root, "dummy", &err), -EOPNOTSUPP);
	snprintf(message, sizeof(message),
		 "module 'dummy' is not loaded, and none can be loaded in '%s'", tree->path);
	assert_string_equal(err.message, message);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(test_is_present),
		tree_test(test_initialises),
		tree_test(test_load),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
