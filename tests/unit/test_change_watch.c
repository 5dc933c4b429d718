/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: change/watch.c, which journals are a watch's to settle. The rest is in tests/vm/test-watch. */
#include "test.h"

#include "change/watch.h"

static void test_is_for(void **state)
{
	static const struct {
		uint64_t run;
		enum journal_phase phase;
		bool is_for;
	} rows[] = {
		{ 7, JOURNAL_STARTING, true }, { 7, JOURNAL_READY, true },
		{ 7, JOURNAL_STOPPING, true }, { 7, JOURNAL_RUNNING, false },
		{ 7, JOURNAL_KEPT, false },    { 8, JOURNAL_READY, false },
		{ 0, JOURNAL_READY, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct journal journal = { .run = rows[i].run, .phase = rows[i].phase };

		assert_int_equal(watch_is_for(&journal, 7), rows[i].is_for);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_is_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
