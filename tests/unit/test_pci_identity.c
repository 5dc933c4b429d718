/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: pci/identity.c: PCI Express Base Specification 4.0, 7.6.3 and 7.9.3. */
#include "test.h"
#include "tree.h"

#include "pci/identity.h"

#define NIC    "0000:01:00.0"
#define CONFIG "sys/devices/pci0000:00/" NIC "/config"

static void put(unsigned char *config, size_t offset, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++)
		config[offset + i] = (unsigned char)(value >> 8 * i);
}

static uint32_t header(unsigned id, unsigned next)
{
	return id | 1u << 16 | next << 20;
}

static void assert_serial(const struct tree *tree, const char *what, const void *config,
			  size_t size, const char *serial)
{
	struct pci_address address = { .bus = 1 };
	struct pci_identity identity;
	struct pci_device device = { 0 };
	struct error err = { 0 };

	if (config)
		tree_bytes(tree, CONFIG, config, size);
	else
		tree_remove(tree, CONFIG);
	assert_int_equal(pci_device_read(&tree->root, address, &device, &err), 0);
	pci_identity_read(&tree->root, &device, &identity);
	assert_row(what, strcmp(identity.serial, serial) == 0);
	assert_int_equal(identity.vendor, 0x10de);
	assert_int_equal(identity.device, 0x2484);
	assert_int_equal(identity.class_code, 0x030000);
	pci_device_done(&device);
}

static void test_serial(void **state)
{
	static unsigned char config[0x1000];
	const struct tree *tree = *state;

	tree_add_device(tree,
			&(struct tree_device){ NIC, 0x10de, 0x2484, 0x030000, .driver = NULL });
	assert_serial(tree, "no config", NULL, 0, "");
	assert_serial(tree, "what only root may read is cut", config, 64, "");
	assert_serial(tree, "no extended space", config, 256, "");
	assert_serial(tree, "no capability", config, sizeof(config), "");

	put(config, 0x100, header(3, 0));
	put(config, 0x104, 0xff123456);
	put(config, 0x108, 0x525400ff);
	assert_serial(tree, "the first", config, sizeof(config), "52-54-00-ff-ff-12-34-56");
	assert_serial(tree, "to the last byte", config, 0x10c, "52-54-00-ff-ff-12-34-56");
	assert_serial(tree, "cut in it", config, 0x10b, "");

	put(config, 0x100, header(1, 0x148));
	put(config, 0x148, header(2, 0xff4));
	put(config, 0xff4, header(3, 0));
	put(config, 0xff8, 1);
	put(config, 0xffc, 0);
	assert_serial(tree, "the last of three", config, sizeof(config), "00-00-00-00-00-00-00-01");
	assert_serial(tree, "cut before it", config, 0xff4, "");
}

/* Chains that lead nowhere, and nowhere out of the file. */
static void test_broken_chains(void **state)
{
	static unsigned char config[0x1000];
	const struct tree *tree = *state;

	tree_add_device(tree,
			&(struct tree_device){ NIC, 0x10de, 0x2484, 0x030000, .driver = NULL });
	put(config, 0x100, header(1, 0x100));
	assert_serial(tree, "a loop of one", config, sizeof(config), "");
	put(config, 0x100, header(1, 0x200));
	put(config, 0x200, header(2, 0x100));
	assert_serial(tree, "a loop of two", config, sizeof(config), "");
	put(config, 0x100, header(1, 0x40));
	put(config, 0x40, header(3, 0));
	assert_serial(tree, "into the header", config, sizeof(config), "");
	put(config, 0x100, header(3, 0) & 0xffff);
	put(config, 0x100, header(1, 0xfff));
	assert_serial(tree, "at the very end", config, sizeof(config), "");
	memset(config, 0xff, sizeof(config));
	assert_serial(tree, "asleep", config, sizeof(config), "");
}

static void test_matches(void **state)
{
	static const struct pci_identity one = { 0x10de, 0x2484, 0x1462, 0x3909, 0x030000, "", 0 };
	struct pci_identity other;

	(void)state;
	assert_true(pci_identity_matches(&one, &one));
#define DIFFERS(member, value)                                                                     \
	do {                                                                                       \
		other = one;                                                                       \
		other.member = value;                                                              \
		assert_false(pci_identity_matches(&one, &other));                                  \
		assert_false(pci_identity_matches(&other, &one));                                  \
	} while (0)
	DIFFERS(vendor, 0x1002);
	DIFFERS(device, 0x2485);
	DIFFERS(subsystem_vendor, 0x1463);
	DIFFERS(subsystem_device, 0x3900);
	DIFFERS(class_code, 0x030200);

	/* a serial number counts where both have one */
	other = one;
	strcpy(other.serial, "52-54-00-ff-ff-12-34-56");
	assert_true(pci_identity_matches(&one, &other));
	assert_true(pci_identity_matches(&other, &one));
	assert_true(pci_identity_matches(&other, &other));
	{
		struct pci_identity third = other;

		strcpy(third.serial, "52-54-00-ff-ff-12-34-57");
		assert_false(pci_identity_matches(&third, &other));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(test_serial),
		tree_test(test_broken_chains),
		cmocka_unit_test(test_matches),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
