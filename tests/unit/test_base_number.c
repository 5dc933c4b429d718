/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: base/number.c: strict numbers. */
#include "test.h"

#include <errno.h>

#include "base/number.h"

#define UNTOUCHED 4711

static void test_parse_u64(void **state)
{
	static const struct {
		const char *text;
		int result;
		uint64_t value;
	} rows[] = {
		{ "0", 0, 0 },
		{ "7", 0, 7 },
		{ "007", 0, 7 },
		{ "10", 0, 10 },
		{ "18446744073709551615", 0, UINT64_MAX },
		{ "018446744073709551615", 0, UINT64_MAX },
		{ "18446744073709551616", -ERANGE, 0 },
		{ "18446744073709551620", -ERANGE, 0 },
		{ "99999999999999999999999999", -ERANGE, 0 },
		{ "", -EINVAL, 0 },
		{ "-1", -EINVAL, 0 },
		{ "+1", -EINVAL, 0 },
		{ " 1", -EINVAL, 0 },
		{ "1 ", -EINVAL, 0 },
		{ "1\n", -EINVAL, 0 },
		{ "1x", -EINVAL, 0 },
		{ "0x1", -EINVAL, 0 },
		{ "a", -EINVAL, 0 },
		{ "1.5", -EINVAL, 0 },
		{ "1e3", -EINVAL, 0 },
		{ "/", -EINVAL, 0 },
		{ ":", -EINVAL, 0 },
		{ "\xb2", -EINVAL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		uint64_t value = UNTOUCHED;

		assert_row(rows[i].text, parse_u64(rows[i].text, &value) == rows[i].result);
		assert_row(rows[i].text, value == (rows[i].result ? UNTOUCHED : rows[i].value));
	}
}

static void test_parse_u32(void **state)
{
	static const struct {
		const char *text;
		int result;
		uint32_t value;
	} rows[] = {
		{ "0", 0, 0 },
		{ "4294967295", 0, UINT32_MAX },
		{ "4294967296", -ERANGE, 0 },
		{ "4294967300", -ERANGE, 0 },
		{ "18446744073709551616", -ERANGE, 0 },
		{ "", -EINVAL, 0 },
		{ "-0", -EINVAL, 0 },
		{ "12a", -EINVAL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		uint32_t value = UNTOUCHED;

		assert_row(rows[i].text, parse_u32(rows[i].text, &value) == rows[i].result);
		assert_row(rows[i].text, value == (rows[i].result ? UNTOUCHED : rows[i].value));
	}
}

static void test_parse_hex_u32(void **state)
{
	static const struct {
		const char *text;
		int result;
		uint32_t value;
	} rows[] = {
		{ "0x10de", 0, 0x10de },
		{ "10de", 0, 0x10de },
		{ "10DE", 0, 0x10de },
		{ "0x00030000", 0, 0x30000 },
		{ "0xffffffff", 0, UINT32_MAX },
		{ "0x100000000", -ERANGE, 0 },
		{ "0x", -EINVAL, 0 },
		{ "", -EINVAL, 0 },
		{ "0", 0, 0 },
		{ "x1", -EINVAL, 0 },
		{ "0X1", -EINVAL, 0 },
		{ "0x0x1", -EINVAL, 0 },
		{ "0x1\n", -EINVAL, 0 },
		{ "0x-1", -EINVAL, 0 },
		{ "0xg", -EINVAL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		uint32_t value = UNTOUCHED;

		assert_row(rows[i].text, parse_hex_u32(rows[i].text, &value) == rows[i].result);
		assert_row(rows[i].text, value == (rows[i].result ? UNTOUCHED : rows[i].value));
	}
}

/* Pieces that are not terminated, bounds that are no power of anything. */
static void test_parse_number(void **state)
{
	static const struct {
		const char *text;
		size_t length;
		unsigned base;
		uint64_t max;
		int result;
		uint64_t value;
	} rows[] = {
		{ "123", 2, 10, 100, 0, 12 },
		{ "123", 0, 10, 100, -EINVAL, 0 },
		{ "ff", 2, 16, 0xff, 0, 0xff },
		{ "100", 3, 16, 0xff, -ERANGE, 0 },
		{ "7", 1, 16, 7, 0, 7 },
		{ "8", 1, 16, 7, -ERANGE, 0 },
		{ "f", 1, 16, 7, -ERANGE, 0 },
		{ "f", 1, 10, 7, -EINVAL, 0 },
		{ "1f", 2, 16, 0x1f, 0, 0x1f },
		{ "20", 2, 16, 0x1f, -ERANGE, 0 },
		{ "15", 2, 10, 15, 0, 15 },
		{ "16", 2, 10, 15, -ERANGE, 0 },
		{ "0", 1, 10, 0, 0, 0 },
		{ "1", 1, 10, 0, -ERANGE, 0 },
		{ "00000000000000000000000001", 26, 10, 1, 0, 1 },
		{ "1\0"
		  "2",
		  3, 10, 100, -EINVAL, 0 },
		{ "12:", 3, 10, 100, -EINVAL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		uint64_t value = UNTOUCHED;

		assert_row(rows[i].text, parse_number(rows[i].text, rows[i].length, rows[i].base,
						      rows[i].max, &value) == rows[i].result);
		assert_row(rows[i].text, value == (rows[i].result ? UNTOUCHED : rows[i].value));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse_u64),
		cmocka_unit_test(test_parse_u32),
		cmocka_unit_test(test_parse_hex_u32),
		cmocka_unit_test(test_parse_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
