/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: base/error.c. */
#include "test.h"

#include <errno.h>

#include "base/error.h"

static void test_set(void **state)
{
	struct error err = { 0 };

	(void)state;
	assert_int_equal(error_set(&err, -EIO, "%s: %d", "a", 7), -EIO);
	assert_string_equal(err.message, "a: 7");
	assert_int_equal(error_set_memory(&err), -ENOMEM);
	assert_string_equal(err.message, "out of memory");
	/* nobody wants to know */
	assert_int_equal(error_set(NULL, -EIO, "%s", "a"), -EIO);
	assert_int_equal(error_set_memory(NULL), -ENOMEM);
}

static void test_long_sentence(void **state)
{
	struct error err = { 0 };
	char word[2 * ERROR_MAX];

	(void)state;
	memset(word, 'x', sizeof(word));
	word[sizeof(word) - 1] = '\0';
	assert_int_equal(error_set(&err, -EIO, "%s", word), -EIO);
	assert_int_equal(strlen(err.message), ERROR_MAX - 1);
}

/* What is quoted can hold anything, and a terminal obeys control characters. */
static void test_control_characters(void **state)
{
	struct error err = { 0 };

	(void)state;
	assert_int_equal(error_set(&err, -EIO, "'%s' is no key", "a\x1b[2J\x07\r\x7f b"), -EIO);
	assert_string_equal(err.message, "'a?[2J??? b' is no key");
	error_set(&err, -EIO, "failed:\n%s", "\tgr\xc3\xbc\xc3\x9f\n");
	assert_string_equal(err.message, "failed:\n\tgr\xc3\xbc\xc3\x9f\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_long_sentence),
		cmocka_unit_test(test_control_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
