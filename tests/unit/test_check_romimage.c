/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: check/romimage.c: a ROM the VM's firmware runs, and each way in which it does not. */
#include "base/array.h"
#include "rom/verdict.h"
#include "start.h"
#include "test_rom_make.h"

static void put_rom(const struct machine *machine, const struct made *made)
{
	tree_bytes(&machine->tree, "usr/share/kvm/x.rom", (const char *)made->data, made->size);
}

/* The findings of a configuration, by their ids alone. */
static size_t count_ignored(struct machine *machine, const char *config)
{
	size_t count = 0;

	machine_prepare(machine, config);
	assert_int_equal(check_romimage(&machine->start, &machine->findings, &machine->err), 0);
	for (size_t i = 0; i < machine->findings.count; i++)
		count += machine->findings.items[i].id == CHECK_ROMFILE_IGNORED;
	return count;
}

/* The display of another maker, and its functions. */
static void set_device(const struct machine *machine, const char *address, const char *vendor,
		       const char *device, const char *class_code)
{
	tree_attribute(&machine->tree, address, "vendor", vendor);
	tree_attribute(&machine->tree, address, "device", device);
	tree_attribute(&machine->tree, address, "class", class_code);
}

static void make_display(struct made *made)
{
	*made = (struct made){ 0 };
	made_display(made, 0x10de, 0x2484);
}

static void test_firmware(void **state)
{
	struct machine *machine = *state;
	struct pci_address address;
	struct rom_target target;
	struct made made = { 0 };

	assert_int_equal(pci_address_parse(GPU, &address), 0);
	assert_int_equal(rom_target_read(&machine->tree.root, address, &target, NULL), 0);
	made_display(&made, target.vendor, target.device);
	put_rom(machine, &made);
	assert_int_equal(count_ignored(machine, "hostpci0: 01:00,x-vga=1,romfile=x.rom\n"), 0);
	assert_int_equal(count_ignored(machine, "bios: ovmf\nhostpci0: 01:00,romfile=x.rom\n"), 0);

	/* a wrong checksum stops SeaBIOS, and OVMF does not look at it */
	made.data[0x30]++;
	put_rom(machine, &made);
	assert_int_equal(count_ignored(machine, "hostpci0: 01:00,x-vga=1,romfile=x.rom\n"), 1);
	assert_int_equal(count_ignored(machine, "bios: ovmf\nhostpci0: 01:00,romfile=x.rom\n"), 0);
	assert_int_equal(count_ignored(machine,
				       "template: 1\nhostpci0: 01:00,x-vga=1,romfile=x.rom\n"),
			 0);
	assert_int_equal(count_ignored(machine, "hostpci0: 01:00\n"), 0);
	assert_string_equal(check_describe(CHECK_ROMFILE_IGNORED)->id, "romfile-ignored");

	/* bytes that are no ROM at all */
	tree_file(&machine->tree, "usr/share/kvm/x.rom", "garbage");
	assert_int_equal(count_ignored(machine, "hostpci0: 01:00,x-vga=1,romfile=x.rom\n"), 1);
	assert_findings(machine, "romfile-ignored hostpci0: SeaBIOS ignores the romfile "
				 "'/usr/share/kvm/x.rom' of " GPU ": There is no option ROM in the "
				 "file.\n");
	assert_int_equal(count_ignored(machine, "bios: ovmf\nhostpci0: 01:00,romfile=x.rom\n"), 1);
}

/* The repair that is named is the one that was tried, with the file's own name. */
static void test_repair(void **state)
{
	struct machine *machine = *state;
	struct made made;

	make_display(&made);
	made.data[0x30]++;
	put_rom(machine, &made);
	assert_int_equal(count_ignored(machine, "hostpci0: 01:00,x-vga=1,romfile=x.rom\n"), 1);
	assert_string_equal(finding_remedy(&machine->findings.items[0]),
			    "This repairs it, and keeps a copy of what it was: 'pve-vfio rom fix "
			    "/usr/share/kvm/x.rom --in-place --checksum'.");
	/* what is cut short has none, and is told though the firmware would run the rest */
	made.size -= 512;
	made.data[0x30]--;
	put_rom(machine, &made);
	assert_int_equal(count_ignored(machine, "hostpci0: 01:00,x-vga=1,romfile=x.rom\n"), 1);
	assert_findings(machine,
			"romfile-ignored hostpci0: The romfile '/usr/share/kvm/x.rom' of " GPU
			" is cut short.\n");
}

/* SeaBIOS starts the ROM of one display, the first VGA device. */
static void test_first_display(void **state)
{
	static const struct {
		const char *config, *class_code;
		size_t ignored;
	} rows[] = {
		{ "hostpci0: 01:00,romfile=x.rom\n", "0x030000", 1 },
		{ "vga: std\nhostpci0: 01:00,x-vga=1,romfile=x.rom\n", "0x030000", 1 },
		{ "vga: virtio\nhostpci0: 01:00,romfile=x.rom\n", "0x030000", 1 },
		{ "vga: none\nhostpci0: 01:00,romfile=x.rom\n", "0x030000", 0 },
		{ "vga: type=none\nhostpci0: 01:00,romfile=x.rom\n", "0x030000", 0 },
		{ "vga: serial0\nhostpci0: 01:00,romfile=x.rom\n", "0x030000", 0 },
		{ "hostpci0: 01:00,x-vga=1,romfile=x.rom\n", "0x030000", 0 },
		{ "hostpci0: 01:00,romfile=x.rom\n", "0x038000", 1 },
		{ "vga: none\nhostpci0: 01:00,romfile=x.rom\n", "0x038000", 0 },
		/* a 3D controller is no display to SeaBIOS, and its ROM one like any other */
		{ "hostpci0: 01:00,romfile=x.rom\n", "0x030200", 0 },
		{ "bios: ovmf\nhostpci0: 01:00,romfile=x.rom\n", "0x030000", 0 },
		/* another VGA device before it, or none before a display controller */
		{ "vga: none\nhostpci0: 02:00.0\nhostpci1: 01:00,romfile=x.rom\n", "0x030000", 1 },
		{ "vga: none\nhostpci1: 02:00.0\nhostpci0: 01:00,romfile=x.rom\n", "0x030000", 0 },
		{ "vga: none\nhostpci1: 02:00.0\nhostpci0: 01:00,romfile=x.rom\n", "0x038000", 1 },
	};
	struct machine *machine = *state;
	struct made made;

	make_display(&made);
	put_rom(machine, &made);
	set_device(machine, NIC, "0x10de", "0x2488", "0x030000");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		set_device(machine, GPU, "0x10de", "0x2484", rows[i].class_code);
		if (count_ignored(machine, rows[i].config) != rows[i].ignored)
			fail_msg("row %zu: %s", i, rows[i].config);
	}
}

/* AMD graphics in the processor: the video BIOS for amdgpu, and the UEFI driver elsewhere. */
static void test_two_files(void **state)
{
	struct machine *machine = *state;
	struct made vbios = { 0 }, gop = { 0 };

	set_device(machine, GPU, "0x1002", "0x1638", "0x030000");
	set_device(machine, AUDIO, "0x1002", "0x1637", "0x040300");
	made_add(&vbios, (struct made_image){ .vendor = 0x1002,
					      .device = 0x1638,
					      .blocks = 8,
					      .last = true,
					      .class_code = 0x030000 });
	made_atom(&vbios, 0);
	put_rom(machine, &vbios);
	made_add(&gop, (struct made_image){ .code = 3,
					    .vendor = 0x1002,
					    .device = 0x1637,
					    .blocks = 8,
					    .last = true });
	tree_bytes(&machine->tree, "usr/share/kvm/gop.rom", (const char *)gop.data, gop.size);
	assert_int_equal(count_ignored(machine, "bios: ovmf\n"
						"hostpci0: 01:00.0,romfile=x.rom\n"
						"hostpci1: 01:00.1,romfile=gop.rom\n"),
			 0);
	assert_int_equal(machine->findings.count, 0);
	/* each alone is told as before, and so is a UEFI driver that is none */
	assert_int_equal(count_ignored(machine, "bios: ovmf\nhostpci0: 01:00.0,romfile=x.rom\n"),
			 1);
	assert_int_equal(count_ignored(machine, "bios: ovmf\n"
						"hostpci0: 01:00.0,romfile=x.rom\n"
						"hostpci1: 02:00.0,romfile=gop.rom\n"),
			 1);
	assert_int_equal(count_ignored(machine, "bios: ovmf\n"
						"hostpci0: 01:00.0,romfile=x.rom\n"
						"hostpci1: 01:00.1,romfile=x.rom\n"),
			 2);
}

static void test_not_a_rom(void **state)
{
	struct machine *machine = *state;

	tree_file(&machine->tree, "usr/share/kvm/x.rom", "cat: rom: Input/output error\n");
	assert_int_equal(count_ignored(machine, "bios: ovmf\nhostpci0: 01:00,romfile=x.rom\n"), 1);
	assert_non_null(
		strstr(finding_remedy(&machine->findings.items[0]), "'head /usr/share/kvm/x.rom'"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_repair, machine_setup, machine_teardown),
		cmocka_unit_test_setup_teardown(test_first_display, machine_setup,
						machine_teardown),
		cmocka_unit_test_setup_teardown(test_two_files, machine_setup, machine_teardown),
		cmocka_unit_test_setup_teardown(test_not_a_rom, machine_setup, machine_teardown),
		cmocka_unit_test_setup_teardown(test_firmware, machine_setup, machine_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
