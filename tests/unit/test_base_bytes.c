/* SPDX-License-Identifier: GPL-2.0-or-later */
/* unit: lib/base/bytes.c. Every bound from both sides. */
#include "test_rom_make.h"

static const uint8_t numbers[] = { 0x01, 0x02, 0x03, 0x04, 0x05 };
static const struct bytes five = { numbers, sizeof(numbers) };

static void test_slice(void **state)
{
	struct bytes part = { 0 };

	(void)state;
	assert_true(bytes_slice(five, 0, 5, &part));
	assert_true(bytes_slice(five, 5, 0, &part));
	assert_int_equal(part.size, 0);
	assert_true(bytes_slice(five, 1, 3, &part));
	assert_ptr_equal(part.data, numbers + 1);
	assert_int_equal(part.size, 3);
	/* refused, and the result of before stays */
	assert_false(bytes_slice(five, 1, 5, &part));
	assert_false(bytes_slice(five, 6, 0, &part));
	assert_false(bytes_slice(five, 4, SIZE_MAX, &part));
	assert_false(bytes_slice(five, SIZE_MAX, 2, &part));
	assert_int_equal(part.size, 3);
	assert_true(bytes_slice((struct bytes){ 0 }, 0, 0, &part));
}

static void test_clip(void **state)
{
	(void)state;
	assert_int_equal(bytes_clip(five, 1, 2).size, 2);
	assert_int_equal(bytes_clip(five, 3, 9).size, 2);
	assert_int_equal(bytes_clip(five, 9, 1).size, 0);
	assert_int_equal(bytes_from(five, 4).size, 1);
	assert_int_equal(bytes_from(five, 5).size, 0);
	assert_int_equal(bytes_from(five, SIZE_MAX).size, 0);
}

static void test_numbers(void **state)
{
	(void)state;
	assert_int_equal(bytes_u8(five, 4), 0x05);
	assert_int_equal(bytes_u8(five, 5), 0);
	assert_int_equal(bytes_u16(five, 3), 0x0504);
	assert_int_equal(bytes_u16(five, 4), 0);
	assert_int_equal(bytes_u32(five, 1), 0x05040302);
	assert_int_equal(bytes_u32(five, 2), 0);
	assert_int_equal(bytes_u32(five, SIZE_MAX), 0);
	assert_int_equal(bytes_u32((struct bytes){ numbers, 3 }, 0), 0);
}

static void test_text(void **state)
{
	const struct bytes text = { (const uint8_t *)"xPCIR", 5 };

	(void)state;
	assert_true(bytes_has_text(text, 1, "PCIR"));
	assert_false(bytes_has_text(text, 2, "PCIR"));
	assert_false(bytes_has_text(text, 0, "PCIR"));
	assert_false(bytes_has_text(text, 0, ""));
}

static void test_sum_and_padding(void **state)
{
	static const uint8_t padded[] = { 1, 0, 0xff, 0xff, 0xff };

	(void)state;
	assert_int_equal(bytes_sum(five), 15);
	assert_int_equal(bytes_sum((struct bytes){ padded, 5 }), 0xfe);
	assert_int_equal(bytes_padding((struct bytes){ padded, 5 }), 3);
	assert_int_equal(bytes_padding((struct bytes){ padded, 2 }), 1);
	assert_int_equal(bytes_padding((struct bytes){ padded, 1 }), 0);
	assert_int_equal(bytes_padding((struct bytes){ 0 }), 0);
}

static void test_equal(void **state)
{
	(void)state;
	assert_true(bytes_equal(five, five));
	assert_true(bytes_equal((struct bytes){ 0 }, (struct bytes){ 0 }));
	assert_false(bytes_equal(five, bytes_from(five, 1)));
	assert_false(bytes_equal(bytes_clip(five, 0, 2), bytes_clip(five, 1, 2)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slice),		cmocka_unit_test(test_clip),
		cmocka_unit_test(test_numbers),		cmocka_unit_test(test_text),
		cmocka_unit_test(test_sum_and_padding), cmocka_unit_test(test_equal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
