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

	tree_add_device(tree,
			&(struct tree_device){ .address = "0000:01:00.0", .override = "vfio-pci" });
	tree_add_device(tree, &(struct tree_device){ .address = "0000:02:00.0" });
	pci_overrides_read(&tree->root, readings, COUNT(readings));
	assert_int_equal(readings[0].result, 0);
	assert_text(readings[0].override, "vfio-pci");
	assert_int_equal(readings[1].result, 0);
	assert_text(readings[1].override, NULL);
	assert_int_equal(readings[2].result, -ENOENT);
	for (size_t i = 0; i < COUNT(readings); i++)
		assert_false(readings[i].stuck);
	pci_overrides_done(readings, COUNT(readings));
}

/* What was silent before is stuck, and is not asked again. */
static void test_stuck(void **state)
{
	struct tree *tree = *state;
	struct override_reading reading = { .address = "0000:01:00.0" };
	cleanup_strings struct strings silent = { 0 };
	char path[PATH_MAX];

	tree_add_device(tree, &(struct tree_device){ .address = "0000:01:00.0" });
	tree_path(tree, "sys/bus/pci/devices/0000:01:00.0/driver_override", path);
	assert_int_equal(strings_add(&silent, path), 0);
	tree->root.silent = &silent;
	pci_overrides_read(&tree->root, &reading, 1);
	tree->root.silent = NULL;
	assert_true(reading.stuck);
	assert_int_equal(reading.result, -ETIMEDOUT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(test_readings),
		tree_test(test_stuck),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
