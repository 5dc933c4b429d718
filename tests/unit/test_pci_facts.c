/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: pci/facts.c, pci/health.c and pci/group.c: what sysfs shows of functions and groups. */
#include <errno.h>

#include "test.h"
#include "tree.h"

#include "pci/facts.h"
#include "pci/group.h"
#include "pci/health.h"

#define GPU "0000:01:00.0"

static void test_nothing_there(void **state)
{
	const struct tree *tree = *state;
	struct pci_facts facts = { 0 };

	assert_int_equal(pci_facts_read(&tree->root, GPU, &facts), -ENOENT);
	tree_add_device(tree, &(struct tree_device){ .address = GPU });
	assert_int_equal(pci_facts_read(&tree->root, GPU, &facts), 0);
	assert_text(facts.folder, "devices/pci0000:00/" GPU);
	assert_null(facts.parent);
	assert_false(facts.boot_display || facts.has_rom);
	assert_null(facts.physical);
	for (size_t i = 0; i < PCI_REGION_COUNT; i++)
		assert_int_equal(facts.regions[i].size, 0);
	pci_facts_done(&facts);
}

static void test_facts(void **state)
{
	const struct tree *tree = *state;
	struct pci_facts facts = { 0 };

	tree_add_device(tree, &(struct tree_device){ .address = GPU, .class_code = 0x030000 });
	tree_attribute(tree, GPU, "reset_method", "flr bus");
	tree_attribute(tree, GPU, "reset", "");
	tree_attribute(tree, GPU, "power_state", "D3cold");
	tree_attribute(tree, GPU, "boot_vga", "1");
	tree_attribute(tree, GPU, "rom", "");
	tree_attribute(tree, GPU, "sriov_totalvfs", "8");
	for (unsigned i = 0; i < 3; i++) {
		char path[PATH_MAX];

		snprintf(path, sizeof(path), "sys/devices/pci0000:00/" GPU "/virtfn%u", i);
		tree_link(tree, path, "../0000:02:00.0");
	}
	tree_attribute(tree, GPU, "resource",
		       "0x00000000f6000000 0x00000000f6ffffff 0x0000000000040200\n"
		       "0x0000006000000000 0x000000600fffffff 0x000000000014220c\n"
		       "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
		       "0x10 0x05 0x0\n"
		       "broken");
	assert_int_equal(pci_facts_read(&tree->root, GPU, &facts), 0);
	assert_text(facts.reset_methods, "flr bus");
	assert_text(facts.power, "D3cold");
	assert_true(facts.has_reset && facts.boot_display && facts.has_rom);
	assert_int_equal(facts.functions, 3);
	assert_int_equal(facts.functions_most, 8);
	assert_int_equal(facts.regions[0].size, 16 << 20);
	assert_false(facts.regions[0].prefetchable || facts.regions[0].wide);
	assert_true(facts.regions[1].prefetchable && facts.regions[1].wide);
	assert_int_equal(facts.regions[1].start, 0x6000000000);
	assert_int_equal(facts.regions[2].size, 0);
	assert_int_equal(facts.regions[3].size, 0);
	pci_facts_done(&facts);
}

static void test_health(void **state)
{
	const struct tree *tree = *state;
	struct pci_inventory inventory = { 0 };
	struct pci_health health = { 0 };
	char words[24];

	tree_add_device(tree, &(struct tree_device){ .address = GPU });
	tree_attribute(tree, GPU, "power_state", "D0");
	tree_attribute(tree, GPU, "resource",
		       "0x0000006000000000 0x000000600fffffff 0x000000000014220c");
	tree_attribute(tree, GPU, "resource0_resize", "0000000000003f00");
	tree_attribute(tree, GPU, "aer_dev_correctable", "RxErr 4\nTOTAL_ERR_COR 5");
	tree_attribute(tree, GPU, "aer_dev_nonfatal", "TOTAL_ERR_NONFATAL 6");
	assert_int_equal(pci_inventory_read(&tree->root, &inventory, NULL), 0);
	assert_int_equal(pci_health_read(&tree->root, &inventory.items[0], &health), 0);
	assert_false(health.errors.known);
	assert_int_equal(pci_region_most(&health, 0), UINT64_C(8) << 30);
	assert_int_equal(pci_region_most(&health, 1), 0);
	pci_health_done(&health);
	tree_attribute(tree, GPU, "aer_dev_fatal", "TOTAL_ERR_FATAL 7");
	assert_int_equal(pci_health_read(&tree->root, &inventory.items[0], &health), 0);
	assert_true(health.errors.known);
	assert_int_equal(health.errors.correctable, 5);
	assert_int_equal(health.errors.nonfatal, 6);
	assert_int_equal(health.errors.fatal, 7);
	pci_health_done(&health);
	pci_inventory_done(&inventory);
	assert_string_equal(pci_size_words(UINT64_C(64) << 30, words), "64 GiB");
	assert_string_equal(pci_size_words(1536, words), "1536 B");
}

/* Asked for its sizes a sleeping device would have to be woken. */
static void test_asleep(void **state)
{
	const struct tree *tree = *state;
	struct pci_inventory inventory = { 0 };
	struct pci_health health = { 0 };

	tree_add_device(tree, &(struct tree_device){ .address = GPU });
	tree_attribute(tree, GPU, "power_state", "D3hot");
	tree_attribute(tree, GPU, "resource",
		       "0x0000006000000000 0x000000600fffffff 0x000000000014220c");
	tree_attribute(tree, GPU, "resource0_resize", "0000000000003f00");
	assert_int_equal(pci_inventory_read(&tree->root, &inventory, NULL), 0);
	assert_int_equal(pci_health_read(&tree->root, &inventory.items[0], &health), 0);
	assert_int_equal(health.sizes[0], 0);
	pci_health_done(&health);
	pci_inventory_done(&inventory);
}

static void test_groups(void **state)
{
	const struct tree *tree = *state;
	struct iommu_groups groups = { 0 };

	assert_int_equal(iommu_groups_read(&tree->root, &groups), 0);
	assert_int_equal(groups.count, 0);
	tree_file(tree, "sys/kernel/iommu_groups/10/type", "DMA-FQ\n");
	tree_file(tree, "sys/kernel/iommu_groups/10/reserved_regions",
		  "0x0 0x1 direct-relaxable\n0xfee00000 0xfeefffff msi\n");
	tree_file(tree, "sys/kernel/iommu_groups/9/type", "identity\n");
	tree_file(tree, "sys/kernel/iommu_groups/9/reserved_regions", "0x0 0x1 direct\n");
	assert_int_equal(iommu_groups_read(&tree->root, &groups), 0);
	assert_null(groups.items[1].type);
	iommu_groups_read_types(&tree->root, &groups);
	assert_int_equal(groups.count, 2);
	assert_int_equal(groups.items[0].number, 9);
	assert_text(groups.items[1].type, "DMA-FQ");
	assert_true(iommu_group_is_reserved(&groups, 9));
	assert_false(iommu_group_is_reserved(&groups, 10));
	assert_false(iommu_group_is_reserved(&groups, 11));
	iommu_groups_done(&groups);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(test_nothing_there), tree_test(test_facts),  tree_test(test_health),
		tree_test(test_asleep),	       tree_test(test_groups),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
