/* SPDX-License-Identifier: GPL-2.0-or-later */
/* unit: lib/rom/driver.c, lib/rom/kind.c. Drivers, images of them, and what is not a ROM. */
#include "rom/driver.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "rom/kind.h"
#include "test_rom_make.h"

#define DRIVER_SIZE 3000

static struct made made;

static int set_up(void **state)
{
	(void)state;
	made.size = 0;
	made_fill(&made, DRIVER_SIZE, 0);
	made_driver(made.data, 0x8664, 0x0b);
	return 0;
}

static int wrap(uint8_t **ret_data, size_t *ret_size)
{
	return rom_driver_wrap(made_bytes(&made), 0x1002, 0x1637, ret_data, ret_size, NULL);
}

/* Byte for byte what 'EfiRom -f 0x1002 -i 0x1637 -e' makes of it (edk2 ProcessEfiFile()). */
static void test_wrap_as_efirom(void **state)
{
	static const uint8_t header[] = {
		0x55, 0xaa, 6,	 0,   0xf1, 0x0e, 0,	0,    0x0b, 0, 0x64, 0x86, 0, 0,
		0,    0,    0,	 0,   0,    0,	  0,	0,    0x48, 0, 0x1c, 0,	   0, 0,
		'P',  'C',  'I', 'R', 0x02, 0x10, 0x37, 0x16, 0,    0, 0x1c, 0,	   3, 0,
		0,    0,    6,	 0,   0,    0,	  3,	0x80, 0,    0, 0,    0,	   0, 0,
	};
	struct rom rom;
	uint8_t *data;
	uint16_t machine;
	size_t size;

	(void)state;
	assert_int_equal(wrap(&data, &size), 0);
	assert_int_equal(size, 3072);
	assert_memory_equal(data, header, sizeof(header));
	for (size_t i = sizeof(header); i < 0x48; i++)
		assert_int_equal(data[i], 0xff);
	assert_memory_equal(data + 0x48, made.data, DRIVER_SIZE);
	assert_int_equal(rom_parse((struct bytes){ data, size }, &rom, NULL), 0);
	assert_int_equal(rom.chain_count, 1);
	assert_int_equal(rom.end, ROM_END_LAST);
	assert_null(rom_driver_fault(&rom.images[0], &machine));
	assert_int_equal(machine, 0x8664);
	rom_done(&rom);
	free(data);
}

/* What OVMF would take for no ROM gets padding after the image. */
static void test_wrap_small(void **state)
{
	uint8_t *data;
	size_t size;

	(void)state;
	made.size = 1000;
	assert_int_equal(wrap(&data, &size), 0);
	assert_int_equal(size, 4096);
	assert_int_equal(data[2], 3);
	assert_int_equal(bytes_padding((struct bytes){ data, size }), 4096 - 3 * 512);
	free(data);
}

static void test_wrap_refuses(void **state)
{
	static const struct {
		size_t offset;
		uint16_t value;
		const char *why;
	} rows[] = {
		{ 0x44, 0xaa64, "not for x64" },
		{ 0x44, 0x014c, "not for x64" },
		{ 0x40 + 24 + 68, 0x0a, "application" },
		{ 0x40 + 24 + 68, 2, "not a UEFI" },
		{ 0x40, 0, "no PE header" },
		{ 0x3c, 0x7fff, "no PE header" },
		{ 0x40 + 24, 0, "damaged" },
		{ 0x40 + 24 + 60, 4000, "cut short" },
		{ 0x46, 200, "cut short" },
	};
	struct error err;
	uint8_t *data;
	size_t size;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		set_up(NULL);
		put_u16(made.data + rows[i].offset, rows[i].value);
		err = (struct error){ 0 };
		assert_int_equal(rom_driver_wrap(made_bytes(&made), 1, 2, &data, &size, &err),
				 -EBADMSG);
		assert_non_null(strstr(err.message, rows[i].why));
	}
	/* byte code is run */
	set_up(NULL);
	put_u16(made.data + 0x44, 0x0ebc);
	assert_int_equal(wrap(&data, &size), 0);
	free(data);
}

static enum rom_kind kind(void)
{
	enum rom_kind found;
	struct rom rom;

	assert_int_equal(rom_parse(made_bytes(&made), &rom, NULL), 0);
	found = rom_kind_find(&rom);
	rom_done(&rom);
	return found;
}

static void start_with(const char *bytes, size_t size)
{
	made.size = 0;
	made_fill(&made, MADE_MAX, 0x21);
	for (size_t i = 0; i < size; i++)
		made.data[i] = (uint8_t)bytes[i];
	made.data[1000] = 0x01;
}

static void test_kinds(void **state)
{
	static const struct {
		const char *bytes;
		size_t size;
		enum rom_kind kind;
	} rows[] = {
		{ "\177ELF\2\1\1", 7, ROM_KIND_ELF },
		{ "PK\3\4", 4, ROM_KIND_ARCHIVE },
		{ "\037\213\010", 3, ROM_KIND_ARCHIVE },
		{ "VFCT", 4, ROM_KIND_VFCT },
		{ "\n<!DOCTYPE html>", 16, ROM_KIND_WEB_PAGE },
		{ "\x5a\xa5\xf0\x0f", 4, ROM_KIND_FLASH },
		{ "MZ", 2, ROM_KIND_PROGRAM },
		{ "\x90\x90", 2, ROM_KIND_OTHER },
	};
	const char *text = "cat: rom: Input/output error\n";

	(void)state;
	assert_int_equal(kind(), ROM_KIND_EFI_DRIVER);
	put_u16(made.data + 0x44, 0xaa64);
	assert_int_equal(kind(), ROM_KIND_BAD_DRIVER);
	put_u16(made.data + 0x40 + 24 + 68, 3);
	assert_int_equal(kind(), ROM_KIND_PROGRAM);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		start_with(rows[i].bytes, rows[i].size);
		assert_int_equal(kind(), rows[i].kind);
	}
	/* a firmware volume, a reset vector */
	start_with("\x90", 1);
	memcpy(made.data + 0x8028, "_FVH", 4);
	assert_int_equal(kind(), ROM_KIND_FLASH);
	start_with("\x90", 1);
	memcpy(made.data + MADE_MAX - 16, "\xea\x5b\xe0\x00\xf0", 5);
	assert_int_equal(kind(), ROM_KIND_FLASH);
	made.size = 0;
	assert_int_equal(kind(), ROM_KIND_EMPTY);
	made_fill(&made, 4096, 0xff);
	assert_int_equal(kind(), ROM_KIND_BLANK);
	memcpy(made.data, text, strlen(text));
	made.size = strlen(text);
	assert_int_equal(kind(), ROM_KIND_TEXT);
	made.size = 0;
	made_display(&made, 0x10de, 0x2484);
	assert_int_equal(kind(), ROM_KIND_OTHER);
}

/* Each is named, with the file in the command. */
static void test_descriptions(void **state)
{
	char *text;

	(void)state;
	for (enum rom_kind i = ROM_KIND_EMPTY; i <= ROM_KIND_WEB_PAGE; i++) {
		text = rom_kind_describe(i, made_bytes(&made), "my.file", "0000:01:00.0");
		assert_non_null(text);
		assert_null(strstr(text, "%s"));
		assert_null(strstr(text, "ADDRESS"));
		assert_non_null(rom_kind_name(i));
		free(text);
	}
	text = rom_kind_describe(ROM_KIND_EFI_DRIVER, made_bytes(&made), "my.efi", NULL);
	assert_non_null(strstr(text, "'pve-vfio rom wrap my.efi --device VVVV:DDDD -o FILE'"));
	free(text);
	assert_null(rom_kind_describe(ROM_KIND_OTHER, made_bytes(&made), "x", NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_wrap_as_efirom, set_up),
		cmocka_unit_test_setup(test_wrap_small, set_up),
		cmocka_unit_test_setup(test_wrap_refuses, set_up),
		cmocka_unit_test_setup(test_kinds, set_up),
		cmocka_unit_test_setup(test_descriptions, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
