/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: alternatives that Proxmox VE may choose: not taken, and given back if it took one. */
#include "fake_kernel.h"

#define TAKEN "0000:01:00.0"
#define OTHER "0000:02:00.0"

static int setup(void **state)
{
	struct fake_kernel *kernel;

	if (fake_setup(state) < 0)
		return -1;
	kernel = *state;
	fake_driver(kernel, "e1000e", "e1000e", "8086:10d3");
	fake_device(kernel, &(struct tree_device){ TAKEN, .driver = "e1000e", .group = 14 });
	fake_device(kernel, &(struct tree_device){ OTHER, .driver = "e1000e", .group = 15 });
	return 0;
}

/* A journal in which OTHER is merely foreseen; TAKEN is announced. */
static void announce(struct fake_kernel *kernel, struct journal *journal)
{
	cleanup_plan struct plan plan = { 0 };

	fake_plan(kernel, TAKEN " " OTHER, NULL, &plan);
	plan.actions.items[1].state = ACTION_FORESEEN;
	fake_announce(kernel, &plan, journal);
}

static int apply(struct fake_kernel *kernel, struct journal *journal)
{
	return run_actions(&kernel->tree.root, &journal->actions, RUN_APPLY, NULL, 5000, fake_told,
			   kernel, &kernel->err);
}

/* Another VM's journal has the device. */
static void other_vm_has(struct fake_kernel *kernel, const char *address)
{
	cleanup_journal struct journal journal = { 0 };
	cleanup_plan struct plan plan = { 0 };

	fake_plan(kernel, address, NULL, &plan);
	assert_int_equal(journal_begin(&kernel->tree.root, 102, &journal, &kernel->err), 0);
	journal.actions = plan.actions;
	plan.actions = (struct actions){ 0 };
	assert_int_equal(journal_write(&kernel->state, &journal, &kernel->err), 0);
}

static void test_not_taken(void **state)
{
	cleanup_journal struct journal journal = { 0 };
	struct fake_kernel *kernel = *state;

	announce(kernel, &journal);
	assert_int_equal(apply(kernel, &journal), 0);
	assert_told(kernel, TAKEN " ok\n");
	assert_binding(kernel, TAKEN, "vfio-pci vfio-pci");
	assert_binding(kernel, OTHER, "e1000e (null)");
	assert_int_equal(journal.actions.items[1].state, ACTION_FORESEEN);

	assert_int_equal(fake_restore(kernel, 5000), 0);
	assert_told(kernel, TAKEN " ok\n");
	assert_writes(kernel, OTHER, "");
	assert_binding(kernel, TAKEN, "e1000e (null)");
	assert_false(fake_has_journal(kernel));
}

/* PVE bound it against all expectation, by new_id and without an override. */
static void test_stranded(void **state)
{
	cleanup_journal struct journal journal = { 0 };
	struct fake_kernel *kernel = *state;

	announce(kernel, &journal);
	assert_int_equal(apply(kernel, &journal), 0);
	fake_learn(kernel, "vfio-pci", "8086:10d3");
	fake_give(kernel, OTHER, "vfio-pci");
	text_done(&kernel->told);
	assert_int_equal(fake_restore(kernel, 5000), 0);
	assert_told(kernel, TAKEN " ok\n" OTHER " ok\n");
	assert_binding(kernel, OTHER, "e1000e (null)");
	assert_false(fake_has_journal(kernel));
}

/* It is another VM's by now. */
static void test_claimed_by_another(void **state)
{
	cleanup_journal struct journal journal = { 0 };
	struct fake_kernel *kernel = *state;

	announce(kernel, &journal);
	assert_int_equal(apply(kernel, &journal), 0);
	other_vm_has(kernel, OTHER);
	fake_give(kernel, OTHER, "vfio-pci");
	fake_set_override(kernel, OTHER, "vfio-pci");
	text_done(&kernel->told);
	assert_int_equal(fake_restore(kernel, 5000), 0);
	assert_told(kernel, TAKEN " ok\n");
	assert_binding(kernel, OTHER, "vfio-pci vfio-pci");
	assert_writes(kernel, OTHER, "");
	assert_false(fake_has_journal(kernel));
	assert_true(tree_has(&kernel->tree, "run/pve-vfio/102.json"));
}

/* Whose the alternative is cannot be determined: it is left. The VM's own devices go back all the same. */
static void test_cannot_tell(void **state)
{
	cleanup_journal struct journal journal = { 0 };
	struct fake_kernel *kernel = *state;

	announce(kernel, &journal);
	assert_int_equal(apply(kernel, &journal), 0);
	fake_give(kernel, OTHER, "vfio-pci");
	tree_file(&kernel->tree, "run/pve-vfio/102.json", "garbage");
	text_done(&kernel->told);
	fake_restore(kernel, 5000);
	assert_binding(kernel, TAKEN, "e1000e (null)");
	assert_binding(kernel, OTHER, "vfio-pci (null)");
	assert_true(fake_has_journal(kernel));

	tree_remove(&kernel->tree, "run/pve-vfio/102.json");
	assert_int_equal(fake_restore(kernel, 5000), 0);
	assert_binding(kernel, OTHER, "e1000e (null)");
	assert_false(fake_has_journal(kernel));
}

/* One whose driver before is vfio-pci itself is not stranded there. */
static void test_vfio_before(void **state)
{
	cleanup_journal struct journal journal = { 0 };
	struct fake_kernel *kernel = *state;

	fake_give(kernel, OTHER, "vfio-pci");
	announce(kernel, &journal);
	assert_int_equal(apply(kernel, &journal), 0);
	text_done(&kernel->told);
	assert_int_equal(fake_restore(kernel, 5000), 0);
	assert_told(kernel, TAKEN " ok\n");
	assert_binding(kernel, OTHER, "vfio-pci (null)");
}

/* What is done already is not done again; when it is reverted it is. */
static void test_done_is_not_done_again(void **state)
{
	cleanup_journal struct journal journal = { 0 };
	struct fake_kernel *kernel = *state;

	assert_int_equal(fake_take(kernel, TAKEN, 5000, &journal), 0);
	assert_writes(kernel, TAKEN, "override=vfio-pci unbind=e1000e probe");
	text_done(&kernel->told);
	assert_int_equal(apply(kernel, &journal), 0);
	assert_told(kernel, "");
	assert_writes(kernel, TAKEN, "");
	assert_int_equal(fake_roll_back(kernel, 5000, &journal), 0);
	assert_told(kernel, TAKEN " ok\n");
	assert_binding(kernel, TAKEN, "e1000e (null)");
}

#define foreseen_test(function) cmocka_unit_test_setup_teardown(function, setup, fake_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		foreseen_test(test_not_taken),		foreseen_test(test_stranded),
		foreseen_test(test_claimed_by_another), foreseen_test(test_cannot_tell),
		foreseen_test(test_vfio_before),	foreseen_test(test_done_is_not_done_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
