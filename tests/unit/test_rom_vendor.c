/* SPDX-License-Identifier: GPL-2.0-or-later */
/* unit: lib/rom/vendor.c. Each structure where it should be, and one byte short of its end. */
#include "rom/vendor.h"

#include "test_rom_make.h"

static struct made made;
static struct rom rom;

static int set_up(void **state)
{
	(void)state;
	made.size = 0;
	made_display(&made, 0x1002, 0x73bf);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	rom_done(&rom);
	return 0;
}

static void parse(void)
{
	rom_done(&rom);
	assert_int_equal(rom_parse(made_bytes(&made), &rom, NULL), 0);
	assert_true(rom.count > 0);
}

static void test_atom(void **state)
{
	struct rom_atom atom = { 0 };

	(void)state;
	parse();
	assert_false(rom_atom_find(&rom.images[0], &atom));
	made_atom(&made, 0);
	parse();
	assert_true(rom_atom_find(&rom.images[0], &atom));
	assert_int_equal(atom.offset, 0x200);
	assert_int_equal(atom.subsystem_vendor, 0x1458);
	assert_int_equal(atom.subsystem_device, 0x2300);
	assert_false(rom_atom_find(&rom.images[1], &atom));
	memcpy(made.data + 0x204, "MOTA", 4);
	assert_true(rom_atom_find(&rom.images[0], &atom));
}

static void test_atom_at_the_end(void **state)
{
	struct rom_atom atom;

	(void)state;
	/* amdgpu reads up to 4 bytes too far here */
	put_u16(made.data + 0x48, 4096 - 0x1c);
	memcpy(made.data + 4096 - 0x1c + 4, "ATOM", 4);
	parse();
	assert_true(rom_atom_find(&rom.images[0], &atom));
	put_u16(made.data + 0x48, 4096 - 0x1b);
	memcpy(made.data + 4096 - 0x1b + 4, "ATOM", 4);
	parse();
	assert_false(rom_atom_find(&rom.images[0], &atom));
	put_u16(made.data + 0x48, 0xffff);
	parse();
	assert_false(rom_atom_find(&rom.images[0], &atom));
}

static void test_vbt(void **state)
{
	uint8_t *at = made.data + 0xab0;
	struct rom_vbt vbt;

	(void)state;
	assert_false(rom_vbt_find(made_bytes(&made), &vbt));
	memcpy(at, "$VBT BROXTON        ", 20);
	put_u16(at + 0x14, 100);
	put_u16(at + 0x16, 48);
	put_u16(at + 0x18, 0x800);
	assert_true(rom_vbt_find(made_bytes(&made), &vbt));
	assert_int_equal(vbt.offset, 0xab0);
	assert_string_equal(vbt.name, "$VBT BROXTON");
	assert_int_equal(vbt.version, 100);
	assert_int_equal(vbt.size, 0x800);
	/* longer than the file: not one */
	put_u16(at + 0x18, (unsigned)(made.size - 0xab0 + 1));
	assert_false(rom_vbt_find(made_bytes(&made), &vbt));
	put_u16(at + 0x18, (unsigned)(made.size - 0xab0));
	assert_true(rom_vbt_find(made_bytes(&made), &vbt));
	/* a name is for printing */
	at[6] = '\n';
	assert_true(rom_vbt_find(made_bytes(&made), &vbt));
	assert_string_equal(vbt.name, "$VBT B");
	/* off the grid of 4 bytes: i915 does not find it, either */
	memmove(at + 1, at, 48);
	*at = 0;
	assert_false(rom_vbt_find(made_bytes(&made), &vbt));
}

static void test_npde(void **state)
{
	struct rom_npde npde;

	(void)state;
	parse();
	assert_false(rom_npde_find(&rom.images[0], &npde));
	memcpy(made.data + 0x80, "NPDE", 4);
	put_u16(made.data + 0x88, 7);
	made.data[0x8a] = 0x80;
	parse();
	assert_true(rom_npde_find(&rom.images[0], &npde));
	assert_int_equal(npde.size, 7 * 512);
	assert_true(npde.last);
}

static void test_header_names(void **state)
{
	(void)state;
	assert_string_equal(rom_header_name((struct bytes){ (const uint8_t *)"NVGI", 4 }),
			    "NVIDIA flash header (NVGI)");
	assert_null(rom_header_name((struct bytes){ (const uint8_t *)"NVG", 3 }));
	assert_null(rom_header_name((struct bytes){ 0 }));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_atom, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_atom_at_the_end, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_vbt, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_npde, set_up, tear_down),
		cmocka_unit_test(test_header_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
