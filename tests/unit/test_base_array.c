/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: base/array.c. */
#include "test.h"

#include <errno.h>

#include "base/array.h"

/* As the program runs without it: no memory is NULL, not the end. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

/* Every item stays what it was while the array grows; ASan watches the bounds. */
static void test_grows(void **state)
{
	size_t *items = NULL;

	(void)state;
	for (size_t count = 0; count < 1000; count++) {
		assert_int_equal(array_reserve(&items, count, sizeof(*items)), 0);
		items[count] = count * 3;
		for (size_t i = 0; i <= count; i += 7)
			assert_int_equal(items[i], i * 3);
	}
	free(items);
}

/* Memory is doubled when the count is a power of two, and not touched in between. */
static void test_stays_in_between(void **state)
{
	char *items = NULL, *before;

	(void)state;
	assert_int_equal(array_reserve(&items, 0, 1), 0);
	assert_int_equal(array_reserve(&items, 1, 1), 0);
	assert_int_equal(array_reserve(&items, 2, 1), 0);
	before = items;
	assert_int_equal(array_reserve(&items, 3, 1), 0);
	assert_ptr_equal(items, before);
	free(items);
}

/* More than there can be: refused, and the array is as it was. */
static void test_overflow(void **state)
{
	char *items = malloc(1), *before = items;

	(void)state;
	items[0] = 'a';
	assert_int_equal(array_reserve(&items, (size_t)1 << 62, 16), -ENOMEM);
	assert_ptr_equal(items, before);
	assert_int_equal(items[0], 'a');
	free(items);
}

/* Rows are a name, or begin with one; a row without a name is passed over. */
static void test_table_find(void **state)
{
	static const char *const names[] = { "a", NULL, "ab" };
	static const struct {
		const char *name;
		int value;
	} rows[] = { { "x", 1 }, { NULL, 2 }, { "", 3 } };

	(void)state;
	assert_int_equal(ARRAY_SIZE(names), 3);
	assert_int_equal(TABLE_FIND(names, "a"), 0);
	assert_int_equal(TABLE_FIND(names, "ab"), 2);
	assert_int_equal(TABLE_FIND(names, "abc"), -EINVAL);
	assert_int_equal(TABLE_FIND(names, ""), -EINVAL);
	assert_int_equal(rows[TABLE_FIND(rows, "x")].value, 1);
	assert_int_equal(rows[TABLE_FIND(rows, "")].value, 3);
	assert_int_equal(table_find(names, 0, sizeof(*names), "a"), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grows),
		cmocka_unit_test(test_stays_in_between),
		cmocka_unit_test(test_overflow),
		cmocka_unit_test(test_table_find),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
