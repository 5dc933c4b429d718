/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The virtual functions of a physical one. */
#include <errno.h>

#include "test.h"
#include "tree.h"
#include "use/sriov.h"

#define PHYSICAL "0000:01:00.0"
#define LINK	 "sys/devices/pci0000:00/" PHYSICAL "/virtfn"

static void links_name_the_functions(void **state)
{
	struct tree *tree = *state;
	struct pci_addresses functions = { 0 };
	char name[PCI_ADDRESS_TEXT];

	tree_add_device(tree, &(struct tree_device){ .address = PHYSICAL });
	assert_int_equal(sriov_functions_find(&tree->root, PHYSICAL, &functions, NULL), 0);
	assert_int_equal(functions.count, 0);
	tree_link(tree, LINK "0", "../0000:01:10.0");
	tree_link(tree, LINK "1", "../0000:01:10.2");
	assert_int_equal(sriov_functions_find(&tree->root, PHYSICAL, &functions, NULL), 0);
	assert_int_equal(functions.count, 2);
	assert_string_equal(pci_address_format(functions.items[1], name), "0000:01:10.2");
	pci_addresses_done(&functions);
}

static void a_function_has_its_place(void **state)
{
	struct tree *tree = *state;
	struct sriov_place place;

	tree_add_device(tree, &(struct tree_device){ .address = PHYSICAL });
	tree_add_device(tree, &(struct tree_device){ .address = "0000:01:10.2" });
	assert_int_equal(sriov_place_find(&tree->root, PHYSICAL, &place), -ENODEV);
	tree_link(tree, "sys/devices/pci0000:00/0000:01:10.2/physfn", "../" PHYSICAL);
	assert_int_equal(sriov_place_find(&tree->root, "0000:01:10.2", &place), -ENODEV);
	tree_link(tree, LINK "0", "../0000:01:10.0");
	tree_link(tree, LINK "11", "../0000:01:10.2");
	assert_int_equal(sriov_place_find(&tree->root, "0000:01:10.2", &place), 0);
	assert_string_equal(place.physical, PHYSICAL);
	assert_int_equal(place.number, 11);
}

static void what_is_no_address_is_an_error(void **state)
{
	struct tree *tree = *state;
	struct pci_addresses functions = { 0 };
	struct error err = { 0 };

	tree_add_device(tree, &(struct tree_device){ .address = PHYSICAL });
	tree_link(tree, LINK "0", "../nothing-known");
	assert_int_equal(sriov_functions_find(&tree->root, PHYSICAL, &functions, &err), -EINVAL);
	assert_int_equal(sriov_functions_find(&tree->root, "0000:02:00.0", &functions, &err),
			 -ENOENT);
	assert_non_null(strstr(err.message, "virtual functions"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(links_name_the_functions),
		tree_test(a_function_has_its_place),
		tree_test(what_is_no_address_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
