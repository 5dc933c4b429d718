/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: vm/layout.c: which layout is chosen, and what is left as it is. What each one sets is in tests/cli. */
#include <errno.h>

#include "test.h"
#include "tree.h"

#include "wanted/layout.h"

static void parse(const char *text, struct vm_config *config)
{
	assert_int_equal(vm_config_parse(NULL, "file", text, strlen(text), config, NULL), 0);
}

static void test_choose(void **state)
{
	static const struct {
		enum layout_kind kind;
		uint16_t vendor;
		const char *config;
		bool has_display;
		const char *romfile, *layout;
	} rows[] = {
		{ LAYOUT_GPU, 0x10de, "", false, NULL, "gpu-seabios-pci" },
		{ LAYOUT_GPU, 0x10de, "machine: q35\n", false, NULL, "gpu-seabios-pcie" },
		{ LAYOUT_GPU, 0x10de, "machine: pc-q35-9.0\nbios: ovmf\n", false, NULL, "nvidia" },
		{ LAYOUT_GPU, 0x1002, "machine: q35\nbios: ovmf\n", false, NULL, "gpu-ovmf-pcie" },
		{ LAYOUT_GPU, 0x10de, "bios: ovmf\n", false, NULL, "gpu-ovmf-pci" },
		{ LAYOUT_GPU, 0x1002, "bios: seabios\n", false, NULL, "gpu-seabios-pci" },
		{ LAYOUT_GPU, 0x10de, "machine: q35\nbios: ovmf\n", true, NULL, "gpu-second" },
		{ LAYOUT_COMPUTE, 0x10de, "machine: q35\nbios: ovmf\n", false, NULL, "gpu-second" },
		{ LAYOUT_INTEL_IGPU, 0x8086, "", false, NULL, "igpu" },
		{ LAYOUT_INTEL_IGPU, 0x8086, "machine: q35\n", false, NULL, "igpu-pcie" },
		{ LAYOUT_INTEL_IGPU, 0x8086, "machine: q35\nostype: win11\n", false, NULL,
		  "igpu-pcie" },
		{ LAYOUT_INTEL_IGPU, 0x8086, "machine: q35\nostype: l26\n", false, NULL, "igpu" },
		{ LAYOUT_INTEL_IGPU, 0x8086, "", false, "x.rom", "igpu-args" },
		{ LAYOUT_AMD_APU, 0x1002, "", false, NULL, "amd-apu" },
		{ LAYOUT_NIC, 0, "", false, NULL, "nic" },
		{ LAYOUT_DISK, 0, "scsi0: local:vm-101-disk-0\n", false, NULL, "disk" },
		{ LAYOUT_USB, 0, "", false, NULL, "usb" },
		{ LAYOUT_PLAIN, 0, "", false, NULL, "plain" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct layout_device device = { .kind = rows[i].kind,
						.vendor = rows[i].vendor,
						.romfile = rows[i].romfile };
		cleanup_vm_config struct vm_config config = { 0 };

		parse(rows[i].config, &config);
		assert_text(layout_name(layout_choose(&device, &config, rows[i].has_display)),
			    rows[i].layout);
	}
}

/* Its ROM is what starts a VM that has no other disk. */
static void test_choose_hba(void **state)
{
	static const struct layout_device hba = { .kind = LAYOUT_DISK, .hba = true };
	static const char *const configs[] = { "scsi0: local:vm-101-disk-0\n",
					       "ide2: none,media=cdrom\n" };

	(void)state;
	for (size_t i = 0; i < COUNT(configs); i++) {
		cleanup_vm_config struct vm_config config = { 0 };

		parse(configs[i], &config);
		assert_text(layout_name(layout_choose(&hba, &config, false)), i ? "disk" : "hba");
	}
}

static void test_kinds(void **state)
{
	static const struct {
		uint16_t vendor;
		uint32_t class_code;
		const char *address;
		enum layout_kind kind;
	} rows[] = {
		{ 0x10de, 0x030000, "0000:01:00.0", LAYOUT_GPU },
		{ 0x10de, 0x030200, "0000:01:00.0", LAYOUT_COMPUTE },
		{ 0x1002, 0x120000, "0000:01:00.0", LAYOUT_COMPUTE },
		{ 0x8086, 0x120000, "0000:01:00.0", LAYOUT_PLAIN },
		{ 0x8086, 0x030000, "0000:00:02.0", LAYOUT_INTEL_IGPU },
		{ 0x8086, 0x030000, "0000:03:00.0", LAYOUT_GPU },
		{ 0x1002, 0x038000, "0000:01:00.0", LAYOUT_COMPUTE },
		{ 0x8086, 0x020000, "0000:01:00.0", LAYOUT_NIC },
		{ 0x8086, 0x010601, "0000:01:00.0", LAYOUT_DISK },
		{ 0x8086, 0x0c0330, "0000:01:00.0", LAYOUT_USB },
		{ 0x8086, 0x0c0500, "0000:01:00.0", LAYOUT_PLAIN },
		{ 0x1a03, 0x030000, "0000:01:00.0", LAYOUT_PLAIN },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct tree *tree = *state;
		struct tree_device made = { .address = rows[i].address,
					    .vendor = rows[i].vendor,
					    .device = 1,
					    .class_code = rows[i].class_code };
		struct pci_address address;
		struct pci_selection selection = { .functions = { &address, 1 } };
		struct layout_device device;

		tree_add_device(tree, &made);
		assert_int_equal(pci_address_parse(rows[i].address, &address), 0);
		assert_int_equal(layout_device_read(&tree->root, &selection, &device, NULL), 0);
		assert_int_equal(device.kind, rows[i].kind);
		assert_text(device.function, rows[i].address + 5);
	}
}

/* Intel graphics with virtual functions: the slot would be all of them, and they have no outputs. */
static void test_virtual(void **state)
{
	static const char *const names[] = { "0000:00:02.0", "0000:00:02.1" };
	const struct tree *tree = *state;
	cleanup_vm_config struct vm_config config = { 0 };

	parse("machine: q35\n", &config);
	for (size_t count = 1; count <= COUNT(names); count++) {
		cleanup_vm_edit struct vm_edit edit = { 0 };
		struct pci_address address;
		struct pci_selection selection = { .functions = { &address, 1 } };
		struct layout_device device;

		tree_add_device(tree, &(struct tree_device){ .address = names[count - 1],
							     .vendor = 0x8086,
							     .class_code = 0x030000 });
		assert_int_equal(pci_address_parse(names[0], &address), 0);
		assert_int_equal(layout_device_read(&tree->root, &selection, &device, NULL), 0);
		assert_int_equal(device.kind, LAYOUT_INTEL_IGPU);
		assert_int_equal(layout_apply(layout_find("igpu"), &device, &config, HOSTPCI_COUNT,
					      &edit, NULL),
				 0);
		assert_text(vm_edit_find(&edit, "hostpci0")->after,
			    count == 1 ? "00:02,pcie=1" : "00:02.0,pcie=1");
		if (count == 1)
			continue;
		tree_link(tree, "sys/devices/pci0000:00/0000:00:02.1/physfn", "../0000:00:02.0");
		assert_int_equal(pci_address_parse(names[1], &address), 0);
		assert_int_equal(layout_device_read(&tree->root, &selection, &device, NULL), 0);
		assert_int_equal(device.kind, LAYOUT_COMPUTE);
	}
}

static void test_suits(void **state)
{
	(void)state;
	assert_true(layout_suits(layout_find("gpu-second"), LAYOUT_COMPUTE));
	assert_true(layout_suits(layout_find("gpu-second"), LAYOUT_GPU));
	assert_true(layout_suits(layout_find("gpu-ovmf-pcie"), LAYOUT_INTEL_IGPU));
	assert_true(layout_suits(layout_find("plain"), LAYOUT_NIC));
	assert_false(layout_suits(layout_find("gpu-ovmf-pcie"), LAYOUT_COMPUTE));
	assert_false(layout_suits(layout_find("igpu"), LAYOUT_GPU));
	assert_false(layout_suits(layout_find("nic"), LAYOUT_GPU));
	assert_null(layout_find("nosuch"));
	for (size_t i = 0; layout_at(i); i++)
		assert_ptr_equal(layout_find(layout_name(layout_at(i))), layout_at(i));
}

/* What a VM has by another name is not set once more. */
static void test_left_alone(void **state)
{
	static const struct {
		const char *layout, *config, *changes;
	} rows[] = {
		{ "nvidia", "bios: ovmf\nmachine: pc-q35-9.0\ncpu: host,hidden=1\n", "hostpci0 " },
		{ "nvidia", "bios: ovmf\nmachine: q35\nvga: none\ncpu: host\nballoon: 0\n",
		  "hostpci0 " },
		{ "nvidia", "", "bios machine cpu hostpci0 " },
		{ "gpu-seabios-pci", "bios: seabios\n", "hostpci0 " },
		{ "gpu-seabios-pci", "bios: ovmf\nmachine: q35\n", "bios hostpci0 " },
		{ "igpu-legacy", "machine: pc-i440fx-9.0\nvga: none\n", "hostpci0 " },
		{ "igpu-legacy", "machine: q35\nbios: ovmf\n", "bios machine vga hostpci0 " },
		{ "gpu-second", "vga: std\nballoon: 512\n", "balloon hostpci0 " },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct layout_device device = { .function = "01:00.0", .slot = "01:00" };
		cleanup_vm_config struct vm_config config = { 0 };
		cleanup_vm_edit struct vm_edit edit = { 0 };
		cleanup_text struct text text = { 0 };
		cleanup_free char *changes = NULL;

		parse(rows[i].config, &config);
		assert_int_equal(layout_apply(layout_find(rows[i].layout), &device, &config,
					      HOSTPCI_COUNT, &edit, NULL),
				 0);
		for (size_t k = 0; k < edit.count; k++)
			text_add(&text, "%s ", edit.items[k].key);
		changes = text_take(&text);
		assert_text(changes, rows[i].changes);
	}
}

static void test_has_disk(void **state)
{
	static const struct {
		const char *config;
		bool has;
	} rows[] = {
		{ "scsi0: local:101/a.qcow2\n", true },
		{ "virtio15: x\n", true },
		{ "sata0: x\n", true },
		{ "ide0: x\n", true },
		{ "ide2: none,media=cdrom\n", false },
		{ "ide2: local:iso/debian.iso,media=cdrom\n", false },
		{ "scsihw: virtio-scsi-pci\nunused0: local:101/a.qcow2\n", false },
		{ "efidisk0: local:101/b.qcow2\n", false },
		{ "", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		cleanup_vm_config struct vm_config config = { 0 };

		parse(rows[i].config, &config);
		assert_row(rows[i].config, vm_config_has_disk(&config) == rows[i].has);
	}
}

static void test_no_room(void **state)
{
	struct layout_device device = { .function = "01:00.0", .slot = "01:00" };
	cleanup_vm_config struct vm_config config = { 0 };
	cleanup_vm_edit struct vm_edit edit = { 0 };
	cleanup_text struct text text = { 0 };
	cleanup_free char *lines = NULL;

	(void)state;
	for (unsigned i = 0; i < HOSTPCI_COUNT; i++)
		text_add(&text, "hostpci%u: 02:00.0\n", i);
	lines = text_take(&text);
	parse(lines, &config);
	assert_int_equal(layout_apply(layout_find("plain"), &device, &config, HOSTPCI_COUNT, &edit,
				      NULL),
			 -ENOSPC);
	assert_int_equal(layout_apply(layout_find("plain"), &device, &config, 3, &edit, NULL), 0);
	assert_text(vm_edit_find(&edit, "hostpci3")->after, "01:00.0");
	assert_int_equal(layout_apply(layout_find("igpu-args"), &device, &config, HOSTPCI_COUNT,
				      &edit, NULL),
			 -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_choose),	 cmocka_unit_test(test_choose_hba),
		tree_test(test_virtual),	 tree_test(test_kinds),
		cmocka_unit_test(test_suits),	 cmocka_unit_test(test_left_alone),
		cmocka_unit_test(test_has_disk), cmocka_unit_test(test_no_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
