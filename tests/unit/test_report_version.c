/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: report/version.c. */
#include "test.h"

#include "report/version.h"

static void test_words(void **state)
{
	char *words = version_words("a-program");
	char start[64];

	(void)state;
	snprintf(start, sizeof(start), "a-program %s\nlibpci ", PVE_VFIO_VERSION);
	assert_int_equal(strncmp(words, start, strlen(start)), 0);
	assert_int_equal(words[strlen(words) - 1], '\n');
	free(words);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
