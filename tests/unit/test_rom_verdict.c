/* SPDX-License-Identifier: GPL-2.0-or-later */
/* unit: lib/rom/verdict.c. Each fault, who minds it, and who does not. */
#include "rom/verdict.h"

#include "test_rom_make.h"

#include "base/array.h"

static struct made made;
static struct rom rom;
static struct rom_judgement judgement;
static struct rom_target target;

static int set_up(void **state)
{
	(void)state;
	made.size = 0;
	made_display(&made, 0x10de, 0x2484);
	target = (struct rom_target){ .vendor = 0x10de, .device = 0x2484 };
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	rom_judgement_done(&judgement);
	rom_done(&rom);
	return 0;
}

static void judge(void)
{
	rom_judgement_done(&judgement);
	rom_done(&rom);
	assert_int_equal(rom_parse(made_bytes(&made), &rom, NULL), 0);
	assert_int_equal(rom_judge(&rom, &target, &judgement, NULL), 0);
}

static void assert_verdicts(bool qemu, bool seabios, bool ovmf, bool driver)
{
	judge();
	assert_int_equal(judgement.verdicts[ROM_READER_QEMU].works, qemu);
	assert_int_equal(judgement.verdicts[ROM_READER_SEABIOS].works, seabios);
	assert_int_equal(judgement.verdicts[ROM_READER_OVMF].works, ovmf);
	assert_int_equal(judgement.verdicts[ROM_READER_DRIVER].works, driver);
}

static bool has_remark(enum rom_remark_id id)
{
	for (size_t i = 0; i < judgement.remark_count; i++)
		if (judgement.remarks[i].id == id)
			return true;
	return false;
}

static bool why_has(enum rom_reader reader, const char *words)
{
	return strstr(judgement.verdicts[reader].why, words);
}

static void test_right(void **state)
{
	(void)state;
	assert_verdicts(true, true, true, true);
	assert_int_equal(judgement.remark_count, 0);
	assert_false(rom_judgement_is_hopeless(&judgement, ROM_READER_COUNT));
}

static void test_empty(void **state)
{
	(void)state;
	made.size = 0;
	assert_verdicts(false, false, false, false);
	assert_true(why_has(ROM_READER_QEMU, "empty"));
	assert_true(rom_judgement_is_hopeless(&judgement, ROM_READER_COUNT));
}

static void test_noise(void **state)
{
	(void)state;
	memset(made.data, 0x11, made.size);
	assert_verdicts(true, false, false, false);
	assert_true(rom_judgement_is_hopeless(&judgement, ROM_READER_COUNT));
}

static void test_bad_checksum(void **state)
{
	(void)state;
	made.data[1000]++;
	assert_verdicts(true, false, true, true);
	assert_true(why_has(ROM_READER_SEABIOS, "sum is 01"));
	assert_false(rom_judgement_is_hopeless(&judgement, ROM_READER_SEABIOS));
}

static void test_wrong_device(void **state)
{
	(void)state;
	target.device = 0x2488;
	assert_verdicts(true, false, true, true);
	assert_true(why_has(ROM_READER_SEABIOS, "10de:2484"));
	assert_true(has_remark(ROM_REMARK_MODEL));
}

static void test_no_target(void **state)
{
	(void)state;
	assert_int_equal(rom_parse(made_bytes(&made), &rom, NULL), 0);
	assert_int_equal(rom_judge(&rom, NULL, &judgement, NULL), 0);
	assert_true(judgement.verdicts[ROM_READER_SEABIOS].works);
	assert_int_equal(judgement.remark_count, 0);
}

static void test_header(void **state)
{
	(void)state;
	memmove(made.data + 512, made.data, made.size);
	memcpy(made.data, "NVGI", 4);
	made.size += 512;
	assert_verdicts(true, false, false, false);
	assert_true(why_has(ROM_READER_OVMF, "NVGI"));
	assert_true(rom_judgement_is_hopeless(&judgement, ROM_READER_OVMF));
}

static void test_x86_only(void **state)
{
	(void)state;
	made.size = 4096;
	made.data[MADE_PCIR + 0x15] = 0x80;
	made_balance(&made, 0, 4096);
	assert_verdicts(true, true, false, true);
	assert_true(why_has(ROM_READER_OVMF, "no EFI image"));
}

static void test_efi_only(void **state)
{
	(void)state;
	made.size = 0;
	made_add(&made, (struct made_image){ .code = 3,
					     .vendor = 0xffff,
					     .device = 0xffff,
					     .blocks = 8,
					     .last = true });
	assert_verdicts(true, false, true, true);
	assert_true(why_has(ROM_READER_SEABIOS, "no x86 image"));
}

/* Each of these alone keeps OVMF from running the EFI image. */
static void test_efi_faults(void **state)
{
	static const struct {
		size_t offset;
		uint16_t value;
		const char *why;
	} faults[] = {
		{ 4, 0x0ef0, "signature" },
		{ 8, 0x0a, "not a driver" },
		{ 0xc4, 0xaa64, "x64" },
		{ 0xc4, 0x014c, "x64" },
		{ 0xc0, 0x4551, "no PE header" },
		{ 0x80, 0xffff, "no PE header" },
		{ 0xd8, 0x0107, "damaged" },
		{ 0xd8 + 60, 4000, "cut short" },
		{ 0xd8 + 68, 2, "not a driver" },
		{ 0x0c, 2, "compression" },
		{ 0x0c, 1, "compressed driver is empty" },
		{ 2, 5, "contradict" },
		{ 0x16, 4 * 512, "contradict" },
		{ 0x18, MADE_PCIR + 2, "no EFI image" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
		set_up(NULL);
		put_u16(made.data + 4096 + faults[i].offset, faults[i].value);
		judge();
		assert_false(judgement.verdicts[ROM_READER_OVMF].works);
		assert_true(why_has(ROM_READER_OVMF, faults[i].why));
		assert_true(judgement.verdicts[ROM_READER_SEABIOS].works);
	}
}

static void test_misaligned_structure(void **state)
{
	(void)state;
	memmove(made.data + MADE_PCIR + 2, made.data + MADE_PCIR, 0x18);
	put_u16(made.data + 0x18, MADE_PCIR + 2);
	made_balance(&made, 0, 4096);
	assert_verdicts(true, true, false, false);
	assert_true(why_has(ROM_READER_OVMF, "multiple of 4"));
}

static void test_truncated(void **state)
{
	(void)state;
	made.size -= 512;
	assert_verdicts(true, true, false, true);
	assert_true(why_has(ROM_READER_OVMF, "cut short within"));
	assert_true(has_remark(ROM_REMARK_TRUNCATED));
}

static void test_length_zero_hangs_seabios(void **state)
{
	(void)state;
	put_u16(made.data + MADE_PCIR + 0x10, 0);
	target.device = 0x2488;
	judge();
	assert_true(why_has(ROM_READER_SEABIOS, "hang"));
}

static void test_decimal_ids(void **state)
{
	(void)state;
	made.size = 0;
	made_display(&made, 1002, 1637);
	target = (struct rom_target){ .vendor = 0x1002, .device = 0x1637 };
	judge();
	assert_true(has_remark(ROM_REMARK_DECIMAL));
	assert_false(has_remark(ROM_REMARK_MODEL));
	assert_non_null(strstr(judgement.remarks[0].text, "03ea"));
}

static void test_audio_function(void **state)
{
	(void)state;
	target = (struct rom_target){ .vendor = 0x10de, .device = 0x228b };
	target.siblings[0] = (struct rom_sibling){ 0x10de, 0x2484, 0x040300 };
	target.sibling_count = 1;
	judge();
	assert_true(has_remark(ROM_REMARK_FUNCTION));
	assert_non_null(strstr(judgement.remarks[0].text, "audio"));
}

static void test_shadow_of_the_nuc(void **state)
{
	(void)state;
	made.size = 0;
	made_add(&made, (struct made_image){ .vendor = 0x8086,
					     .device = 0x0406,
					     .blocks = 8,
					     .last = true,
					     .class_code = 0x030000 });
	made.data[500] = 1;
	target = (struct rom_target){ .vendor = 0x8086, .device = 0x5a85 };
	judge();
	assert_true(has_remark(ROM_REMARK_GENERIC));
	assert_true(has_remark(ROM_REMARK_SHADOW));
}

static void test_device_list_is_not_for_seabios(void **state)
{
	uint8_t *pcir = made.data + MADE_PCIR;

	(void)state;
	pcir[0x0c] = 3;
	put_u16(pcir + 0x08, 0x20);
	put_u16(pcir + 0x0a, 0x1c);
	put_u16(pcir + 0x20, 0x2488);
	made_balance(&made, 0, 4096);
	put_u16(made.data + 4096 + MADE_PCIR + 6, 0x2488);
	target.device = 0x2488;
	judge();
	assert_false(judgement.verdicts[ROM_READER_SEABIOS].works);
	assert_true(why_has(ROM_READER_SEABIOS, "device list"));
	assert_false(has_remark(ROM_REMARK_MODEL));
}

static void test_amd_without_tables(void **state)
{
	(void)state;
	made.size = 0;
	made_display(&made, 0x1002, 0x73bf);
	target = (struct rom_target){ .vendor = 0x1002, .device = 0x73bf };
	assert_verdicts(true, true, true, false);
	made_atom(&made, 0);
	assert_verdicts(true, true, true, true);
	assert_true(why_has(ROM_READER_DRIVER, "amdgpu"));
}

static void test_ends(void **state)
{
	(void)state;
	made_fill(&made, 512, 0xff);
	assert_verdicts(true, true, true, true);
	assert_true(has_remark(ROM_REMARK_TRAILER));
	made.data[4096 + MADE_PCIR + 0x15] = 0;
	judge();
	assert_true(has_remark(ROM_REMARK_NOT_LAST));
	made.data[MADE_PCIR + 0x15] = 0x80;
	judge();
	assert_true(has_remark(ROM_REMARK_UNREACHED));
	assert_false(judgement.verdicts[ROM_READER_OVMF].works);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_right, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_empty, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_noise, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_bad_checksum, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_wrong_device, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_target, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_header, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_x86_only, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_efi_only, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_efi_faults, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_misaligned_structure, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_truncated, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_length_zero_hangs_seabios, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_decimal_ids, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_audio_function, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_shadow_of_the_nuc, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_device_list_is_not_for_seabios, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_amd_without_tables, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_ends, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
