/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: pci/name.c, with a pci.ids of its own. */
#include "test.h"
#include "tree.h"

#include "pci/name.h"

#define PCI_IDS "usr/share/misc/pci.ids"

static const char list[] = "# a comment\n"
			   "\n"
			   "1002  Advanced Micro Devices, Inc. [AMD/ATI]\n"
			   "\t73bf  Navi 21 [Radeon RX 6800/6800 XT / 6900 XT]\n"
			   "\t\t1002 0e3a  a subsystem, which is not looked at\n"
			   "10de  NVIDIA Corporation\n"
			   "\t2484  GA104 [GeForce RTX 3070]\n"
			   "\t228b  GA104 High Definition Audio Controller\n"
			   "\t0001  Odd [one] two\n"
			   "\t0002  Odd ] and [\n"
			   "\t0003  Odd []\n"
			   "10ec  Realtek Semiconductor Co., Ltd.\n"
			   "\t8168  RTL8111/8168/8411 PCI Express Gigabit Ethernet Controller\n"
			   "1af4  Red Hat, Inc.\n"
			   "\t1041  Virtio 1.0 network device\n"
			   "144d  Samsung Electronics Co Ltd\n"
			   "\ta80a  NVMe SSD Controller PM9A1/PM9A3/980PRO\n"
			   "8086  Intel Corporation\n"
			   "\t10d3  82574L Gigabit Network Connection\n"
			   "1b21  ASMedia Technology Inc.\n"
			   "\t2142  ASM2142/ASM3142 USB 3.1 Host Controller\n"
			   "15b3  Mellanox Technologies\n"
			   "\t1017  MT27800 Family [ConnectX-5]\n"
			   "14e4  Broadcom Inc. and subsidiaries\n"
			   "\t1657  NetXtreme BCM5719 Gigabit Ethernet PCIe\n"
			   "C 03  Display controller\n"
			   "\t00  VGA compatible controller\n";

static void assert_name(struct pci_names *names, const struct tree *tree, unsigned vendor,
			unsigned device, const char *expected)
{
	struct pci_device looked_up = { .vendor = (uint16_t)vendor, .device = (uint16_t)device };
	char *name = pci_name(names, &tree->root, &looked_up);

	assert_non_null(name);
	assert_string_equal(name, expected);
	free(name);
}

static void test_names(void **state)
{
	static const struct {
		unsigned vendor, device;
		const char *name;
	} rows[] = {
		{ 0x10de, 0x2484, "NVIDIA GeForce RTX 3070" },
		{ 0x10de, 0x228b, "NVIDIA GA104 High Definition Audio Controller" },
		{ 0x1002, 0x73bf, "AMD/ATI Radeon RX 6800/6800 XT / 6900 XT" },
		{ 0x10ec, 0x8168,
		  "Realtek RTL8111/8168/8411 PCI Express Gigabit Ethernet Controller" },
		{ 0x1af4, 0x1041, "Red Hat Virtio 1.0 network device" },
		{ 0x144d, 0xa80a, "Samsung NVMe SSD Controller PM9A1/PM9A3/980PRO" },
		{ 0x8086, 0x10d3, "Intel 82574L Gigabit Network Connection" },
		{ 0x1b21, 0x2142, "ASMedia ASM2142/ASM3142 USB 3.1 Host Controller" },
		{ 0x15b3, 0x1017, "Mellanox ConnectX-5" },
		{ 0x14e4, 0x1657, "Broadcom NetXtreme BCM5719 Gigabit Ethernet PCIe" },
		/* brackets that are no name on a box */
		{ 0x10de, 0x0001, "NVIDIA one" },
		{ 0x10de, 0x0002, "NVIDIA Odd ] and [" },
		{ 0x10de, 0x0003, "NVIDIA Odd []" },
		/* not in the list */
		{ 0x10de, 0xffff, "[10de:ffff]" },
		{ 0x0001, 0x0002, "[0001:0002]" },
	};
	cleanup_pci_names struct pci_names names = { 0 };
	const struct tree *tree = *state;

	tree_file(tree, PCI_IDS, "%s", list);
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_name(&names, tree, rows[i].vendor, rows[i].device, rows[i].name);
}

/* A section goes on behind a remark and an empty line, and ends with the next vendor. */
static void test_sections(void **state)
{
	cleanup_pci_names struct pci_names names = { 0 };
	const struct tree *tree = *state;
	char *name;

	tree_file(tree, PCI_IDS,
		  "1001 One\n\t0001  A\n# a remark\n\n\t0002  B\n1002  Two\n\t0003  C\n"
		  "C 02  Network controller\n\t00  Ethernet controller\n"
		  "C 03  Display controller\n\t00  VGA compatible controller\n\t\t01  8514\n");
	assert_name(&names, tree, 0x1002, 0x0003, "Two C");
	assert_name(&names, tree, 0x1001, 0x0002, "One B");
	assert_name(&names, tree, 0x1001, 0x0003, "[1001:0003]");
	name = pci_class_name(&names, &tree->root, 0x030001);
	assert_string_equal(name, "VGA compatible controller");
	free(name);
	name = pci_class_name(&names, &tree->root, 0x020000);
	assert_string_equal(name, "Ethernet controller");
	free(name);
	name = pci_class_name(&names, &tree->root, 0x03ff00);
	assert_string_equal(name, "Display controller [03ff]");
	free(name);
	name = pci_class_name(&names, &tree->root, 0x090000);
	assert_string_equal(name, "class 090000");
	free(name);
}

static void test_no_list(void **state)
{
	cleanup_pci_names struct pci_names names = { 0 };
	const struct tree *tree = *state;

	/* not the machine's own, whose list knows it */
	assert_name(&names, tree, 0x8086, 0x10d3, "[8086:10d3]");
	assert_name(&names, tree, 0x10de, 0x2484, "[10de:2484]");
}

/* Of a tree that is not the machine's "/" a link leads nowhere else. */
static void test_linked_list(void **state)
{
	struct pci_names names = { 0 };
	const struct tree *tree = *state;
	struct tree other;
	char path[PATH_MAX];

	tree_file(tree, "var/lib/pciutils/pci.ids", "%s", list);
	tree_link(tree, PCI_IDS, "/var/lib/pciutils/pci.ids");
	assert_name(&names, tree, 0x10de, 0x2484, "NVIDIA GeForce RTX 3070");
	pci_names_done(&names);

	tree_make(&other);
	tree_file(&other, "pci.ids", "%s", list);
	tree_path(&other, "pci.ids", path);
	tree_link(tree, PCI_IDS, path);
	assert_name(&names, tree, 0x10de, 0x2484, "[10de:2484]");
	pci_names_done(&names);
	tree_done(&other);
}

/* To open a pipe would wait for its writer. */
static void test_no_file(void **state)
{
	struct pci_names names = { 0 };
	const struct tree *tree = *state;
	char path[PATH_MAX];

	tree_folder_of(tree, PCI_IDS);
	tree_path(tree, PCI_IDS, path);
	assert_int_equal(mkfifo(path, 0644), 0);
	assert_name(&names, tree, 0x10de, 0x2484, "[10de:2484]");
	pci_names_done(&names);
	tree_remove(tree, PCI_IDS);
	tree_folder(tree, PCI_IDS);
	assert_name(&names, tree, 0x10de, 0x2484, "[10de:2484]");
	pci_names_done(&names);
}

/* libpci would end the process. */
static void test_broken_list(void **state)
{
	static const char *const broken[] = {
		"8086  Intel Corporation\n\t10d3  82574L\ngarbage\n",
		"\t10d3  a device of nobody\n",
		"8086\n",
		"8086  Intel\n\t\t\t\tdeep\n",
		"zzzz  Nobody\n",
		"8086 Intel Corporation\n",
		"\xff\xfe\x00\x00",
		"8086  Intel\n8086  Intel again\n\t10d3  twice\n",
	};
	const struct tree *tree = *state;

	for (size_t i = 0; i < COUNT(broken); i++) {
		struct pci_names names = { 0 };

		tree_file(tree, PCI_IDS, "%s", broken[i]);
		assert_name(&names, tree, 0x10de, 0x2484, "[10de:2484]");
		assert_name(&names, tree, 0x10de, 0x2484, "[10de:2484]");
		pci_names_done(&names);
		pci_names_done(&names);
	}
}

/* Every length of a list that breaks off. */
static void test_truncated_list(void **state)
{
	const struct tree *tree = *state;

	for (size_t size = 0; size < sizeof(list); size += 3) {
		struct pci_names names = { 0 };
		struct pci_device device = { .vendor = 0x14e4, .device = 0x1657 };
		char *name;

		tree_bytes(tree, PCI_IDS, list, size);
		name = pci_name(&names, &tree->root, &device);
		assert_non_null(name);
		assert_true(*name);
		free(name);
		pci_names_done(&names);
	}
}

/* Longer than the room for it: cut, not written past its end. */
static void test_long_names(void **state)
{
	cleanup_pci_names struct pci_names names = { 0 };
	struct pci_device device = { .vendor = 0x8086, .device = 0x10d3 };
	const struct tree *tree = *state;
	char word[600];
	char *name;

	memset(word, 'x', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	tree_file(tree, PCI_IDS, "8086  %s\n\t10d3  %s\n", word, word);
	name = pci_name(&names, &tree->root, &device);
	assert_non_null(name);
	assert_in_range(strlen(name), 1, 600);
	free(name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(test_names),		tree_test(test_sections),
		tree_test(test_no_list),	tree_test(test_broken_list),
		tree_test(test_truncated_list), tree_test(test_long_names),
		tree_test(test_linked_list),	tree_test(test_no_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
