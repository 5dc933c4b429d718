/* SPDX-License-Identifier: GPL-2.0-or-later */
/* unit: lib/base/diff.c. */
#include "test.h"

#include "base/diff.h"

static void test_diff(void **state)
{
	static const struct {
		const char *name, *before, *after, *diff;
	} rows[] = {
		{ "nothing", "a\nb\n", "a\nb\n", "" },
		{ "both empty", "", "", "" },
		{ "new", "", "a\nb\n", "+ a\n+ b\n" },
		{ "gone", "a\nb\n", "", "- a\n- b\n" },
		{ "changed", "a\nb\nc\n", "a\nB\nc\n", "- b\n+ B\n" },
		{ "put in", "a\nc\n", "a\nb\nc\n", "+ b\n" },
		{ "taken out", "a\nb\nc\n", "a\nc\n", "- b\n" },
		{ "two places", "a\nb\nc\nd\n", "b\nc\nx\nd\n", "- a\n+ x\n" },
		{ "no end of line", "a", "a\n", "" },
		{ "an empty line", "a\n\nb\n", "a\nb\n", "- \n" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		cleanup_text struct text text = { 0 };

		diff_lines(&text, rows[i].before, rows[i].after);
		assert_row(rows[i].name, !text.failed);
		assert_string_equal(text.data ? text.data : "", rows[i].diff);
	}
}

/* More lines than the table takes: still right, only not the shortest. */
static void test_long(void **state)
{
	cleanup_text struct text a = { 0 };
	cleanup_text struct text b = { 0 };
	cleanup_text struct text text = { 0 };

	(void)state;
	for (unsigned i = 0; i < 2000; i++) {
		text_add(&a, "%u\n", i);
		text_add(&b, "%u\n", i + 1);
	}
	diff_lines(&text, a.data, b.data);
	assert_true(text_starts_with(text.data, "- 0\n- 1\n"));
	assert_non_null(strstr(text.data, "- 1999\n+ 1\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_diff),
		cmocka_unit_test(test_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
