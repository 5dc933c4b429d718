/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base: time. Knows nothing of what is waited for. */
#include "base/clock.h"

#include <limits.h>
#include <time.h>

uint64_t clock_now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

void clock_sleep_ms(unsigned milliseconds)
{
	struct timespec wanted = {
		.tv_sec = milliseconds / 1000,
		.tv_nsec = (long)(milliseconds % 1000) * 1000000,
	};

	nanosleep(&wanted, NULL);
}

struct deadline deadline_in_ms(uint64_t milliseconds)
{
	return (struct deadline){ clock_now_us() + milliseconds * 1000 };
}

bool deadline_passed(struct deadline deadline)
{
	return clock_now_us() >= deadline.at_us;
}

int deadline_left_ms(struct deadline deadline)
{
	uint64_t now = clock_now_us();
	uint64_t left_ms;

	if (now >= deadline.at_us)
		return 0;
	left_ms = (deadline.at_us - now + 999) / 1000;
	return left_ms > INT_MAX ? INT_MAX : (int)left_ms;
}

bool deadline_wait_step(struct deadline deadline, unsigned *step)
{
	unsigned sleep_ms = *step < 5 ? 1u << *step : 50;

	if (deadline_passed(deadline))
		return false;
	clock_sleep_ms(sleep_ms);
	*step += 1;
	return true;
}
