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

/* What an error means goes with it, and is what the last sentence is of. */
static void test_kind(void **state)
{
	struct error err = { 0 };

	(void)state;
	assert_int_equal(error_refuse(&err, "not %d", 7), -EPERM);
	assert_int_equal(err.kind, ERROR_REFUSED);
	assert_string_equal(err.message, "not 7");
	assert_int_equal(error_misuse(&err, "no '%s'", "x"), -EINVAL);
	assert_int_equal(err.kind, ERROR_USAGE);
	assert_string_equal(err.message, "no 'x'");
	/* a permission that the kernel does not give is not a refusal of ours */
	assert_int_equal(error_set(&err, -EPERM, "cannot open"), -EPERM);
	assert_int_equal(err.kind, ERROR_FAILED);
	assert_int_equal(error_as_refusal(&err, -EINVAL), -EINVAL);
	assert_int_equal(err.kind, ERROR_REFUSED);
	assert_string_equal(err.message, "cannot open");
	assert_int_equal(error_refuse_silently(&err), -EPERM);
	assert_int_equal(err.kind, ERROR_REFUSED);
	assert_string_equal(err.message, "");
	assert_int_equal(error_as_refusal(&err, error_set_memory(&err)), -ENOMEM);
	assert_int_equal(err.kind, ERROR_FAILED);
	assert_int_equal(error_refuse(NULL, "x"), -EPERM);
	assert_int_equal(error_misuse(NULL, "x"), -EINVAL);
	assert_int_equal(error_refuse_silently(NULL), -EPERM);
	assert_int_equal(error_as_refusal(NULL, -EIO), -EIO);
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
		cmocka_unit_test(test_kind),
		cmocka_unit_test(test_long_sentence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
