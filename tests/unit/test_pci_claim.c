/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: pci/claim.c. */
#include "test.h"
#include "tree.h"

#include "pci/claim.h"

static void test_aliases(void **state)
{
	const struct tree *tree = *state;
	struct pci_inventory inventory = { 0 };
	struct pci_claims claims = { 0 };
	struct error err = { 0 };

	tree_add_device(tree, &(struct tree_device){ "0000:01:00.0", 0x10de, 0x2484, 0x030000,
						     .group = 1 });
	tree_add_device(tree, &(struct tree_device){ "0000:02:00.0", 0x144d, 0xa808, 0x010802,
						     .group = 2 });
	assert_int_equal(pci_inventory_read(&tree->root, &inventory, &err), 0);
	assert_int_equal(inventory.count, 2);

	assert_int_equal(pci_claims_read(&tree->root, &inventory, &claims), 0);
	assert_false(claims.known);
	tree_file(tree, "proc/sys/kernel/osrelease", "6.8.12-4-pve\n");
	tree_file(tree, "lib/modules/6.8.12-4-pve/modules.alias",
		  "# Aliases\n"
		  "alias pci:v000010DEd*sv*sd*bc03sc00i* nouveau\n"
		  "alias pci:v000010DEd00002484sv*sd*bc*sc*i* nvidia\n"
		  "alias pci:v000010DEd00002485sv*sd*bc*sc*i* another\n"
		  "alias pci:v*d*sv*sd*bc01sc08i02* nvme\n"
		  "alias pci:v000010DEd*sv*sd*bc03sc00i* nouveau\n"
		  "alias vfio_pci:v*d*sv*sd*bc*sc*i* vfio_pci\n"
		  "alias pci:v000010DE broken\nalias pci:\nalias usb:v* usb\n"
		  "alias pci:v000010DEdFFFFFFFFFFFFFFFFFFsv*sd*bc*sc*i* large");
	assert_int_equal(pci_claims_read(&tree->root, &inventory, &claims), 0);
	assert_true(claims.known);
	assert_int_equal(claims.items[0].count, 2);
	assert_string_equal(claims.items[0].items[0], "nouveau");
	assert_string_equal(claims.items[0].items[1], "nvidia");
	assert_int_equal(claims.items[1].count, 1);
	assert_string_equal(claims.items[1].items[0], "nvme");
	pci_claims_done(&claims);
	pci_inventory_done(&inventory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(test_aliases),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
