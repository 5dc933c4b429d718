/* SPDX-License-Identifier: GPL-2.0-or-later */
/* unit: lib/rom/fix.c. What it repairs, that it says so, and that nothing else changes. */
#include "rom/fix.h"

#include <errno.h>

#include "test_rom_make.h"

static struct made made;
static struct rom_fix fix;

static int set_up(void **state)
{
	(void)state;
	made.size = 0;
	made_display(&made, 0x8086, 0x0406);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	rom_fix_done(&fix);
	return 0;
}

static void start(void)
{
	rom_fix_done(&fix);
	assert_int_equal(rom_fix_start(made_bytes(&made), &fix, NULL), 0);
}

/* How many bytes of the result differ from what was made, where both have the same size. */
static size_t count_differences(void)
{
	size_t count = 0;

	assert_int_equal(fix.size, made.size);
	for (size_t i = 0; i < made.size; i++)
		count += fix.data[i] != made.data[i];
	return count;
}

static void test_nothing_to_do(void **state)
{
	(void)state;
	start();
	assert_int_equal(rom_fix_strip_header(&fix, NULL), 0);
	assert_int_equal(rom_fix_vendor(&fix, 0, 0x8086, NULL), 0);
	assert_int_equal(rom_fix_device(&fix, 1, 0x0406, NULL), 0);
	assert_int_equal(rom_fix_last(&fix, NULL), 0);
	assert_int_equal(rom_fix_checksum(&fix, 0, NULL), 0);
	assert_int_equal(rom_fix_checksum(&fix, 1, NULL), 0);
	assert_int_equal(rom_fix_trim(&fix, NULL), 0);
	assert_false(rom_fix_has_changed(&fix));
	assert_int_equal(count_differences(), 0);
}

static void test_nothing_to_repair(void **state)
{
	(void)state;
	made.size = 0;
	made_fill(&made, 1024, 0xff);
	assert_int_equal(rom_fix_start(made_bytes(&made), &fix, NULL), -EBADMSG);
}

/* The NUC guide: one id, then the checksum, at the very byte where rom-fixer puts it. */
static void test_device_and_checksum(void **state)
{
	(void)state;
	start();
	assert_int_equal(rom_fix_device(&fix, 0, 0x5a85, NULL), 0);
	assert_int_equal(fix.rom.images[0].device, 0x5a85);
	assert_int_not_equal(fix.rom.images[0].sum, 0);
	assert_int_equal(rom_fix_checksum(&fix, 0, NULL), 0);
	assert_int_equal(fix.rom.images[0].sum, 0);
	assert_int_equal(fix.change_count, 2);
	assert_int_equal(fix.changes[0].offset, MADE_PCIR + 6);
	assert_int_equal(fix.changes[0].before, 0x0406);
	assert_int_equal(fix.changes[0].after, 0x5a85);
	assert_int_equal(fix.changes[1].offset, 6);
	assert_int_equal(count_differences(), 3);
}

/* What rom-fixer breaks: byte 6 of an EFI image is in its signature. */
static void test_efi_has_no_checksum(void **state)
{
	(void)state;
	start();
	assert_int_equal(rom_fix_vendor(&fix, 1, 0x1002, NULL), 0);
	assert_int_equal(rom_fix_checksum(&fix, 1, NULL), 0);
	assert_true(fix.rom.images[1].efi.signature);
	assert_int_equal(fix.change_count, 1);
	assert_int_equal(count_differences(), 2);
}

static void test_balance_of_amd(void **state)
{
	(void)state;
	made_atom(&made, 0);
	made.data[0x300]++;
	start();
	assert_int_equal(rom_fix_checksum(&fix, 0, NULL), 0);
	assert_int_equal(fix.changes[0].offset, 0x21);
	assert_int_equal(fix.rom.images[0].sum, 0);
}

/* NVIDIA: a short jump, and text behind it. */
static void test_balance_in_padding(void **state)
{
	(void)state;
	memcpy(made.data + 3, "\xeb\x4bK74", 5);
	start();
	assert_int_not_equal(fix.rom.images[0].sum, 0);
	assert_int_equal(rom_fix_checksum(&fix, 0, NULL), 0);
	assert_int_equal(fix.changes[0].offset, 4095);
	assert_int_equal(fix.rom.images[0].sum, 0);
	/* and its own output is repaired at the same place */
	made.data[4095] = fix.data[4095];
	made.data[0x300]++;
	start();
	assert_int_equal(rom_fix_checksum(&fix, 0, NULL), 0);
	assert_int_equal(fix.changes[0].offset, 4095);
	/* where the end is in use the word that is reserved takes it, if nothing else does */
	made.data[4090] = made.data[4093] = 0x90;
	start();
	assert_int_equal(rom_fix_checksum(&fix, 0, NULL), 0);
	assert_int_equal(fix.changes[0].offset, MADE_PCIR + 0x16);
	/* and where nothing is free nothing is overwritten */
	made.data[MADE_PCIR + 0x0c] = 3;
	start();
	assert_int_equal(rom_fix_checksum(&fix, 0, NULL), -ENOSPC);
	assert_int_equal(count_differences(), 0);
}

static void test_cut_short(void **state)
{
	(void)state;
	made.size = 4000;
	made.data[200]++;
	start();
	assert_int_equal(rom_fix_checksum(&fix, 0, NULL), -EINVAL);
}

static void test_strip_header(void **state)
{
	size_t size = made.size;

	(void)state;
	memmove(made.data + 0x400, made.data, size);
	memset(made.data, 0x4e, 0x400);
	made.size += 0x400;
	start();
	assert_int_equal(rom_fix_device(&fix, 0, 0x1234, NULL), 0);
	assert_int_equal(rom_fix_strip_header(&fix, NULL), 0);
	assert_int_equal(fix.stripped, 0x400);
	assert_int_equal(fix.size, size);
	assert_int_equal(fix.rom.header.size, 0);
	assert_int_equal(fix.rom.count, 2);
	/* offsets are those of the result */
	assert_int_equal(fix.changes[0].offset, MADE_PCIR + 6);
	assert_int_equal(fix.rom.images[0].device, 0x1234);
}

static void test_last(void **state)
{
	(void)state;
	made.data[4096 + MADE_PCIR + 0x15] = 0x01;
	start();
	assert_int_equal(rom_fix_last(&fix, NULL), 0);
	assert_int_equal(fix.rom.end, ROM_END_LAST);
	assert_int_equal(fix.data[4096 + MADE_PCIR + 0x15], 0x81);
	assert_int_equal(fix.change_count, 1);
}

/* A graphics card's EFI image that was put behind a lone video BIOS is reached then. */
static void test_last_too_early(void **state)
{
	(void)state;
	made.data[MADE_PCIR + 0x15] = 0x80;
	start();
	assert_int_equal(fix.rom.chain_count, 1);
	assert_int_equal(rom_fix_last(&fix, NULL), 0);
	assert_int_equal(fix.rom.chain_count, 2);
	assert_int_equal(fix.rom.end, ROM_END_LAST);
	assert_int_equal(fix.change_count, 1);
}

/* Found by fuzzing: what is reached then may have no flag to set. */
static void test_last_of_isa(void **state)
{
	(void)state;
	made.data[MADE_PCIR + 0x15] = 0x80;
	made.data[4096 + MADE_PCIR + 0x15] = 0;
	made_fill(&made, 512, 0);
	put_u16(made.data + 6144, 0xaa55);
	made.data[6146] = 1;
	start();
	assert_int_equal(rom_fix_last(&fix, NULL), -EINVAL);
	assert_int_equal(fix.rom.chain_count, 3);
}

static void test_trim_and_pad(void **state)
{
	size_t size = made.size;

	(void)state;
	made_fill(&made, 3000, 0xff);
	start();
	assert_int_equal(rom_fix_trim(&fix, NULL), 0);
	assert_int_equal(fix.size, size);
	assert_int_equal(fix.trimmed, 3000);
	assert_int_equal(rom_fix_pad(&fix, NULL), 0);
	assert_int_equal(fix.size, 8192);
	assert_int_equal(fix.padded, 8192 - size);
	assert_int_equal(bytes_padding(fix.rom.file), 8192 - size);
	assert_int_equal(fix.rom.count, 2);
}

/* Found by fuzzing: both cost the image itself. */
static void test_trim_keeps_the_image(void **state)
{
	(void)state;
	put_u16(made.data + MADE_PCIR + 0x10, 0);
	start();
	assert_int_equal(rom_fix_trim(&fix, NULL), -EINVAL);
	assert_int_equal(count_differences(), 0);
	/* the data structure lies behind what its own length says is the image */
	put_u16(made.data + 0x18, 0x400);
	memcpy(made.data + 0x400, made.data + MADE_PCIR, 0x18);
	made.data[0x400 + 0x10] = 1;
	made.data[0x400 + 0x15] = 0x80;
	made.data[2] = 0;
	start();
	assert_int_equal(rom_fix_trim(&fix, NULL), -EBADMSG);
	assert_int_equal(count_differences(), 0);
}

/* Found by fuzzing: what a BIOS sums up may be more than the image. */
static void test_run_size_beyond_the_image(void **state)
{
	(void)state;
	made.size = 4096;
	made.data[2] = 9;
	made.data[MADE_PCIR + 0x15] = 0x80;
	memcpy(made.data + 3, "\xeb\x4b", 2);
	made_fill(&made, 1024, 0x11);
	start();
	assert_int_equal(rom_fix_checksum(&fix, 0, NULL), 0);
	assert_int_equal(fix.changes[0].offset, 4095);
	assert_int_equal(rom_fix_trim(&fix, NULL), 0);
	assert_int_equal(fix.size, 4096 + 512);
	assert_int_equal(fix.rom.images[0].sum, 0);
}

static void test_isa_has_no_ids(void **state)
{
	(void)state;
	put_u16(made.data + 0x18, 0);
	made.size = 4096;
	start();
	assert_int_equal(rom_fix_vendor(&fix, 0, 0x1002, NULL), -EINVAL);
	assert_int_equal(rom_fix_last(&fix, NULL), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_nothing_to_do, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_nothing_to_repair, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_device_and_checksum, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_efi_has_no_checksum, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_balance_of_amd, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_balance_in_padding, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_cut_short, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_strip_header, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_last, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_last_too_early, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_last_of_isa, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_trim_and_pad, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_trim_keeps_the_image, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_run_size_beyond_the_image, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_isa_has_no_ids, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
