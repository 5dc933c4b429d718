/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: pci/select.c. */
#include <errno.h>

#include "test.h"
#include "tree.h"

#include "pci/select.h"

static const struct tree_device devices[] = {
	{ .address = "0000:00:02.0", .vendor = 0x8086, .device = 0x5a85, .class_code = 0x030000 },
	{ .address = "0000:00:1c.0",
	  .vendor = 0x8086,
	  .device = 0x1111,
	  .class_code = 0x060400,
	  .bridge = true },
	{ .address = "0000:00:1f.3", .vendor = 0x8086, .device = 0xa170, .class_code = 0x040300 },
	{ .address = "0000:01:00.0", .vendor = 0x10de, .device = 0x2484, .class_code = 0x030000 },
	{ .address = "0000:01:00.1", .vendor = 0x10de, .device = 0x228b, .class_code = 0x040300 },
	{ .address = "0000:02:00.0", .vendor = 0x8086, .device = 0x10d3, .class_code = 0x020000 },
	{ .address = "0000:02:00.1", .vendor = 0x8086, .device = 0x10d3, .class_code = 0x020000 },
	{ .address = "0000:03:00.0", .vendor = 0x1002, .device = 0x1586, .class_code = 0x038000 },
	{ .address = "0000:03:00.1", .vendor = 0x1002, .device = 0x1640, .class_code = 0x040300 },
	{ .address = "0000:03:00.2", .vendor = 0x1022, .device = 0x17e0, .class_code = 0x108000 },
	{ .address = "0000:03:00.6", .vendor = 0x1022, .device = 0x15e3, .class_code = 0x040300 },
	{ .address = "0000:04:00.0", .vendor = 0x144d, .device = 0xa808, .class_code = 0x010802 },
	{ .address = "10000:e1:00.0", .vendor = 0x144d, .device = 0xa80a, .class_code = 0x010802 },
};

static void set_up(const struct tree *tree, struct pci_addresses *present)
{
	for (size_t i = 0; i < COUNT(devices); i++)
		tree_add_device(tree, &devices[i]);
	tree_file(tree, "usr/share/misc/pci.ids",
		  "10de  NVIDIA Corporation\n\t2484  GA104 [GeForce RTX 3070]\n"
		  "\t228b  GA104 Audio\n8086  Intel Corporation\n\t10d3  82574L Gigabit\n"
		  "\t1111  Odd bridge\n");
	assert_int_equal(pci_devices_list(&tree->root, present, NULL), 0);
}

/* "0000:01:00.0 0000:01:00.1 whole", or the error's number. */
static char *selected(const struct tree *tree, const struct pci_addresses *present,
		      const char *word, struct error *err)
{
	cleanup_pci_selection struct pci_selection selection = { 0 };
	cleanup_pci_names struct pci_names names = { 0 };
	cleanup_text struct text text = { 0 };
	int r = pci_select(&tree->root, &names, present, word, &selection, err);

	for (size_t i = 0; i < selection.functions.count; i++) {
		char name[PCI_ADDRESS_TEXT];

		text_add(&text, "%s ", pci_address_format(selection.functions.items[i], name));
	}
	if (r < 0)
		text_add(&text, "%s", r == -ENODEV ? "none" : r == -ENOTUNIQ ? "several" : "?");
	else
		text_add(&text, "%s", selection.whole ? "whole" : "part");
	return text_take(&text);
}

static void test_words(void **state)
{
	static const struct {
		const char *word, *result;
	} rows[] = {
		{ "01:00", "0000:01:00.0 0000:01:00.1 whole" },
		{ "0000:01:00", "0000:01:00.0 0000:01:00.1 whole" },
		{ "01:00.0", "0000:01:00.0 part" },
		{ "0000:01:00.1", "0000:01:00.1 part" },
		{ "02:00", "0000:02:00.0 0000:02:00.1 whole" },
		{ "02:00.1", "0000:02:00.1 part" },
		{ "00:1f", "0000:00:1f.3 whole" },
		{ "10000:e1:00", "10000:e1:00.0 whole" },
		{ "e1:00", "none" },
		{ "0A:00", "none" },
		{ "01:00.7", "none" },
		{ "01:20", "none" },
		{ "1:0:0", "none" },
		{ "", "none" },
		/* an APU comes without what belongs to the board */
		{ "03:00", "0000:03:00.0 0000:03:00.1 part" },
		{ "03:00.2", "0000:03:00.2 part" },
		/* classes */
		{ "gpu", "several" },
		{ "nic", "several" },
		{ "NVMe", "several" },
		{ "usb", "none" },
		/* names; of a display's slot the display counts */
		{ "rtx 3070", "0000:01:00.0 0000:01:00.1 whole" },
		{ "nvidia", "0000:01:00.0 0000:01:00.1 whole" },
		{ "GA104 Audio", "0000:01:00.1 part" },
		{ "82574L", "several" },
		{ "a808", "0000:04:00.0 part" },
		{ "[1002:1586]", "0000:03:00.0 0000:03:00.1 part" },
		{ "odd bridge", "none" },
	};
	const struct tree *tree = *state;
	cleanup_pci_addresses struct pci_addresses present = { 0 };

	set_up(tree, &present);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct error err = { 0 };
		cleanup_free char *got = selected(tree, &present, rows[i].word, &err);

		if (strcmp(got, rows[i].result) != 0)
			fail_msg("'%s': %s, not %s", rows[i].word, got, rows[i].result);
		if (strcmp(got, "none") == 0 || strcmp(got, "several") == 0)
			assert_row(rows[i].word, *err.message);
	}
}

static void test_list(void **state)
{
	const struct tree *tree = *state;
	cleanup_pci_addresses struct pci_addresses present = { 0 };
	cleanup_free char *got = NULL;
	struct error err = { 0 };

	set_up(tree, &present);
	got = selected(tree, &present, "gpu", &err);
	assert_text(err.message, "'gpu' means 3 devices; give the address of one:"
				 "\n  0000:00:02.0 [8086:5a85]"
				 "\n  0000:01:00.0 NVIDIA GeForce RTX 3070"
				 "\n  0000:03:00.0 [1002:1586]");
}

/* Intel graphics with virtual functions in their slot, and the display of a management controller. */
static void test_virtual(void **state)
{
	static const struct {
		const char *word, *result;
	} rows[] = {
		{ "00:02", "0000:00:02.0 part" },
		{ "gpu", "0000:00:02.0 part" },
		{ "00:02.1", "0000:00:02.1 part" },
		{ "ASPEED", "0000:03:00.0 whole" },
		/* two ports with functions of theirs have no other name */
		{ "04:00", "0000:04:00.0 0000:04:00.1 0000:04:00.2 whole" },
	};
	static const struct tree_device own[] = {
		{ .address = "0000:00:02.0", .vendor = 0x8086, .class_code = 0x030000 },
		{ .address = "0000:00:02.1", .vendor = 0x8086, .class_code = 0x030000 },
		{ .address = "0000:00:02.2", .vendor = 0x8086, .class_code = 0x030000 },
		{ .address = "0000:03:00.0",
		  .vendor = 0x1a03,
		  .device = 0x2000,
		  .class_code = 0x030000 },
		{ .address = "0000:04:00.0", .vendor = 0x8086, .class_code = 0x020000 },
		{ .address = "0000:04:00.1", .vendor = 0x8086, .class_code = 0x020000 },
		{ .address = "0000:04:00.2", .vendor = 0x8086, .class_code = 0x020000 },
	};
	const struct tree *tree = *state;
	cleanup_pci_addresses struct pci_addresses present = { 0 };

	for (size_t i = 0; i < COUNT(own); i++)
		tree_add_device(tree, &own[i]);
	tree_link(tree, "sys/devices/pci0000:00/0000:00:02.1/physfn", "../0000:00:02.0");
	tree_link(tree, "sys/devices/pci0000:00/0000:00:02.2/physfn", "../0000:00:02.0");
	tree_link(tree, "sys/devices/pci0000:00/0000:04:00.2/physfn", "../0000:04:00.0");
	tree_file(tree, "usr/share/misc/pci.ids",
		  "1a03  ASPEED Technology, Inc.\n\t2000  ASPEED Graphics Family\n");
	assert_int_equal(pci_devices_list(&tree->root, &present, NULL), 0);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct error err = { 0 };
		cleanup_free char *got = selected(tree, &present, rows[i].word, &err);

		if (strcmp(got, rows[i].result) != 0)
			fail_msg("'%s': %s, not %s", rows[i].word, got, rows[i].result);
	}
	/* a word that is known is not called unknown */
	for (size_t i = 0; i < 2; i++) {
		struct error err = { 0 };
		cleanup_free char *got = selected(tree, &present, i ? "usb" : "nosuch", &err);

		assert_string_equal(got, "none");
		assert_int_equal(strstr(err.message, "no device of this node is a 'usb'") != NULL,
				 i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(test_virtual),
		tree_test(test_words),
		tree_test(test_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
