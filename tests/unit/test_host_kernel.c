/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: host/kernel.c. */
#include <errno.h>

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

static void test_versions(void **state)
{
	static const char *const bad[] = {
		"", "6", "6.", ".8", "v6.8", "six.8", "99999.1", "-1.2"
	};
	struct kernel_version version = { 0 }, other = { 6, 8, 12, 4 };

	(void)state;
	assert_int_equal(kernel_version_parse("6.8.12-4-pve", &version), 0);
	assert_int_equal(kernel_version_compare(version, other), 0);
	assert_int_equal(kernel_version_parse("6.8.12-3-pve", &version), 0);
	assert_true(kernel_version_compare(version, other) < 0);
	assert_int_equal(kernel_version_parse("6.8.12-11-pve", &version), 0);
	assert_true(kernel_version_compare(version, other) > 0);
	assert_int_equal(kernel_version_parse("6.8.13", &version), 0);
	assert_true(kernel_version_compare(version, other) > 0);
	assert_int_equal(kernel_version_parse("6.8-rc3", &version), 0);
	assert_true(kernel_version_compare(version, other) < 0);
	assert_int_equal(version.build, 0);
	assert_int_equal(kernel_version_parse("6.14.8-1-bpo12-pve", &version), 0);
	assert_int_equal(version.patch, 8);
	assert_int_equal(version.build, 1);
	assert_true(kernel_is_flavour("6.14.8-1-bpo12-pve", "pve"));
	assert_false(kernel_is_flavour("6.1.0-28-cloud-amd64", "pve"));
	assert_false(kernel_is_flavour("pve", "pve"));
	assert_int_equal(kernel_version_parse("6.14", &version), 0);
	assert_true(kernel_version_compare(version, other) > 0);
	assert_int_equal(kernel_version_parse("5.15.158-2-pve", &version), 0);
	assert_true(kernel_version_compare(version, other) < 0);
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_row(bad[i], kernel_version_parse(bad[i], &version) == -EINVAL);
}

static void test_parameters(void **state)
{
	static const char line[] = "BOOT_IMAGE=/x quiet iommu=off iommu=pt vfio-pci.ids=10de:1234 "
				   "dyndbg=\"file a b=c\" xiommu=on empty=\n";
	static const struct {
		const char *name, *value;
	} rows[] = {
		{ "iommu", "pt" },
		{ "quiet", "" },
		{ "vfio_pci.ids", "10de:1234" },
		{ "vfio-pci.ids", "10de:1234" },
		{ "empty", "" },
		{ "ommu", NULL },
		{ "b", NULL },
		{ "intel_iommu", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char *value = kernel_parameter(line, rows[i].name);

		assert_text(value, rows[i].value);
		free(value);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(test_boot_id),
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_parameters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
