/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: check/romimage.c: a ROM the VM's firmware runs, and each way in which it does not. */
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
	assert_int_equal(count_ignored(machine, "hostpci0: 01:00,romfile=x.rom\n"), 0);
	assert_int_equal(count_ignored(machine, "bios: ovmf\nhostpci0: 01:00,romfile=x.rom\n"), 0);

	/* a wrong checksum stops SeaBIOS, and OVMF does not look at it */
	made.data[0x30]++;
	put_rom(machine, &made);
	assert_int_equal(count_ignored(machine, "hostpci0: 01:00,romfile=x.rom\n"), 1);
	assert_int_equal(count_ignored(machine, "bios: ovmf\nhostpci0: 01:00,romfile=x.rom\n"), 0);
	assert_int_equal(count_ignored(machine, "template: 1\nhostpci0: 01:00,romfile=x.rom\n"), 0);
	assert_int_equal(count_ignored(machine, "hostpci0: 01:00\n"), 0);

	/* bytes that are no ROM at all */
	tree_file(&machine->tree, "usr/share/kvm/x.rom", "garbage");
	assert_int_equal(count_ignored(machine, "hostpci0: 01:00,romfile=x.rom\n"), 1);
	assert_findings(machine, "romfile-ignored hostpci0: SeaBIOS ignores the romfile "
				 "'/usr/share/kvm/x.rom' of " GPU ": There is no option ROM in the "
				 "file.\n");
	assert_int_equal(count_ignored(machine, "bios: ovmf\nhostpci0: 01:00,romfile=x.rom\n"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_firmware, machine_setup, machine_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
