/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: pci/override.c. */
#include <errno.h>

#include "test.h"
#include "tree.h"

#include "pci/override.h"

static void test_readings(void **state)
{
	const struct tree *tree = *state;
	struct override_reading readings[] = {
		{ .address = "0000:01:00.0" },
		{ .address = "0000:02:00.0" },
		{ .address = "0000:09:00.0" },
	};
	struct error err = { 0 };

	tree_add_device(tree,
			&(struct tree_device){ .address = "0000:01:00.0", .override = "vfio-pci" });
	tree_add_device(tree, &(struct tree_device){ .address = "0000:02:00.0" });
	assert_int_equal(pci_overrides_read(&tree->root, readings, COUNT(readings), 5000, &err), 0);
	assert_int_equal(readings[0].result, 0);
	assert_text(readings[0].override, "vfio-pci");
	assert_int_equal(readings[1].result, 0);
	assert_text(readings[1].override, NULL);
	assert_int_equal(readings[2].result, -ENOENT);
	for (size_t i = 0; i < COUNT(readings); i++)
		assert_false(readings[i].stuck);
	pci_overrides_done(readings, COUNT(readings));
	assert_int_equal(pci_overrides_read(&tree->root, readings, 0, 5000, &err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(test_readings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
