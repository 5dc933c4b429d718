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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_long_sentence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
