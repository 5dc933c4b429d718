/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * base: time. Deadlines and durations use the monotonic clock; only what a person reads uses the
 * calendar.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Microseconds of the monotonic clock. */
uint64_t clock_now_us(void);

/* Sleeps that many milliseconds, or less when a signal arrives. */
void clock_sleep_ms(unsigned milliseconds);

/* A moment after which one does not wait any longer. */
struct deadline {
	uint64_t at_us;
};

struct deadline deadline_in_ms(uint64_t milliseconds);
bool deadline_passed(struct deadline deadline);

/* Milliseconds left, 0 when passed: what poll(2) takes. */
int deadline_left_ms(struct deadline deadline);

/*
 * For waiting on something that gives no event (sysfs, /proc): sleeps a little, longer each time
 * (1 ms up to 50 ms; *step starts at 0). False, without sleeping, once the deadline has passed.
 */
bool deadline_wait_step(struct deadline deadline, unsigned *step);
