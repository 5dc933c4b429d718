/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: base/text.c, and handing over with base/cleanup.h. */
#include "test.h"

#include "base/text.h"

static void test_text(void **state)
{
	struct text text = { 0 };
	char *taken;

	(void)state;
	text_add(&text, "%s", "");
	text_add(&text, "a%dc", 1);
	text_add(&text, "%s", "-");
	assert_int_equal(text.size, 4);
	taken = text_take(&text);
	assert_string_equal(taken, "a1c-");
	free(taken);
	assert_null(text.data);
	assert_int_equal(text.size, 0);

	/* empty again, and to be used again; no content is a string all the same */
	taken = text_take(&text);
	assert_string_equal(taken, "");
	free(taken);
	text_add(&text, "again");
	text_done(&text);
	text_done(&text);
	assert_null(text.data);
}

static void test_text_grows(void **state)
{
	cleanup_text struct text text = { 0 };

	(void)state;
	for (int i = 0; i < 10000; i++)
		text_add(&text, "%04d,", i);
	assert_int_equal(text.size, 50000);
	assert_int_equal(strlen(text.data), 50000);
	assert_memory_equal(text.data + 49990, "9998,9999,", 11);
}

/* Lack of memory is remembered: what follows is not put behind a hole. */
static void test_text_failed(void **state)
{
	struct text text = { 0 };

	(void)state;
	text_add(&text, "a");
	text.failed = true;
	text_add(&text, "b");
	assert_int_equal(text.size, 1);
	assert_null(text_take(&text));
	assert_false(text.failed);
	assert_null(text.data);
}

static void test_strings(void **state)
{
	cleanup_strings struct strings strings = { 0 };
	char word[] = "beta";

	(void)state;
	assert_false(strings_has(&strings, "beta"));
	strings_sort(&strings);
	assert_int_equal(strings_add(&strings, word), 0);
	assert_int_equal(strings_add(&strings, "gamma"), 0);
	assert_int_equal(strings_add(&strings, "alpha"), 0);
	assert_int_equal(strings_add(&strings, ""), 0);
	word[0] = 'z'; /* it has its own copy */
	assert_true(strings_has(&strings, "beta"));
	assert_false(strings_has(&strings, "bet"));
	assert_false(strings_has(&strings, "betaa"));
	assert_true(strings_has(&strings, ""));
	strings_sort(&strings);
	assert_int_equal(strings.count, 4);
	assert_string_equal(strings.items[0], "");
	assert_string_equal(strings.items[1], "alpha");
	assert_string_equal(strings.items[3], "gamma");

	strings_done(&strings);
	assert_int_equal(strings.count, 0);
	strings_done(&strings);
}

static void test_text_character(void **state)
{
	static const struct {
		const char *text;
		unsigned code;
		size_t size;
		bool control, cut;
	} rows[] = {
		{ "a", 'a', 1, false, false },
		{ "\n", '\n', 1, true, false },
		{ "\033[", 033, 1, true, false },
		{ "\x7f", 0x7f, 1, true, false },
		{ "\xc3\xbcx", 0xfc, 2, false, false },
		{ "\xc2\x80", 0x80, 2, true, false },
		{ "\xc2\x9f", 0x9f, 2, true, false },
		{ "\xc2\xa0", 0xa0, 2, false, false },
		{ "\xd8\x9c", 0x61c, 2, true, false },
		{ "\xe2\x80\x8d", 0x200d, 3, false, false },
		{ "\xe2\x80\x8e", 0x200e, 3, true, false },
		{ "\xe2\x80\x8f", 0x200f, 3, true, false },
		{ "\xe2\x80\xa7", 0x2027, 3, false, false },
		{ "\xe2\x80\xa8", 0x2028, 3, true, false },
		{ "\xe2\x80\xae", 0x202e, 3, true, false },
		{ "\xe2\x80\xaf", 0x202f, 3, false, false },
		{ "\xe2\x81\xa5", 0x2065, 3, false, false },
		{ "\xe2\x81\xa6", 0x2066, 3, true, false },
		{ "\xe2\x81\xa9", 0x2069, 3, true, false },
		{ "\xe2\x81\xaa", 0x206a, 3, false, false },
		{ "\xf0\x9f\x98\x80", 0x1f600, 4, false, false },
		/* not UTF-8: one byte, and C1 is C1 */
		{ "\xe9t", 0xe9, 1, false, false },
		{ "\x9b", 0x9b, 1, true, false },
		{ "\xff", 0xff, 1, false, false },
		{ "\xe2\x28\xa1", 0xe2, 1, false, false },
		{ "\xc0\x9b", 0xc0, 1, false, false },	       /* overlong */
		{ "\xe0\x82\x9b", 0xe0, 1, false, false },     /* overlong */
		{ "\xf4\x90\x80\x80", 0xf4, 1, false, false }, /* beyond Unicode */
		/* its end may still come */
		{ "\xc2", 0, 1, false, true },
		{ "\xe2\x80", 0, 2, false, true },
		{ "\xf0\x9f\x98", 0, 3, false, true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct text_character got = text_character(rows[i].text, strlen(rows[i].text));

		assert_int_equal(got.code, rows[i].code);
		assert_int_equal(got.size, rows[i].size);
		assert_int_equal(got.control, rows[i].control);
		assert_int_equal(got.cut, rows[i].cut);
	}
}

static void test_text_clean(void **state)
{
	static const struct {
		const char *text, *kept, *wanted;
	} rows[] = {
		{ "", "", "" },
		{ "a\x1b[2J\x07\r\x7f b", "", "a?[2J??? b" },
		{ "a\n\tb\r", "\n\t", "a\n\tb?" },
		{ "\xc2\x9b"
		  "2J \xe2\x80\xae gr\xc3\xbc",
		  "", "?2J ? gr\xc3\xbc" },
		{ "\xe2\x80", "", "\xe2\x80" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		cleanup_free char *text = strdup(rows[i].text);

		text_clean(text, rows[i].kept);
		assert_string_equal(text, rows[i].wanted);
	}
}

static void test_text_equal(void **state)
{
	(void)state;
	assert_true(text_equal(NULL, NULL));
	assert_false(text_equal(NULL, ""));
	assert_false(text_equal("", NULL));
	assert_true(text_equal("", ""));
	assert_true(text_equal("a", "a"));
	assert_false(text_equal("a", "A"));
	assert_false(text_equal("a", "ab"));
}

static void test_text_starts_with(void **state)
{
	(void)state;
	assert_true(text_starts_with("hostpci0", "hostpci"));
	assert_true(text_starts_with("hostpci", "hostpci"));
	assert_true(text_starts_with("", ""));
	assert_true(text_starts_with("a", ""));
	assert_false(text_starts_with("host", "hostpci"));
	assert_false(text_starts_with("", "a"));
}

static void test_text_nearest(void **state)
{
	static const char *const words[] = { "after_stop", "siblings", "deadline_s", "allow" };
	static const struct {
		const char *word, *nearest;
	} rows[] = {
		{ "after_stopp", "after_stop" },
		{ "afterstop", "after_stop" },
		{ "sibling", "siblings" },
		{ "deadline", "deadline_s" },
		{ "alow", "allow" },
		{ "allow", "allow" },
		{ "", "allow" },
		{ "aftr_stpo", "after_stop" },
	};
	char word[1000];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_string_equal(text_nearest(rows[i].word, words, COUNT(words)),
				    rows[i].nearest);
	assert_null(text_nearest("x", words, 0));
	memset(word, 'x', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	assert_non_null(text_nearest(word, words, COUNT(words)));
}

static void test_text_format(void **state)
{
	char *text = text_format("%s:%d", "a", 7);

	(void)state;
	assert_string_equal(text, "a:7");
	free(text);
}

static void test_take(void **state)
{
	cleanup_free char *pointer = strdup("a");
	cleanup_close int fd = dup(0);
	int number = fd;
	char *taken = TAKE_PTR(pointer);

	(void)state;
	assert_null(pointer);
	assert_string_equal(taken, "a");
	free(taken);
	assert_int_equal(TAKE_FD(fd), number);
	assert_int_equal(fd, -1);
	assert_int_equal(close(number), 0);
}

static void test_text_near(void **state)
{
	static const char *const words[] = { "status", "doctor", "rom", "restore" };

	(void)state;
	assert_string_equal(text_near("statsu", words, 4), "status");
	assert_string_equal(text_near("stat", words, 4), "status");
	assert_string_equal(text_near("rom", words, 4), "rom");
	assert_string_equal(text_near("docter", words, 4), "doctor");
	assert_null(text_near("ls", words, 4));
	assert_null(text_near("help", words, 4));
	assert_null(text_near("", words, 4));
	assert_null(text_near("remove", words, 4));
	assert_null(text_near("status", words, 0));
}

static void test_strings_words(void **state)
{
	static const char *const rows[] = {
		"", "a", "a and b", "a, b and c", "a, b, c and 1 more", "a, b, c and 2 more"
	};
	static const char *const names[] = { "x", "a", "b", "c", "d", "e" };
	cleanup_strings struct strings strings = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		cleanup_free char *words = NULL;
		struct text text = { 0 };

		assert_int_equal(strings_add(&strings, names[i]), 0);
		strings_words(&strings, 1, 3, &text);
		words = text_take(&text);
		assert_string_equal(words, rows[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_text_grows),
		cmocka_unit_test(test_text_failed),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_strings_words),
		cmocka_unit_test(test_text_character),
		cmocka_unit_test(test_text_clean),
		cmocka_unit_test(test_text_equal),
		cmocka_unit_test(test_text_starts_with),
		cmocka_unit_test(test_text_nearest),
		cmocka_unit_test(test_text_format),
		cmocka_unit_test(test_text_near),
		cmocka_unit_test(test_take),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
