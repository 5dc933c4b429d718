/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: a start that finds what an earlier run left never takes vfio-pci for the original. */
#include "fake_kernel.h"

#define ONE   "0000:01:00.0"
#define TWO   "0000:02:00.0"
#define THREE "0000:03:00.0"

static int setup(void **state)
{
	struct fake_kernel *kernel;

	if (fake_setup(state) < 0)
		return -1;
	kernel = *state;
	fake_driver(kernel, "e1000e", "e1000e", "8086:10d3");
	fake_device(kernel, &(struct tree_device){ ONE, .driver = "e1000e", .group = 14 });
	fake_device(kernel, &(struct tree_device){ TWO, .driver = "e1000e", .group = 15,
						   .override = "e1000e" });
	fake_device(kernel, &(struct tree_device){ THREE, .group = 16 });
	return 0;
}

static void read_journal(struct fake_kernel *kernel, struct journal *journal)
{
	assert_int_equal(journal_read(&kernel->tree.root, &kernel->state, 101, journal,
				      &kernel->err),
			 0);
}

/* What the run before left: taken in whole, or cut short anywhere. */
static void test_recorded_values_stay(void **state)
{
	static const struct {
		const char *driver, *override; /* of all three when the second start comes */
	} rows[] = {
		{ "vfio-pci", "vfio-pci" }, /* it was not stopped properly */
		{ "vfio-pci", NULL },
		{ NULL, "vfio-pci" }, /* killed between unbind and probe */
		{ NULL, NULL },
		{ "e1000e", "vfio-pci" }, /* killed before the unbind */
		{ NULL, "e1000e" },	  /* killed while giving back */
	};
	struct fake_kernel *kernel = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		cleanup_journal struct journal first = { 0 }, earlier = { 0 }, second = { 0 };
		cleanup_plan struct plan plan = { 0 };
		const char *const addresses[] = { ONE, TWO, THREE };

		assert_int_equal(fake_take(kernel, ONE " " TWO " " THREE, 5000, &first), 0);
		for (size_t k = 0; k < COUNT(addresses); k++) {
			fake_give(kernel, addresses[k], rows[i].driver);
			fake_set_override(kernel, addresses[k], rows[i].override);
		}

		read_journal(kernel, &earlier);
		fake_plan(kernel, ONE " " TWO " " THREE, &earlier, &plan);
		assert_int_equal(plan.actions.count, 3);
		fake_announce(kernel, &plan, &second);
		assert_text(second.actions.items[0].before, "e1000e");
		assert_text(second.actions.items[0].override, NULL);
		assert_text(second.actions.items[0].module, "e1000e");
		assert_text(second.actions.items[1].before, "e1000e");
		assert_text(second.actions.items[1].override, "e1000e");
		assert_text(second.actions.items[2].before, NULL);
		assert_text(second.actions.items[2].override, NULL);
		assert_text(second.actions.items[2].module, NULL);

		assert_int_equal(run_actions(&kernel->tree.root, &second.actions, RUN_APPLY, NULL,
					     5000, fake_told, kernel, &kernel->err),
				 0);
		assert_binding(kernel, ONE, "vfio-pci vfio-pci");
		assert_int_equal(fake_restore(kernel, 5000), 0);
		assert_binding(kernel, ONE, "e1000e (null)");
		assert_binding(kernel, TWO, "e1000e e1000e");
		assert_binding(kernel, THREE, "none (null)");
		assert_false(fake_has_journal(kernel));
	}
}

/* What the VM's configuration no longer names goes back; what it names now is new. */
static void test_configuration_changed(void **state)
{
	cleanup_journal struct journal first = { 0 }, earlier = { 0 }, second = { 0 };
	cleanup_plan struct plan plan = { 0 };
	struct fake_kernel *kernel = *state;
	struct restore restore;
	bool chosen[2];

	assert_int_equal(fake_take(kernel, ONE " " TWO, 5000, &first), 0);
	text_done(&kernel->told);
	read_journal(kernel, &earlier);
	fake_plan(kernel, TWO " " THREE, &earlier, &plan);
	assert_int_equal(plan.actions.count, 2);
	for (size_t i = 0; i < 2; i++)
		chosen[i] =
			!actions_find(&plan.actions, ACTION_BIND, earlier.actions.items[i].target);
	restore = fake_giving_back(kernel, 5000);
	assert_int_equal(restore_journal(&restore, &earlier, chosen, &kernel->err), 0);
	assert_told(kernel, ONE " ok\n");
	assert_binding(kernel, ONE, "e1000e (null)");
	assert_binding(kernel, TWO, "vfio-pci vfio-pci");

	fake_announce(kernel, &plan, &second);
	assert_int_equal(run_actions(&kernel->tree.root, &second.actions, RUN_APPLY, NULL, 5000,
				     fake_told, kernel, &kernel->err),
			 0);
	assert_text(second.actions.items[0].override, "e1000e");
	assert_text(second.actions.items[1].before, NULL);
	assert_int_equal(fake_restore(kernel, 5000), 0);
	assert_binding(kernel, TWO, "e1000e e1000e");
	assert_binding(kernel, THREE, "none (null)");
	assert_false(fake_has_journal(kernel));
}

/* Of another boot: the kernel it tells of is gone, and what is now is the original. */
static void test_other_boot(void **state)
{
	cleanup_journal struct journal first = { 0 }, earlier = { 0 };
	cleanup_plan struct plan plan = { 0 };
	struct fake_kernel *kernel = *state;

	assert_int_equal(fake_take(kernel, ONE, 5000, &first), 0);
	tree_boot(&kernel->tree, "99999999-2222-3333-4444-555555555555");
	fake_give(kernel, ONE, NULL);
	fake_set_override(kernel, ONE, NULL);
	read_journal(kernel, &earlier);
	assert_int_equal(earlier.actions.count, 0);
	fake_plan(kernel, ONE, &earlier, &plan);
	assert_text(plan.actions.items[0].before, NULL);
	assert_text(plan.actions.items[0].override, NULL);

	/* and nothing of it is given back */
	text_done(&kernel->told);
	assert_int_equal(fake_restore(kernel, 5000), 0);
	assert_told(kernel, "");
	assert_binding(kernel, ONE, "none (null)");
	assert_false(fake_has_journal(kernel));
}

#define adopt_test(function) cmocka_unit_test_setup_teardown(function, setup, fake_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		adopt_test(test_recorded_values_stay),
		adopt_test(test_configuration_changed),
		adopt_test(test_other_boot),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
