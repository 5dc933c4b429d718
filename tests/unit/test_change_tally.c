/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What starts and stops came to: written by phases that have the VM's lock, read by anybody. */
#include "start.h"

#include <unistd.h>

#include "change/tally.h"

static int open_lock(const struct state *state, uint32_t vmid)
{
	int lock = state_lock_vm(state, vmid, deadline_in_ms(0), NULL);

	assert_true(lock >= 0);
	return lock;
}

static void refuse(int lock, const char *first, const char *second)
{
	struct strings checks = { 0 };

	assert_int_equal(strings_add(&checks, first), 0);
	if (second)
		assert_int_equal(strings_add(&checks, second), 0);
	tally_refuse(lock, &checks);
	strings_done(&checks);
}

static void test_round(void **context)
{
	struct machine *machine = *context;
	struct state state = machine->state;
	struct tally tally = { 0 };
	struct vmids vmids = { 0 };
	int lock;

	assert_int_equal(tally_read(&state, 101, &tally), 0);
	assert_int_equal(tally.take.at, 0);

	/* in any order, and a give-back without a take */
	lock = open_lock(&state, 101);
	tally_give(lock, 250000);
	assert_int_equal(tally_read(&state, 101, &tally), 0);
	assert_int_equal(tally.take.at, 0);
	refuse(lock, "device-absent", "storage-in-use");
	refuse(lock, "storage-in-use", NULL);
	tally_take(lock, UINT64_MAX);
	tally_take(lock, 1500000);
	assert_int_equal(tally_read(&state, 101, &tally), 0);
	assert_int_equal(tally.take.took_us, 1500000);
	assert_true(tally.take.at > 0);
	assert_int_equal(tally.give.took_us, 250000);
	assert_int_equal(tally.refused_count, 2);
	assert_string_equal(tally.refused[0].check, "device-absent");
	assert_int_equal(tally.refused[0].starts, 1);
	assert_int_equal(tally.refused[1].starts, 2);
	tally_done(&tally);
	close(lock);

	/* refused before anything else */
	lock = open_lock(&state, 20);
	refuse(lock, "device-absent", NULL);
	assert_int_equal(tally_read(&state, 20, &tally), 0);
	assert_int_equal(tally.refused_count, 1);
	assert_int_equal(tally.take.at + tally.give.at, 0);
	tally_done(&tally);
	close(lock);

	assert_int_equal(tally_list(&state, &vmids, NULL), 0);
	assert_int_equal(vmids.count, 2);
	assert_int_equal(vmids.items[0], 20);
	assert_int_equal(vmids.items[1], 101);
	vmids_done(&vmids);

	/* without a lock nothing is written, and nobody is hurt */
	tally_take(-1, 1);
	refuse(-1, "device-absent", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		machine_test(test_round),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
