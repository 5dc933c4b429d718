/* SPDX-License-Identifier: GPL-2.0-or-later */
/* unit: lib/rom/image.c. Walks what is right, then each way a ROM can be wrong. */
#include "rom/image.h"

#include <stdlib.h>

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
}

static void test_display(void **state)
{
	(void)state;
	parse();
	assert_int_equal(rom.count, 2);
	assert_int_equal(rom.end, ROM_END_LAST);
	assert_int_equal(rom.header.size, 0);
	assert_int_equal(rom.trailer.size, 0);
	assert_int_equal(rom.unreached, 0);
	assert_int_equal(rom.images[0].code, ROM_CODE_X86);
	assert_int_equal(rom.images[0].vendor, 0x1002);
	assert_int_equal(rom.images[0].device, 0x73bf);
	assert_int_equal(rom.images[0].class_code, 0x030000);
	assert_int_equal(rom.images[0].sum, 0);
	assert_int_equal(rom.images[0].legacy_size, 4096);
	assert_false(rom.images[0].last);
	assert_false(rom.images[0].pnp);
	assert_int_equal(rom.images[1].offset, 4096);
	assert_int_equal(rom.images[1].code, ROM_CODE_EFI);
	assert_true(rom.images[1].efi.signature);
	assert_int_equal(rom.images[1].efi.machine, 0x8664);
	assert_int_equal(rom.images[1].efi.subsystem, 0x0b);
	assert_int_equal(rom.images[1].efi.size, 2048);
	assert_int_equal(rom.images[1].efi.offset, 0x80);
	assert_true(rom.images[1].last);
	assert_ptr_equal(rom_first(&rom, ROM_CODE_EFI), &rom.images[1]);
	assert_null(rom_first(&rom, ROM_CODE_OPEN_FIRMWARE));
}

static void test_empty_and_noise(void **state)
{
	(void)state;
	made.size = 0;
	parse();
	assert_int_equal(rom.count, 0);
	made_fill(&made, 5000, 0xff);
	parse();
	assert_int_equal(rom.count, 0);
	assert_int_equal(rom.trailer.size, 5000);
	assert_int_equal(rom.header.size, 0);
	/* 55 AA in the middle of noise is no image */
	put_u16(made.data + 1024, 0xaa55);
	parse();
	assert_int_equal(rom.count, 0);
}

static void test_header_ahead(void **state)
{
	(void)state;
	memmove(made.data + 0x400, made.data, made.size);
	memset(made.data, 0x11, 0x400);
	memcpy(made.data, "NVGI", 4);
	made.size += 0x400;
	parse();
	assert_int_equal(rom.header.size, 0x400);
	assert_int_equal(rom.count, 2);
	assert_int_equal(rom.images[0].offset, 0x400);
	assert_int_equal(rom.end, ROM_END_LAST);
}

static void test_truncated_at_every_byte(void **state)
{
	size_t size = made.size;

	(void)state;
	for (made.size = 0; made.size < size; made.size++) {
		/* an allocation of just that size, so that the sanitizer sees a byte too many */
		uint8_t *copy = malloc(made.size + !made.size);

		assert_non_null(copy);
		memcpy(copy, made.data, made.size);
		rom_done(&rom);
		assert_int_equal(rom_parse((struct bytes){ copy, made.size }, &rom, NULL), 0);
		assert_true(made.size != 4096 ? rom.count == 0 || rom.end == ROM_END_TRUNCATED ||
							rom.end == ROM_END_NO_IMAGE
					      : rom.end == ROM_END_FILE);
		rom_done(&rom);
		free(copy);
	}
}

static void test_no_last_flag(void **state)
{
	(void)state;
	made.data[4096 + MADE_PCIR + 0x15] = 0;
	parse();
	assert_int_equal(rom.count, 2);
	assert_int_equal(rom.end, ROM_END_FILE);
	made_fill(&made, 512, 0xff);
	parse();
	assert_int_equal(rom.end, ROM_END_NO_IMAGE);
	assert_int_equal(rom.trailer.size, 512);
}

static void test_last_is_one_bit(void **state)
{
	(void)state;
	made.data[MADE_PCIR + 0x15] = 0x7f;
	parse();
	assert_int_equal(rom.count, 2);
}

static void test_last_too_early(void **state)
{
	(void)state;
	made.data[MADE_PCIR + 0x15] = 0x80;
	parse();
	assert_int_equal(rom.count, 1);
	assert_int_equal(rom.end, ROM_END_LAST);
	assert_int_equal(rom.unreached, 4096);
	assert_int_equal(rom.trailer.size, 2048);
}

static void test_length_zero(void **state)
{
	(void)state;
	put_u16(made.data + MADE_PCIR + 0x10, 0);
	parse();
	assert_int_equal(rom.count, 1);
	assert_int_equal(rom.end, ROM_END_NO_LENGTH);
}

static void test_pcir_out_of_file(void **state)
{
	(void)state;
	put_u16(made.data + 0x18, 0xfff0);
	made.size = 4096;
	parse();
	/* what is left of it is an ISA ROM */
	assert_int_equal(rom.count, 1);
	assert_false(rom.images[0].has_pcir);
	assert_int_equal(rom.images[0].size, 4096);
	assert_int_equal(rom.end, ROM_END_NO_PCIR);
}

static void test_device_list(void **state)
{
	uint8_t *pcir = made.data + MADE_PCIR;

	(void)state;
	pcir[0x0c] = 3;
	put_u16(pcir + 0x08, 0x20);
	put_u16(pcir + 0x0a, 0x1c);
	put_u16(pcir + 0x20, 0x73a5);
	put_u16(pcir + 0x22, 0x73af);
	parse();
	assert_int_equal(rom.images[0].devices.size, 4);
	assert_true(rom_image_lists_device(&rom.images[0], 0x73af));
	assert_false(rom_image_lists_device(&rom.images[0], 0x73bf));
	/* of an older revision the same word points to vital product data */
	pcir[0x0c] = 0;
	parse();
	assert_int_equal(rom.images[0].devices.size, 0);
}

static void test_device_list_without_end(void **state)
{
	uint8_t *pcir = made.data + MADE_PCIR;

	(void)state;
	pcir[0x0c] = 3;
	put_u16(pcir + 0x0a, 0x1c);
	put_u16(pcir + 0x08, 4096 - MADE_PCIR - 3);
	memset(made.data + 4093, 0x77, 3);
	parse();
	assert_int_equal(rom.images[0].devices.size, 2);
	put_u16(pcir + 0x08, 0xfffe);
	parse();
	assert_int_equal(rom.images[0].devices.size, 0);
}

static void test_sizes_disagree(void **state)
{
	(void)state;
	/* the run size is what a BIOS sums up, and may be more than the image */
	made.data[2] = 4;
	parse();
	assert_int_equal(rom.images[0].legacy_size, 2048);
	assert_int_equal(rom.images[0].size, 4096);
	assert_int_not_equal(rom.images[0].sum, 0);
}

static void test_nvidia_private_images(void **state)
{
	size_t offset;

	(void)state;
	offset =
		made_add(&made, (struct made_image){ .code = 0xe0, .vendor = 0x10de, .blocks = 2 });
	put_u16(made.data + offset, 0x4e56);
	memcpy(made.data + offset + MADE_PCIR, "NPDS", 4);
	made_fill(&made, 100, 0x5a);
	parse();
	assert_int_equal(rom.chain_count, 2);
	assert_int_equal(rom.count, 3);
	assert_true(rom.images[2].private);
	assert_int_equal(rom.images[2].code, ROM_CODE_NVIDIA_FWSEC);
	assert_int_equal(rom.trailer.size, 100);
}

static void test_names(void **state)
{
	char code[ROM_CODE_TEXT];
	struct rom_image image = { .has_pcir = true, .code = 0x42 };

	(void)state;
	assert_string_equal(rom_code_name(&image, code), "type 42");
	image.code = ROM_CODE_EFI;
	assert_string_equal(rom_code_name(&image, code), "EFI");
	image.has_pcir = false;
	assert_string_equal(rom_code_name(&image, code), "ISA");
	assert_string_equal(rom_machine_name(0x8664), "x64");
	assert_null(rom_machine_name(0x1234));
	assert_string_equal(rom_subsystem_name(0x0b), "boot service driver");
	assert_true(rom_bar_size(1) == 1);
	assert_true(rom_bar_size(65536) == 65536);
	assert_true(rom_bar_size(65537) == 131072);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_display, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_empty_and_noise, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_header_ahead, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_truncated_at_every_byte, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_last_flag, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_last_is_one_bit, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_last_too_early, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_length_zero, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_pcir_out_of_file, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_device_list, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_device_list_without_end, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_sizes_disagree, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_nvidia_private_images, set_up, tear_down),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
