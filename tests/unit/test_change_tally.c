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

static void expect_qemu(const struct state *state, uint64_t took_us, size_t refused)
{
	struct tally tally = { 0 };

	assert_int_equal(tally_read(state, 101, &tally), 0);
	assert_int_equal(tally.qemu.phase.took_us, took_us);
	assert_int_equal(tally.qemu.phase.at > 0, took_us > 0);
	assert_int_equal(tally.qemu.memory_mib, took_us > 0 ? 65536 : 0);
	assert_int_equal(tally.qemu.huge, took_us > 0);
	assert_int_equal(tally.refused_count, refused);
	tally_done(&tally);
}

/* It is behind the checks, which grow, and an earlier version writes over it. */
static void test_qemu(void **context)
{
	static const char *const earlier = "device-absent 9\n";
	struct machine *machine = *context;
	const struct tally_qemu qemu = { { .took_us = 12340000 }, 65536, true };
	const off_t refused_at = 94;
	struct tally tally = { 0 };
	char file[512];
	ssize_t size;
	int lock = open_lock(&machine->state, 101);

	tally_qemu(lock, &qemu);
	expect_qemu(&machine->state, 12340000, 0);
	for (int i = 0; i < 11; i++)
		refuse(lock, "device-absent", "storage-in-use");
	expect_qemu(&machine->state, 12340000, 2);
	tally_qemu(lock, &qemu);
	tally_read_locked(lock, &tally);
	assert_int_equal(tally.qemu.phase.took_us, 12340000);
	assert_int_equal(tally.refused[1].starts, 11);
	tally_done(&tally);

	/* whatever is left of the line is no check */
	assert_int_equal(ftruncate(lock, refused_at), 0);
	tally_qemu(lock, &qemu);
	size = pread(lock, file, sizeof(file), 0);
	assert_true(size > refused_at);
	for (off_t at = refused_at + 1; at < size; at++) {
		file[at - 1] = '\n';
		memset(file + refused_at, 'x', (size_t)(at - 1 - refused_at));
		assert_int_equal(pwrite(lock, file, (size_t)size, 0), size);
		expect_qemu(&machine->state, 0, 0);
	}
	assert_int_equal(pwrite(lock, earlier, strlen(earlier), refused_at), strlen(earlier));
	expect_qemu(&machine->state, 0, 1);
	close(lock);
	tally_qemu(-1, &qemu);
	tally_read_locked(-1, &tally);
	assert_int_equal(tally.qemu.phase.at, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		machine_test(test_round),
		machine_test(test_qemu),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
