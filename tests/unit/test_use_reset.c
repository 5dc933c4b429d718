/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How far a reset reaches, and a device that does not answer. */
#include "test.h"
#include "tree.h"
#include "use/reset.h"

#define ADDRESS "0000:01:00.0"

/* A function behind a bridge, as sysfs nests it. */
static void build(const struct tree *tree, bool behind_bridge)
{
	tree_add_device(tree, &(struct tree_device){ .address = ADDRESS });
	if (behind_bridge)
		tree_link(tree, "sys/bus/pci/devices/" ADDRESS,
			  "../../../devices/pci0000:00/0000:00:01.0/" ADDRESS);
}

static void methods_tell_the_reach(void **state)
{
	static const struct {
		const char *name, *methods;
		bool reset, behind_bridge;
		enum reset_reach reach;
	} rows[] = {
		{ "function level", "flr", true, true, RESET_FUNCTION },
		{ "power management beside the bus", "pm bus", true, true, RESET_FUNCTION },
		{ "the bus beside a quirk", "bus device_specific", true, true, RESET_FUNCTION },
		{ "the bus alone", "bus", true, true, RESET_BUS },
		{ "emptied by root", "", true, true, RESET_BUS },
		{ "none, behind a bridge", NULL, false, true, RESET_BUS },
		{ "none, on a root bus", NULL, false, false, RESET_NONE },
		{ "before Linux 5.15", NULL, true, false, RESET_FUNCTION },
	};
	struct tree *tree = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		tree_remove(tree, "sys/devices");
		build(tree, false);
		if (rows[i].methods)
			tree_attribute(tree, ADDRESS, "reset_method", rows[i].methods);
		if (rows[i].reset)
			tree_attribute(tree, ADDRESS, "reset", "");
		if (rows[i].behind_bridge) {
			tree_folder(tree, "sys/devices/pci0000:00/0000:00:01.0");
			tree_link(tree, "sys/devices/pci0000:00/0000:00:01.0/" ADDRESS,
				  "../" ADDRESS);
			build(tree, true);
			if (rows[i].methods)
				tree_attribute(tree, ADDRESS, "reset_method", rows[i].methods);
		}
		assert_row(rows[i].name, reset_reach_read(&tree->root, ADDRESS) == rows[i].reach);
	}
}

static void neighbours_are_on_the_same_bus(void **state)
{
	static const char *const others[] = { "0000:01:00.1", "0000:01:02.0", "0000:02:00.0",
					      "0001:01:00.0" };
	struct tree *tree = *state;
	struct pci_addresses neighbours = { 0 };
	struct pci_address address;
	char name[PCI_ADDRESS_TEXT];

	build(tree, false);
	for (size_t i = 0; i < COUNT(others); i++)
		tree_add_device(tree, &(struct tree_device){ .address = others[i] });
	assert_int_equal(pci_address_parse(ADDRESS, &address), 0);
	assert_int_equal(reset_neighbours_find(&tree->root, address, &neighbours, NULL), 0);
	assert_int_equal(neighbours.count, 2);
	for (size_t i = 0; i < neighbours.count; i++)
		assert_string_equal(pci_address_format(neighbours.items[i], name), others[i]);
	pci_addresses_done(&neighbours);
}

static void all_ones_are_death(void **state)
{
	struct tree *tree = *state;
	unsigned char config[256];

	build(tree, false);
	assert_false(device_is_dead(&tree->root, ADDRESS));
	memset(config, 0xff, sizeof(config));
	tree_bytes(tree, "sys/devices/pci0000:00/" ADDRESS "/config", config, sizeof(config));
	assert_true(device_is_dead(&tree->root, ADDRESS));
	/* A virtual function has no ids of its own, but the rest. */
	memset(config + 4, 0, sizeof(config) - 4);
	tree_bytes(tree, "sys/devices/pci0000:00/" ADDRESS "/config", config, sizeof(config));
	assert_false(device_is_dead(&tree->root, ADDRESS));
	tree_remove(tree, "sys/devices/pci0000:00/" ADDRESS "/config");
	assert_false(device_is_dead(&tree->root, ADDRESS));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(methods_tell_the_reach),
		tree_test(neighbours_are_on_the_same_bus),
		tree_test(all_ones_are_death),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
