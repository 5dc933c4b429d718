/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: host/package.c. */
#include <errno.h>

#include "test.h"
#include "tree.h"

#include "host/package.h"

static void test_versions(void **state)
{
	static const char *const names[] = { "pve-manager", "gone", "absent", "last" };
	const struct tree *tree = *state;
	char *versions[COUNT(names)] = { 0 };

	assert_int_equal(package_versions(&tree->root, names, COUNT(names), versions), -ENOENT);
	tree_file(tree, "var/lib/dpkg/status",
		  "Package: xpve-manager\nStatus: install ok installed\nVersion: 1\n\n"
		  "Package: pve-manager\nStatus: install ok installed\nDescription: text\n"
		  "Version: 8.2.7\n\n"
		  "Package: gone\nStatus: deinstall ok config-files\nVersion: 2\n\n"
		  "Package: last\nStatus: install ok installed\nVersion: 3");
	assert_int_equal(package_versions(&tree->root, names, COUNT(names), versions), 0);
	assert_text(versions[0], "8.2.7");
	assert_text(versions[1], NULL);
	assert_text(versions[2], NULL);
	assert_text(versions[3], "3");
	free(versions[0]);
	free(versions[3]);
}

static void test_older(void **state)
{
	static const struct {
		const char *version;
		bool older;
	} rows[] = {
		{ "8.3.8", true },   { "8.3.9", false },   { "8.3.9+pmx1", false },
		{ "8.3.10", false }, { "8.3", true },	   { "8.4", false },
		{ "9.0.1", false },  { "7.4-6", true },	   { "8.3-9", false },
		{ "", false },	     { "garbage", false }, { "99999999999.1", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_row(rows[i].version,
			   package_is_older(rows[i].version, (const unsigned[]){ 8, 3, 9 }) ==
				   rows[i].older);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(test_versions),
		cmocka_unit_test(test_older),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
