/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: a driver that does not let go in time, or at all. */
#include "fake_kernel.h"

#include "base/clock.h"

#define ONE	    "0000:01:00.0"
#define TWO	    "0000:02:00.0"
#define THREE	    "0000:03:00.0"
#define ALL	    ONE " " TWO " " THREE

#define DEADLINE_MS 2000
/* a deadline, and the second in which a SIGKILL may take effect, and a busy machine */
#define AT_MOST_MS (DEADLINE_MS + 1000 + 3000)

static int setup(void **state)
{
	struct fake_kernel *kernel;

	if (fake_setup(state) < 0)
		return -1;
	kernel = *state;
	fake_driver(kernel, "e1000e", "e1000e", "8086:10d3");
	fake_device(kernel, &(struct tree_device){ ONE, .driver = "e1000e", .group = 14 });
	fake_device(kernel, &(struct tree_device){ TWO, .driver = "e1000e", .group = 15 });
	fake_device(kernel, &(struct tree_device){ THREE, .driver = "e1000e", .group = 16 });
	return 0;
}

static void assert_untouched(struct fake_kernel *kernel)
{
	assert_binding(kernel, ONE, "e1000e (null)");
	assert_binding(kernel, TWO, "e1000e (null)");
	assert_binding(kernel, THREE, "e1000e (null)");
	assert_false(fake_has_journal(kernel));
}

static void assert_took(uint64_t began_us, unsigned least_ms, unsigned most_ms)
{
	uint64_t took_ms = (clock_now_us() - began_us) / 1000;

	assert_in_range(took_ms, least_ms, most_ms);
}

/* It sleeps where a SIGKILL reaches it: late, and gone. */
static void test_late(void **state)
{
	cleanup_journal struct journal journal = { 0 };
	struct fake_kernel *kernel = *state;
	uint64_t began = clock_now_us();

	fake_misbehave(kernel, TWO, "unbind@e1000e", "stall");
	assert_int_equal(fake_take(kernel, ALL, DEADLINE_MS, &journal), 1);
	assert_took(began, DEADLINE_MS, AT_MOST_MS);
	assert_told(kernel, ONE " ok\n" TWO " ETIMEDOUT: not done within 2 s\n" THREE " ok\n");
	assert_int_equal(journal.actions.items[1].state, ACTION_FAILED);

	assert_int_equal(fake_roll_back(kernel, DEADLINE_MS, &journal), 0);
	assert_told(kernel, ONE " ok\n" TWO " ok: already there\n" THREE " ok\n");
	assert_untouched(kernel);
}

/* No SIGKILL reaches it: its journal stays, and so does the VM's lock, until it comes loose. */
static void test_stuck(void **state)
{
	cleanup_journal struct journal journal = { 0 }, left = { 0 };
	struct fake_kernel *kernel = *state;
	uint64_t began;
	int lock, other;

	lock = state_lock_vm(&kernel->state, 101, deadline_in_ms(0), &kernel->err);
	assert_true(lock >= 0);
	fake_misbehave(kernel, TWO, "unbind@e1000e", "stick");
	began = clock_now_us();
	assert_int_equal(fake_take(kernel, ALL, DEADLINE_MS, &journal), 1);
	assert_took(began, DEADLINE_MS + 400, AT_MOST_MS);
	assert_told(kernel,
		    ONE " ok\n" TWO " ETIMEDOUT: not done within 2 s; process N is stuck in "
			"the kernel in nvkm_thread_sleep\n" THREE " ok\n");
	assert_int_equal(journal.actions.items[1].state, ACTION_STUCK);

	/* the others are given back, and the stuck one is left alone */
	began = clock_now_us();
	fake_roll_back(kernel, DEADLINE_MS, &journal);
	assert_took(began, 0, DEADLINE_MS);
	assert_told(kernel, ONE " ok\n" THREE " ok\n");
	assert_binding(kernel, ONE, "e1000e (null)");
	assert_binding(kernel, TWO, "e1000e vfio-pci");
	assert_binding(kernel, THREE, "e1000e (null)");
	assert_int_equal(journal_read(&kernel->tree.root, &kernel->state, 101, &left, &kernel->err),
			 0);
	assert_int_equal(left.actions.count, 1);
	assert_string_equal(left.actions.items[0].target, TWO);
	assert_int_equal(left.actions.items[0].state, ACTION_STUCK);

	/* the process that took the lock ends; its stuck child holds it still */
	close(lock);
	assert_int_equal(state_lock_vm(&kernel->state, 101, deadline_in_ms(100), &kernel->err),
			 -EWOULDBLOCK);
	assert_string_equal(kernel->err.message,
			    "/run/pve-vfio/101.lock is locked by another process");
	other = state_lock_vm(&kernel->state, 102, deadline_in_ms(0), &kernel->err);
	assert_true(other >= 0); /* another VM's is free */
	close(other);

	fake_loosen(kernel, TWO);
	lock = state_lock_vm(&kernel->state, 101, deadline_in_ms(1000), &kernel->err);
	assert_true(lock >= 0);
	assert_binding(kernel, TWO, "none vfio-pci"); /* its unbind had its effect */
	assert_int_equal(fake_restore(kernel, DEADLINE_MS), 0);
	assert_told(kernel, TWO " ok\n");
	assert_untouched(kernel);
	close(lock);
}

/* restore_actions() counts what it could not revert, which the stuck one is. */
static void test_stuck_counts(void **state)
{
	cleanup_journal struct journal journal = { 0 };
	struct fake_kernel *kernel = *state;
	int left;

	fake_misbehave(kernel, TWO, "unbind@e1000e", "stick");
	assert_int_equal(fake_take(kernel, ALL, DEADLINE_MS, &journal), 1);
	left = fake_roll_back(kernel, DEADLINE_MS, &journal);
	fake_loosen(kernel, TWO);
	assert_int_equal(journal.actions.count, 1);
	assert_int_equal(left, 1);
}

/* Several at once cost one deadline, not one each. */
static void test_all_stuck(void **state)
{
	cleanup_journal struct journal journal = { 0 };
	struct fake_kernel *kernel = *state;
	uint64_t began = clock_now_us();

	fake_misbehave(kernel, ONE, "unbind@e1000e", "stick");
	fake_misbehave(kernel, TWO, "probe@vfio-pci", "stick");
	fake_misbehave(kernel, THREE, "unbind@e1000e", "stall");
	assert_int_equal(fake_take(kernel, ALL, DEADLINE_MS, &journal), 3);
	assert_took(began, DEADLINE_MS + 400, AT_MOST_MS);
	assert_told(kernel, ONE " ETIMEDOUT: not done within 2 s; process N is stuck in the kernel "
				"in nvkm_thread_sleep\n" TWO
				" ETIMEDOUT: not done within 2 s; process N is stuck in the kernel "
				"in nvkm_thread_sleep\n" THREE " ETIMEDOUT: not done within 2 s\n");
	assert_int_equal(journal.actions.items[0].state, ACTION_STUCK);
	assert_int_equal(journal.actions.items[1].state, ACTION_STUCK);
	assert_int_equal(journal.actions.items[2].state, ACTION_FAILED);
	fake_roll_back(kernel, DEADLINE_MS, &journal);
	assert_told(kernel, THREE " ok: already there\n");
	assert_int_equal(journal.actions.count, 2);

	fake_loosen(kernel, ONE);
	fake_loosen(kernel, TWO);
	assert_binding(kernel, ONE, "none vfio-pci");
	assert_binding(kernel, TWO, "vfio-pci vfio-pci");
	assert_int_equal(fake_restore(kernel, DEADLINE_MS), 0);
	assert_told(kernel, ONE " ok\n" TWO " ok\n");
	assert_untouched(kernel);
}

/* The other functions of the slot are not tried. */
static void test_stuck_function(void **state)
{
	cleanup_journal struct journal journal = { 0 };
	struct fake_kernel *kernel = *state;

	fake_device(kernel,
		    &(struct tree_device){ "0000:01:00.1", .driver = "e1000e", .group = 14 });
	fake_misbehave(kernel, "0000:01:00.1", "unbind@e1000e", "stick");
	assert_int_equal(fake_take(kernel, ONE, DEADLINE_MS, &journal), 2);
	assert_told(kernel,
		    ONE " ECANCELED: not tried\n"
			"0000:01:00.1 ETIMEDOUT: not done within 2 s; process N is stuck in "
			"the kernel in nvkm_thread_sleep\n");
	assert_int_equal(journal.actions.items[0].state, ACTION_ANNOUNCED);
	assert_int_equal(journal.actions.items[1].state, ACTION_STUCK);
	assert_writes(kernel, ONE, "");
	fake_loosen(kernel, "0000:01:00.1");
	assert_int_equal(fake_restore(kernel, DEADLINE_MS), 0);
	assert_binding(kernel, "0000:01:00.1", "e1000e (null)");
	assert_untouched(kernel);
}

/* The same on the way back. */
static void test_late_in_revert(void **state)
{
	cleanup_journal struct journal journal = { 0 };
	struct fake_kernel *kernel = *state;

	assert_int_equal(fake_take(kernel, ALL, 5000, &journal), 0);
	text_done(&kernel->told);
	fake_misbehave(kernel, TWO, "unbind@vfio-pci", "stall");
	assert_int_equal(fake_restore(kernel, DEADLINE_MS), 1);
	assert_told(kernel, ONE " ok\n" TWO " ETIMEDOUT: not done within 2 s\n" THREE " ok\n");
	assert_true(fake_has_journal(kernel));
	fake_behave(kernel, TWO, "unbind@vfio-pci");
	assert_int_equal(fake_restore(kernel, DEADLINE_MS), 0);
	assert_told(kernel, TWO " ok\n");
	assert_untouched(kernel);
}

static void test_stuck_in_revert(void **state)
{
	cleanup_journal struct journal journal = { 0 }, left = { 0 };
	struct fake_kernel *kernel = *state;

	assert_int_equal(fake_take(kernel, ALL, 5000, &journal), 0);
	text_done(&kernel->told);
	fake_misbehave(kernel, TWO, "unbind@vfio-pci", "stick");
	assert_int_equal(fake_restore(kernel, DEADLINE_MS), 1);
	assert_told(kernel,
		    ONE " ok\n" TWO " ETIMEDOUT: not done within 2 s; process N is stuck in "
			"the kernel in nvkm_thread_sleep\n" THREE " ok\n");
	assert_int_equal(journal_read(&kernel->tree.root, &kernel->state, 101, &left, &kernel->err),
			 0);
	assert_int_equal(left.actions.count, 1);
	assert_int_equal(left.actions.items[0].state, ACTION_STUCK);
	assert_int_equal(left.phase, JOURNAL_STOPPING);

	fake_loosen(kernel, TWO);
	assert_binding(kernel, TWO, "none e1000e");
	assert_int_equal(fake_restore(kernel, DEADLINE_MS), 0);
	assert_told(kernel, TWO " ok\n");
	assert_untouched(kernel);
}

#define stuck_test(function) cmocka_unit_test_setup_teardown(function, setup, fake_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		stuck_test(test_late),
		stuck_test(test_stuck),
		stuck_test(test_stuck_counts),
		stuck_test(test_all_stuck),
		stuck_test(test_stuck_function),
		stuck_test(test_late_in_revert),
		stuck_test(test_stuck_in_revert),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
