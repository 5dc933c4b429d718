/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: base/clock.c. Lower bounds are exact; upper ones leave room for a busy machine. */
#include "test.h"

#include <limits.h>

#include "base/clock.h"

static void test_deadline(void **state)
{
	struct deadline deadline = deadline_in_ms(200);
	uint64_t began = clock_now_us();
	int left;

	(void)state;
	left = deadline_left_ms(deadline);
	assert_in_range(left, 1, 200);
	clock_sleep_ms(250);
	assert_true(clock_now_us() - began >= 250000);
	assert_true(deadline_passed(deadline));
	assert_int_equal(deadline_left_ms(deadline), 0);
}

static void test_now(void **state)
{
	struct deadline deadline = deadline_in_ms(0);

	(void)state;
	assert_true(deadline_passed(deadline));
	assert_int_equal(deadline_left_ms(deadline), 0);
}

/* poll(2) must not spin in the last millisecond, nor get a negative number, which is for ever. */
static void test_left_is_rounded_up(void **state)
{
	struct deadline deadline = { clock_now_us() + 3600ull * 1000000 + 1 };

	(void)state;
	assert_in_range(deadline_left_ms(deadline), 3590000, 3600001);
	deadline.at_us = UINT64_MAX;
	assert_int_equal(deadline_left_ms(deadline), INT_MAX);
	deadline.at_us = 0;
	assert_int_equal(deadline_left_ms(deadline), 0);
}

/* 1, 2, 4, 8, 16 and from then on 50 ms; none once the deadline has passed. */
static void test_wait_step(void **state)
{
	static const unsigned least_ms[] = { 1, 2, 4, 8, 16, 50, 50 };
	struct deadline deadline = deadline_in_ms(60000);
	unsigned step = 0;
	uint64_t began;

	(void)state;
	for (unsigned i = 0; i < COUNT(least_ms); i++) {
		began = clock_now_us();
		assert_true(deadline_wait_step(deadline, &step));
		assert_true(clock_now_us() - began >= least_ms[i] * 1000);
		assert_int_equal(step, i + 1);
	}
	step = 1000; /* a long wait */
	began = clock_now_us();
	assert_true(deadline_wait_step(deadline, &step));
	assert_in_range(clock_now_us() - began, 50000, 5000000);

	deadline = deadline_in_ms(0);
	assert_false(deadline_wait_step(deadline, &step));
	assert_int_equal(step, 1001);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_deadline),
		cmocka_unit_test(test_now),
		cmocka_unit_test(test_left_is_rounded_up),
		cmocka_unit_test(test_wait_step),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
