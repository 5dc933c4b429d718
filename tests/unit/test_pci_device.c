/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: pci/device.c, on trees that look as sysfs does. */
#include "test.h"
#include "tree.h"

#include "pci/device.h"
#include "pci/driver.h"

#define NIC "0000:01:00.0"

static struct pci_address parse(const char *text)
{
	struct pci_address address = { 0 };

	assert_int_equal(pci_address_parse(text, &address), 0);
	return address;
}

static int read_device(const struct tree *tree, const char *address, struct pci_device *ret,
		       struct error *err)
{
	*err = (struct error){ 0 };
	return pci_device_read(&tree->root, parse(address), ret, err);
}

static void test_attribute_path(void **state)
{
	char path[SYSROOT_PATH_MAX];

	(void)state;
	pci_attribute_path(path, NIC, "driver_override");
	assert_string_equal(path, "sys/bus/pci/devices/" NIC "/driver_override");
	pci_attribute_path(path, NIC, "");
	assert_string_equal(path, "sys/bus/pci/devices/" NIC);
}

static void test_read(void **state)
{
	const struct tree *tree = *state;
	struct pci_device device = { 0 };
	struct error err;

	tree_add_device(tree, &(struct tree_device){ NIC, 0x10de, 0x2484, 0x030000,
						     .driver = "nouveau", .group = 14 });
	tree_attribute(tree, NIC, "subsystem_vendor", "0x1462");
	tree_attribute(tree, NIC, "subsystem_device", "0x3909");
	assert_int_equal(read_device(tree, NIC, &device, &err), 0);
	assert_string_equal(device.name, NIC);
	assert_true(pci_address_equal(device.address, parse(NIC)));
	assert_int_equal(device.vendor, 0x10de);
	assert_int_equal(device.device, 0x2484);
	assert_int_equal(device.subsystem_vendor, 0x1462);
	assert_int_equal(device.subsystem_device, 0x3909);
	assert_int_equal(device.class_code, 0x030000);
	assert_int_equal(device.iommu_group, 14);
	assert_string_equal(device.driver, "nouveau");
	assert_false(device.bridge);
	pci_device_done(&device);
	pci_device_done(&device);
	assert_null(device.driver);
}

/* No driver, no IOMMU group, no subsystem: all can be missing. */
/* All ids come of it where it is whole; else each comes of its own attribute. */
static void test_modalias(void **state)
{
	static const char *const others[] = {
		"pci:v000015B3d0000101Esv0sd0bc02sc00i00",
		"pci:v000015B3d0000101Esv000015B3sd00000001bc02sc00i0",
		"pci:v000015B3d0000101Esv000015B3sd00000001bc02sc00i00x",
		"pci:v100015B3d0000101Esv000015B3sd00000001bc02sc00i00",
		"usb:v000015B3d0000101Esv000015B3sd00000001bc02sc00i00",
		"",
	};
	const struct tree *tree = *state;
	struct pci_device device = { 0 };
	struct error err;

	tree_add_device(tree, &(struct tree_device){ NIC, 0x10de, 0x2484, 0x030000, .group = 14 });
	tree_attribute(tree, NIC, "modalias",
		       "pci:v00008086d000010D3sv00001AF4sd0000A01Fbc02sc00i01");
	assert_int_equal(read_device(tree, NIC, &device, &err), 0);
	assert_int_equal(device.vendor, 0x8086);
	assert_int_equal(device.device, 0x10d3);
	assert_int_equal(device.subsystem_vendor, 0x1af4);
	assert_int_equal(device.subsystem_device, 0xa01f);
	assert_int_equal(device.class_code, 0x020001);
	pci_device_done(&device);
	for (size_t i = 0; i < COUNT(others); i++) {
		tree_attribute(tree, NIC, "modalias", others[i]);
		assert_int_equal(read_device(tree, NIC, &device, &err), 0);
		assert_int_equal(device.vendor, 0x10de);
		assert_int_equal(device.device, 0x2484);
		assert_int_equal(device.class_code, 0x030000);
		pci_device_done(&device);
	}
}

static void test_read_bare(void **state)
{
	const struct tree *tree = *state;
	struct pci_device device = { 0 };
	struct error err;

	tree_add_device(tree, &(struct tree_device){ .address = "10000:e1:00.0" });
	assert_int_equal(read_device(tree, "10000:e1:00.0", &device, &err), 0);
	assert_string_equal(device.name, "10000:e1:00.0");
	assert_null(device.driver);
	assert_int_equal(device.iommu_group, IOMMU_GROUP_NONE);
	assert_int_equal(device.subsystem_vendor, 0);
	pci_device_done(&device);

	/* group 0 is a group */
	tree_group(tree, "10000:e1:00.0", 0);
	assert_int_equal(read_device(tree, "10000:e1:00.0", &device, &err), 0);
	assert_int_equal(device.iommu_group, 0);
	pci_device_done(&device);
}

/* The header type where it can be read, else the class: PCI 3.0, 6.1. */
static void test_bridge(void **state)
{
	static const struct {
		const char *what;
		unsigned class_code;
		int header; /* -1: no config, -2: cut short */
		bool bridge;
	} rows[] = {
		{ "an endpoint", 0x020000, 0x00, false },
		{ "an endpoint with several functions", 0x020000, 0x80, false },
		{ "a bridge", 0x060400, 0x01, true },
		{ "a bridge with several functions", 0x060400, 0x81, true },
		{ "CardBus", 0x060700, 0x02, true },
		/* of class bridge and no bridge: the host bridge and the ISA bridge are endpoints */
		{ "the host bridge", 0x060000, 0x00, false },
		{ "the ISA bridge", 0x060100, 0x80, false },
		{ "a bridge that says it is a NIC", 0x020000, 0x01, true },
		{ "a sleeping endpoint", 0x020000, 0xff, false },
		{ "a sleeping bridge", 0x060400, 0xff, true },
		{ "a sleeping subtractive bridge", 0x060401, 0xff, true },
		{ "a recorded endpoint", 0x020000, -1, false },
		{ "a recorded bridge", 0x060400, -1, true },
		{ "a recorded host bridge", 0x060000, -1, false },
		{ "a bridge with less than a header", 0x060400, -2, true },
		{ "an endpoint with less than a header", 0x020000, -2, false },
	};
	const struct tree *tree = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		static const char path[] = "sys/devices/pci0000:00/" NIC "/config";
		unsigned char header[64] = { 0 };
		struct pci_device device = { 0 };
		struct error err;

		tree_add_device(tree, &(struct tree_device){ NIC, .class_code = rows[i].class_code,
							     .no_config = true });
		memset(header, rows[i].header == 0xff ? 0xff : 0x11, sizeof(header));
		header[0x0e] = (unsigned char)rows[i].header;
		tree_remove(tree, path);
		if (rows[i].header != -1)
			tree_bytes(tree, path, header, rows[i].header == -2 ? 63 : 64);
		assert_row(rows[i].what, read_device(tree, NIC, &device, &err) == 0);
		assert_row(rows[i].what, device.bridge == rows[i].bridge);
		pci_device_done(&device);
	}
}

static void test_read_fails(void **state)
{
	const struct tree *tree = *state;
	struct pci_device device = { .iommu_group = 4711 };
	struct error err;

	assert_int_equal(read_device(tree, NIC, &device, &err), -ENODEV);
	assert_string_equal(err.message,
			    "there is no PCI device '" NIC "'; 'pve-vfio devices' lists them");

	tree_add_device(tree, &(struct tree_device){ NIC, .driver = "e1000e" });
	tree_attribute(tree, NIC, "class", "network");
	assert_int_equal(read_device(tree, NIC, &device, &err), -EINVAL);
	assert_string_equal(err.message,
			    NIC ": cannot read its identity from sysfs: Invalid argument");
	tree_remove(tree, "sys/devices/pci0000:00/" NIC "/class");
	assert_int_equal(read_device(tree, NIC, &device, &err), -ENOENT);

	tree_attribute(tree, NIC, "class", "0x020000");
	tree_link(tree, "sys/devices/pci0000:00/" NIC "/iommu_group", "../../groups/x1");
	assert_int_equal(read_device(tree, NIC, &device, &err), -EBADMSG);
	tree_link(tree, "sys/devices/pci0000:00/" NIC "/iommu_group", "../../groups/2147483648");
	assert_int_equal(read_device(tree, NIC, &device, &err), -EBADMSG);
	assert_int_equal(device.iommu_group, 4711); /* written on success alone */
}

/* What cannot be opened for a moment is not gone: a device that is gone is given back to nobody. */
static void test_cannot_open(void **state)
{
	struct tree *tree = *state;
	struct pci_device device = { 0 };
	char *driver = NULL;
	struct error err;

	tree_add_device(tree, &(struct tree_device){ NIC, .driver = NULL });
	tree_refuse(tree, "sys/bus/pci/devices/" NIC, 1, -EMFILE);
	assert_int_equal(read_device(tree, NIC, &device, &err), -EMFILE);
	assert_string_equal(err.message,
			    "cannot open '/sys/bus/pci/devices/" NIC "': Too many open files");
	assert_int_equal(pci_driver_read(&tree->root, NIC, &driver), -EMFILE);
	tree_refuse(tree, NULL, 0, 0);
	assert_int_equal(pci_driver_read(&tree->root, NIC, &driver), 0);
	assert_null(driver);
	assert_int_equal(pci_driver_read(&tree->root, "0000:09:00.0", &driver), -ENODEV);
}

static void assert_addresses(const struct pci_addresses *addresses, const char *const *names,
			     size_t count)
{
	assert_int_equal(addresses->count, count);
	for (size_t i = 0; i < count; i++)
		assert_true(pci_address_equal(addresses->items[i], parse(names[i])));
}

static void test_list(void **state)
{
	static const char *const ordered[] = { "0000:00:1f.0", "0000:01:00.0", "0000:01:00.1",
					       "0000:0a:00.0", "0001:00:00.0", "10000:e1:00.0" };
	cleanup_pci_addresses struct pci_addresses addresses = { 0 };
	const struct tree *tree = *state;
	struct error err = { 0 };

	assert_int_equal(pci_devices_list(&tree->root, &addresses, &err), -ENOENT);
	assert_string_equal(err.message, "cannot list the PCI devices in /sys/bus/pci/devices: No "
					 "such file or directory");
	tree_folder(tree, "sys/bus/pci/devices");
	assert_int_equal(pci_devices_list(&tree->root, &addresses, &err), 0);
	assert_int_equal(addresses.count, 0);

	for (size_t i = COUNT(ordered); i > 0; i--)
		tree_add_device(tree, &(struct tree_device){ .address = ordered[i - 1] });
	tree_folder(tree, "sys/bus/pci/devices/other");
	assert_int_equal(pci_devices_list(&tree->root, &addresses, &err), 0);
	assert_addresses(&addresses, ordered, COUNT(ordered));
}

static void test_group(void **state)
{
	static const char *const members[] = { "0000:00:01.0", "0000:01:00.0", "0000:01:00.1" };
	cleanup_pci_addresses struct pci_addresses addresses = { 0 };
	const struct tree *tree = *state;
	struct error err = { 0 };

	tree_add_device(tree, &(struct tree_device){ members[2], .group = 14 });
	tree_add_device(tree, &(struct tree_device){ members[1], .group = 14 });
	tree_add_device(tree, &(struct tree_device){ members[0], .group = 14, .bridge = true });
	tree_add_device(tree, &(struct tree_device){ "0000:02:00.0", .group = 15 });
	/* of another bus */
	tree_link(tree, "sys/kernel/iommu_groups/14/devices/AMDI0009:00", "nowhere");
	assert_int_equal(iommu_group_members(&tree->root, 14, &addresses, &err), 0);
	assert_addresses(&addresses, members, COUNT(members));

	assert_int_equal(iommu_group_members(&tree->root, 16, &addresses, &err), -ENOENT);
	assert_string_equal(err.message,
			    "cannot list the members of IOMMU group 16 in "
			    "/sys/kernel/iommu_groups/16/devices: No such file or directory");
}

static void test_addresses(void **state)
{
	cleanup_pci_addresses struct pci_addresses addresses = { 0 };

	(void)state;
	assert_false(pci_addresses_has(&addresses, parse(NIC)));
	for (uint8_t bus = 0; bus < 100; bus++)
		assert_int_equal(pci_addresses_add(&addresses,
						   (struct pci_address){ 0, bus, 0, 0 }),
				 0);
	assert_true(pci_addresses_has(&addresses, parse("0000:63:00.0")));
	assert_false(pci_addresses_has(&addresses, parse("0000:64:00.0")));
	assert_false(pci_addresses_has(&addresses, parse("0001:63:00.0")));
	pci_addresses_done(&addresses);
	assert_int_equal(addresses.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_attribute_path),
		tree_test(test_read),
		tree_test(test_modalias),
		tree_test(test_read_bare),
		tree_test(test_bridge),
		tree_test(test_read_fails),
		tree_test(test_cannot_open),
		tree_test(test_list),
		tree_test(test_group),
		cmocka_unit_test(test_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
