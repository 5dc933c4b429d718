/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: a kernel that refuses: all is rolled back, and nothing is lost on the way. */
#include "fake_kernel.h"

#define ONE   "0000:01:00.0"
#define TWO   "0000:02:00.0"
#define THREE "0000:03:00.0"
#define ALL   ONE " " TWO " " THREE

static int setup(void **state)
{
	struct fake_kernel *kernel;

	if (fake_setup(state) < 0)
		return -1;
	kernel = *state;
	fake_driver(kernel, "e1000e", "e1000e", "8086:10d3");
	fake_driver(kernel, "nouveau", "nouveau", "10de:2484");
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
	for (int group = 14; group <= 16; group++) {
		char path[PATH_MAX];

		tree_format(path, "dev/vfio/%d", group);
		assert_false(tree_has(&kernel->tree, path));
	}
	assert_false(fake_has_journal(kernel));
}

/* Each way in which the second of three can fail. */
static void test_second_of_three(void **state)
{
	static const struct {
		const char *where, *what, *told;
	} rows[] = {
		{ "override@vfio-pci", "fail 5",
		  "EIO: cannot set driver_override to 'vfio-pci': Input/output error" },
		{ "unbind@e1000e", "fail 16",
		  "EBUSY: cannot unbind it from 'e1000e': Device or resource busy" },
		{ "unbind@e1000e", "ignore", "EBUSY: 'e1000e' does not let it go" },
		{ "probe@vfio-pci", "fail 22",
		  "EIO: 'vfio-pci' did not take it: its probe failed (Invalid argument), see "
		  "'journalctl -k'" },
		{ "probe@vfio-pci", "ignore",
		  "EIO: 'vfio-pci' did not take it: its probe failed, see 'journalctl -k'" },
	};
	struct fake_kernel *kernel = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		cleanup_journal struct journal journal = { 0 };
		char told[512];

		fake_misbehave(kernel, TWO, rows[i].where, rows[i].what);
		assert_int_equal(fake_take(kernel, ALL, 5000, &journal), 1);
		snprintf(told, sizeof(told), ONE " ok\n" TWO " %s\n" THREE " ok\n", rows[i].told);
		assert_told(kernel, told);
		assert_int_equal(journal.actions.items[0].state, ACTION_DONE);
		assert_int_equal(journal.actions.items[1].state, ACTION_FAILED);
		assert_int_equal(journal.actions.items[2].state, ACTION_DONE);

		assert_int_equal(fake_roll_back(kernel, 5000, &journal), 0);
		assert_untouched(kernel);
		text_done(&kernel->told);
		fake_behave(kernel, TWO, rows[i].where);
	}
}

/*
 * A driver that takes the device against the override got it by our attempt: the host gets it back
 * as it was, with the driver it had.
 */
static void test_wrong_driver(void **state)
{
	cleanup_journal struct journal journal = { 0 };
	struct fake_kernel *kernel = *state;

	fake_misbehave(kernel, TWO, "probe@vfio-pci", "wrong nouveau");
	assert_int_equal(fake_take(kernel, ALL, 5000, &journal), 1);
	assert_told(kernel, ONE " ok\n" TWO " EIO: 'nouveau' took it in place of 'vfio-pci'\n" THREE
				" ok\n");
	assert_int_equal(fake_roll_back(kernel, 5000, &journal), 0);
	assert_told(kernel, ONE " ok\n" TWO " ok\n" THREE " ok\n");
	assert_binding(kernel, ONE, "e1000e (null)");
	assert_binding(kernel, TWO, "e1000e (null)");
	assert_binding(kernel, THREE, "e1000e (null)");
	assert_false(fake_has_journal(kernel));
}

/* The functions of a slot are one lane: the highest first, and the others are not tried. */
static void test_lane_ends_at_its_first_failure(void **state)
{
	cleanup_journal struct journal journal = { 0 };
	struct fake_kernel *kernel = *state;

	fake_device(kernel,
		    &(struct tree_device){ "0000:01:00.1", .driver = "e1000e", .group = 17 });
	fake_device(kernel,
		    &(struct tree_device){ "0000:01:00.2", .driver = "e1000e", .group = 18 });
	fake_misbehave(kernel, "0000:01:00.1", "unbind", "once fail 16");
	assert_int_equal(fake_take(kernel, "0000:01:00.0 0000:01:00.1 0000:01:00.2", 5000,
				   &journal),
			 2);
	assert_told(kernel,
		    "0000:01:00.0 ECANCELED: not tried\n"
		    "0000:01:00.1 EBUSY: cannot unbind it from 'e1000e': Device or resource "
		    "busy\n"
		    "0000:01:00.2 ok\n");
	assert_int_equal(journal.actions.items[0].state, ACTION_ANNOUNCED);
	assert_int_equal(journal.actions.items[1].state, ACTION_FAILED);
	assert_int_equal(journal.actions.items[2].state, ACTION_DONE);
	assert_writes(kernel, "0000:01:00.0", "");

	assert_int_equal(fake_roll_back(kernel, 5000, &journal), 0);
	assert_told(kernel, "0000:01:00.0 ok: already there\n"
			    "0000:01:00.1 ok: already there\n"
			    "0000:01:00.2 ok\n");
	assert_binding(kernel, "0000:01:00.1", "e1000e (null)");
	assert_untouched(kernel);
}

/* Giving back goes on after a failure, and what could not be given back stays in the journal. */
static void test_revert_fails(void **state)
{
	cleanup_journal struct journal journal = { 0 }, left = { 0 };
	struct fake_kernel *kernel = *state;

	assert_int_equal(fake_take(kernel, ALL, 5000, &journal), 0);
	text_done(&kernel->told);
	fake_misbehave(kernel, ONE, "unbind@vfio-pci", "fail 16");
	assert_int_equal(fake_restore(kernel, 5000), 1);
	assert_told(kernel, ONE " EBUSY: cannot unbind it from 'vfio-pci': Device or resource "
				"busy\n" TWO " ok\n" THREE " ok\n");
	assert_binding(kernel, TWO, "e1000e (null)");
	assert_binding(kernel, THREE, "e1000e (null)");
	/* bound still; the override is the one of before, as far as that goes */
	assert_binding(kernel, ONE, "vfio-pci (null)");

	assert_int_equal(journal_read(&kernel->tree.root, &kernel->state, 101, &left, &kernel->err),
			 0);
	assert_int_equal(left.actions.count, 1);
	assert_string_equal(left.actions.items[0].target, ONE);
	assert_string_equal(left.actions.items[0].before, "e1000e");
	assert_int_equal(left.actions.items[0].state, ACTION_FAILED);
	assert_int_equal(left.phase, JOURNAL_STOPPING);

	fake_behave(kernel, ONE, "unbind@vfio-pci");
	assert_int_equal(fake_restore(kernel, 5000), 0);
	assert_told(kernel, ONE " ok\n");
	assert_untouched(kernel);
	assert_int_equal(fake_restore(kernel, 5000), -ENOENT);
}

/* The driver before does not take its device back. */
static void test_revert_finds_no_driver(void **state)
{
	cleanup_journal struct journal journal = { 0 };
	struct fake_kernel *kernel = *state;

	assert_int_equal(fake_take(kernel, ONE, 5000, &journal), 0);
	text_done(&kernel->told);
	fake_misbehave(kernel, ONE, "probe@e1000e", "ignore");
	assert_int_equal(fake_restore(kernel, 5000), 1);
	assert_told(kernel, ONE " EIO: 'e1000e' did not take it: its probe failed, see "
				"'journalctl -k'\n");
	/* without a driver it is at least open to every driver */
	assert_binding(kernel, ONE, "none (null)");
	assert_true(fake_has_journal(kernel));

	fake_behave(kernel, ONE, "probe@e1000e");
	assert_int_equal(fake_restore(kernel, 5000), 0);
	assert_untouched(kernel);
}

/* The host has the device back under another driver. */
static void test_revert_wrong_driver(void **state)
{
	cleanup_journal struct journal journal = { 0 };
	struct fake_kernel *kernel = *state;

	assert_int_equal(fake_take(kernel, ONE, 5000, &journal), 0);
	text_done(&kernel->told);
	fake_misbehave(kernel, ONE, "probe@e1000e", "wrong nouveau");
	assert_int_equal(fake_restore(kernel, 5000), 1);
	assert_told(kernel, ONE " EIO: 'nouveau' took it in place of 'e1000e'\n");
	assert_binding(kernel, ONE, "nouveau (null)");
	assert_true(fake_has_journal(kernel));
}

/* The override of before cannot be put back. */
static void test_revert_override_fails(void **state)
{
	cleanup_journal struct journal journal = { 0 };
	struct fake_kernel *kernel = *state;

	assert_int_equal(fake_take(kernel, ONE, 5000, &journal), 0);
	text_done(&kernel->told);
	fake_misbehave(kernel, ONE, "override@", "fail 5");
	assert_int_equal(fake_restore(kernel, 5000), 1);
	assert_told(kernel, ONE " EIO: cannot set driver_override to '': Input/output error\n");
	assert_binding(kernel, ONE, "e1000e e1000e");

	fake_behave(kernel, ONE, "override@");
	assert_int_equal(fake_restore(kernel, 5000), 0);
	assert_told(kernel, ONE " ok: already there\n");
	assert_untouched(kernel);
}

static void test_restore_twice(void **state)
{
	cleanup_journal struct journal journal = { 0 };
	struct fake_kernel *kernel = *state;

	assert_int_equal(fake_restore(kernel, 5000), -ENOENT);
	assert_int_equal(fake_take(kernel, ALL, 5000, &journal), 0);
	assert_int_equal(fake_restore(kernel, 5000), 0);
	assert_untouched(kernel);
	text_done(&kernel->told);
	assert_int_equal(fake_restore(kernel, 5000), -ENOENT);
	assert_told(kernel, "");

	/* and by a journal that somebody has kept in memory */
	for (int i = 0; i < 3; i++)
		assert_writes(kernel, (const char *[]){ ONE, TWO, THREE }[i],
			      "override=vfio-pci unbind=e1000e probe override=e1000e "
			      "unbind=vfio-pci probe override=");
	assert_int_equal(fake_roll_back(kernel, 5000, &journal), 0);
	assert_told(kernel, ONE " ok: already there\n" TWO " ok: already there\n" THREE
				" ok: already there\n");
	assert_writes(kernel, ONE, "");
	assert_untouched(kernel);
}

static void test_device_vanishes(void **state)
{
	cleanup_journal struct journal journal = { 0 };
	struct fake_kernel *kernel = *state;

	/* while it is taken */
	fake_misbehave(kernel, TWO, "unbind", "vanish");
	assert_int_equal(fake_take(kernel, ALL, 5000, &journal), 1);
	assert_told(kernel,
		    ONE " ok\n" TWO " ENODEV: the device is no longer there\n" THREE " ok\n");
	assert_binding(kernel, TWO, "gone");
	/* while it is the VM's */
	fake_vanish(kernel, THREE);
	assert_int_equal(fake_restore(kernel, 5000), 0);
	assert_told(kernel,
		    ONE " ok\n" TWO " ok: no longer there\n" THREE " ok: no longer there\n");
	assert_binding(kernel, ONE, "e1000e (null)");
	assert_false(fake_has_journal(kernel));
}

/* Between the look and the write of giving it back. */
static void test_device_vanishes_in_revert(void **state)
{
	cleanup_journal struct journal journal = { 0 };
	struct fake_kernel *kernel = *state;

	assert_int_equal(fake_take(kernel, ONE, 5000, &journal), 0);
	text_done(&kernel->told);
	fake_misbehave(kernel, ONE, "probe@e1000e", "vanish");
	assert_int_equal(fake_restore(kernel, 5000), 1);
	assert_told(kernel, ONE " ENODEV: the device is no longer there\n");
	assert_int_equal(fake_restore(kernel, 5000), 0);
	assert_told(kernel, ONE " ok: no longer there\n");
	assert_false(fake_has_journal(kernel));
}

/* What an administrator has done meanwhile stands. */
static void test_changed_by_hand(void **state)
{
	static const struct {
		const char *driver, *override; /* by hand, while the VM has the device */
		const char *told, *binding;    /* after the restore */
	} rows[] = {
		{ "nouveau", "vfio-pci", "ok: left to the driver it has been given since",
		  "nouveau (null)" },
		{ "nouveau", "nouveau", "ok: left to the driver it has been given since",
		  "nouveau nouveau" },
		{ "e1000e", "vfio-pci", "ok: already there", "e1000e (null)" },
		{ "e1000e", NULL, "ok: already there", "e1000e (null)" },
		{ "e1000e", "none", "ok: already there", "e1000e none" },
		{ NULL, "vfio-pci", "ok", "e1000e (null)" },
		{ NULL, NULL, "ok", "e1000e (null)" },
		{ "vfio-pci", NULL, "ok", "e1000e (null)" },
	};
	struct fake_kernel *kernel = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		cleanup_journal struct journal journal = { 0 };
		char told[128];

		fake_give(kernel, ONE, "e1000e");
		fake_set_override(kernel, ONE, NULL);
		assert_int_equal(fake_take(kernel, ONE, 5000, &journal), 0);
		text_done(&kernel->told);
		fake_give(kernel, ONE, rows[i].driver);
		fake_set_override(kernel, ONE, rows[i].override);
		assert_int_equal(fake_restore(kernel, 5000), 0);
		snprintf(told, sizeof(told), ONE " %s\n", rows[i].told);
		assert_told(kernel, told);
		assert_binding(kernel, ONE, rows[i].binding);
		assert_false(fake_has_journal(kernel));
	}
}

/* Nothing can be written into /run any more: the devices go back nevertheless. */
static void test_run_is_full(void **state)
{
	cleanup_journal struct journal journal = { 0 }, second = { 0 };
	struct fake_kernel *kernel = *state;

	assert_int_equal(fake_take(kernel, ALL, 5000, &journal), 0);
	tree_folder(&kernel->tree, "run/pve-vfio/101.json.tmp");
	text_done(&kernel->told);
	assert_int_equal(fake_restore(kernel, 5000), 0);
	assert_told(kernel, ONE " ok\n" TWO " ok\n" THREE " ok\n");
	assert_untouched(kernel);

	/* one that does not go back stays in the journal, with those that the file cannot lose */
	tree_remove(&kernel->tree, "run/pve-vfio/101.json.tmp");
	assert_int_equal(fake_take(kernel, ALL, 5000, &second), 0);
	tree_folder(&kernel->tree, "run/pve-vfio/101.json.tmp");
	fake_misbehave(kernel, TWO, "unbind@vfio-pci", "fail 16");
	assert_true(fake_restore(kernel, 5000) != 0);
	assert_binding(kernel, ONE, "e1000e (null)");
	assert_binding(kernel, THREE, "e1000e (null)");
	assert_true(fake_has_journal(kernel));
	tree_remove(&kernel->tree, "run/pve-vfio/101.json.tmp");
	fake_behave(kernel, TWO, "unbind@vfio-pci");
	assert_int_equal(fake_restore(kernel, 5000), 0);
	assert_untouched(kernel);
}

/* Only some of the actions: the others are not touched. */
static void test_chosen(void **state)
{
	cleanup_journal struct journal journal = { 0 };
	struct fake_kernel *kernel = *state;
	bool chosen[] = { false, true, false };
	struct restore restore;

	assert_int_equal(fake_take(kernel, ALL, 5000, &journal), 0);
	text_done(&kernel->told);
	restore = fake_giving_back(kernel, 5000);
	assert_int_equal(restore_actions(&restore, &journal, chosen, &kernel->err), 0);
	assert_told(kernel, TWO " ok\n");
	assert_binding(kernel, ONE, "vfio-pci vfio-pci");
	assert_binding(kernel, TWO, "e1000e (null)");
	assert_binding(kernel, THREE, "vfio-pci vfio-pci");
	assert_int_equal(journal.actions.count, 2);
	assert_string_equal(journal.actions.items[0].target, ONE);
	assert_string_equal(journal.actions.items[1].target, THREE);
	assert_int_equal(fake_restore(kernel, 5000), 0);
	assert_told(kernel, ONE " ok\n" THREE " ok\n");
	assert_untouched(kernel);
}

#define failure_test(function) cmocka_unit_test_setup_teardown(function, setup, fake_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		failure_test(test_second_of_three),
		failure_test(test_wrong_driver),
		failure_test(test_lane_ends_at_its_first_failure),
		failure_test(test_revert_fails),
		failure_test(test_revert_finds_no_driver),
		failure_test(test_revert_wrong_driver),
		failure_test(test_revert_override_fails),
		failure_test(test_restore_twice),
		failure_test(test_device_vanishes),
		failure_test(test_device_vanishes_in_revert),
		failure_test(test_changed_by_hand),
		failure_test(test_run_is_full),
		failure_test(test_chosen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
