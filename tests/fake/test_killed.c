/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests: the process at work is killed before and after every write. Whatever is left, a restore
 * by another process leaves the host as it was.
 */
#include "fake_kernel.h"

#include "pci/bar.h"

#define NIC	   "0000:01:00.0" /* its driver's */
#define DRIVERLESS "0000:02:00.0"
#define OVERRIDDEN "0000:03:00.0" /* and driverless by that */
#define GPU	   "0000:04:00.0"
#define AUDIO	   "0000:04:00.1" /* of the GPU's group and slot */
#define PLAIN	   NIC " " DRIVERLESS " " OVERRIDDEN " " GPU

#define PORT	   "0000:05:00.0" /* with virtual functions, and settings of its own */
#define CARD	   "0000:06:00.0"
#define FUNCTION                                                                                   \
	"0000:06:10.0" /* virtual, of the card, which is to set an address and a VLAN for it */

#define VALUES "0:mac=00:00:00:00:00:00,trust=off,spoof-check=on"

static int setup(void **state)
{
	struct fake_kernel *kernel;

	if (fake_setup(state) < 0)
		return -1;
	kernel = *state;
	fake_driver(kernel, "e1000e", "e1000e", "8086:10d3");
	fake_learn(kernel, "vfio-pci", "8086:10d3");
	fake_device(kernel, &(struct tree_device){ NIC, .driver = "e1000e", .group = 14 });
	fake_device(kernel, &(struct tree_device){ DRIVERLESS, .group = 15 });
	fake_device(kernel, &(struct tree_device){ OVERRIDDEN, .group = 16, .override = "none" });
	fake_device(kernel, &(struct tree_device){ GPU, .driver = "e1000e", .group = 17 });
	fake_device(kernel, &(struct tree_device){ AUDIO, .driver = "e1000e", .group = 17 });
	fake_driver(kernel, "igb", "igb", "8086:1521");
	fake_device(kernel,
		    &(struct tree_device){ PORT, .device = 0x1521, .driver = "igb", .group = 18 });
	tree_attribute(&kernel->tree, PORT, "sriov_numvfs", "4");
	tree_attribute(&kernel->tree, PORT, "power/control", "auto");
	tree_attribute(&kernel->tree, PORT, "resource1_resize", "0000000000007f00");
	tree_attribute(&kernel->tree, PORT, "resource",
		       "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
		       "0x00000000a0000000 0x00000000afffffff 0x000000000014220c");
	fake_driver(kernel, "ice", "ice", "8086:1592");
	fake_driver(kernel, "iavf", "iavf", "8086:1889");
	fake_device(kernel,
		    &(struct tree_device){ CARD, .device = 0x1592, .driver = "ice", .group = 19 });
	fake_card(kernel, CARD, "enp6s0", 7);
	fake_function(kernel, CARD, 0,
		      &(struct tree_device){ FUNCTION, .device = 0x1889, .driver = "iavf",
					     .group = 20 });
	fake_set_vfs(kernel, CARD, 1, VALUES, "legacy");
	kernel->settings = "{\"devices\": {\"" PORT "\": {\"power\": \"on\", \"rescan\": true, "
			   "\"resize_bar\": {\"1\": 512}}, \"" FUNCTION "\": {\"vlan\": 7, "
			   "\"mac\": \"bc:24:11:00:00:01\"}}}";
	return 0;
}

static void assert_attribute(const struct fake_kernel *kernel, const char *name, const char *value)
{
	cleanup_free char *now = NULL;
	char path[SYSROOT_PATH_MAX];

	pci_attribute_path(path, PORT, name);
	assert_int_equal(sysroot_read_attribute(&kernel->tree.root, path, &now), 0);
	assert_string_equal(now, value);
}

static void assert_untouched(struct fake_kernel *kernel)
{
	struct pci_bar bars[PCI_BAR_COUNT];

	assert_binding(kernel, NIC, "e1000e (null)");
	assert_binding(kernel, DRIVERLESS, "none (null)");
	assert_binding(kernel, OVERRIDDEN, "none none");
	assert_binding(kernel, GPU, "e1000e (null)");
	assert_binding(kernel, AUDIO, "e1000e (null)");
	assert_binding(kernel, PORT, "igb (null)");
	assert_binding(kernel, FUNCTION, "iavf (null)");
	assert_vfs(kernel, CARD, VALUES, "legacy");
	assert_attribute(kernel, "sriov_numvfs", "4");
	assert_attribute(kernel, "power/control", "auto");
	assert_int_equal(pci_bars_read(&kernel->tree.root, PORT, bars), 0);
	assert_int_equal(bars[1].size >> 20, 256);
	assert_false(tree_has(&kernel->tree, "dev/vfio/14"));
	assert_false(tree_has(&kernel->tree, "dev/vfio/17"));
	assert_false(fake_has_journal(kernel));
}

static void ignore_told(const struct action *action, const struct run_result *result, void *context)
{
	(void)action, (void)result, (void)context;
}

/* The work of another process. */
static int take(struct fake_kernel *kernel, void *context)
{
	struct plan *plan = context;
	cleanup_journal struct journal journal = { 0 };
	int r = journal_begin(&kernel->tree.root, 101, &journal, &kernel->err);

	if (r < 0)
		return r;
	journal.actions = plan->actions;
	plan->actions = (struct actions){ 0 };
	r = journal_write(&kernel->state, &journal, &kernel->err);
	return r < 0 ? r
		     : run_actions(&kernel->tree.root, &journal.actions, RUN_APPLY, NULL, 5000,
				   ignore_told, NULL, &kernel->err);
}

static int give_back(struct fake_kernel *kernel, void *context)
{
	cleanup_journal struct journal journal = { 0 };
	struct restore restore = fake_giving_back(kernel, 5000);
	int r = journal_read(&kernel->tree.root, &kernel->state, 101, &journal, &kernel->err);

	(void)context;
	restore.report = ignore_told;
	return r < 0 ? r : restore_journal(&restore, &journal, NULL, &kernel->err);
}

/* Kills at every write of taking; returns at how many. */
static unsigned kill_take(struct fake_kernel *kernel, const char *addresses, bool after)
{
	for (unsigned number = 1;; number++) {
		cleanup_plan struct plan plan = { 0 };
		bool killed;

		fake_plan(kernel, addresses, NULL, &plan);
		assert_true(plan.actions.count >= 3);
		fake_kill_at(kernel, number, after);
		killed = fake_is_killed(kernel, take, &plan);
		fake_kill_at(kernel, 0, false);

		assert_true(fake_has_journal(kernel));
		assert_int_equal(fake_restore(kernel, 5000), 0);
		assert_untouched(kernel);
		if (!killed)
			return number - 1;
	}
}

static unsigned kill_give_back(struct fake_kernel *kernel, const char *addresses, bool after)
{
	for (unsigned number = 1;; number++) {
		cleanup_journal struct journal journal = { 0 };
		bool killed;

		assert_int_equal(fake_take(kernel, addresses, 5000, &journal), 0);
		fake_kill_at(kernel, number, after);
		killed = fake_is_killed(kernel, give_back, NULL);
		fake_kill_at(kernel, 0, false);
		if (killed) {
			assert_true(fake_has_journal(kernel));
			assert_int_equal(fake_restore(kernel, 5000), 0);
		}
		assert_untouched(kernel);
		if (!killed)
			return number - 1;
	}
}

/* override, unbind and probe; a driverless one needs no unbind */
#define TAKE_WRITES (3 * 3 + 2 * 2)
/* override, unbind, probe and override; of a driverless one just unbind and override */
#define GIVE_BACK_WRITES (3 * 4 + 2 * 2)

static void test_take_killed_before(void **state)
{
	assert_int_equal(kill_take(*state, PLAIN, false), TAKE_WRITES);
}

static void test_take_killed_after(void **state)
{
	assert_int_equal(kill_take(*state, PLAIN, true), TAKE_WRITES);
}

static void test_give_back_killed_before(void **state)
{
	assert_int_equal(kill_give_back(*state, PLAIN, false), GIVE_BACK_WRITES);
}

static void test_give_back_killed_after(void **state)
{
	assert_int_equal(kill_give_back(*state, PLAIN, true), GIVE_BACK_WRITES);
}

/* Virtual functions; override, unbind, probe; unbind, size, override, probe; power. */
#define TAKE_PORT_WRITES 9
/*
 * Power; unbind, size; remove, rescan, with which the host's driver has it; virtual functions; and
 * power again, as vfio-pci has left it.
 */
#define GIVE_PORT_BACK_WRITES 7

static void test_attributes_killed(void **state)
{
	assert_int_equal(kill_take(*state, PORT, false), TAKE_PORT_WRITES);
	assert_int_equal(kill_take(*state, PORT, true), TAKE_PORT_WRITES);
	assert_int_equal(kill_give_back(*state, PORT, false), GIVE_PORT_BACK_WRITES);
	assert_int_equal(kill_give_back(*state, PORT, true), GIVE_PORT_BACK_WRITES);
}

/* Address and VLAN; override, unbind, probe. */
#define TAKE_FUNCTION_WRITES 5
/* Address and VLAN; override, unbind, probe, override. */
#define GIVE_FUNCTION_BACK_WRITES 6

static void test_virtual_function_killed(void **state)
{
	assert_int_equal(kill_take(*state, FUNCTION, false), TAKE_FUNCTION_WRITES);
	assert_int_equal(kill_take(*state, FUNCTION, true), TAKE_FUNCTION_WRITES);
	assert_int_equal(kill_give_back(*state, FUNCTION, false), GIVE_FUNCTION_BACK_WRITES);
	assert_int_equal(kill_give_back(*state, FUNCTION, true), GIVE_FUNCTION_BACK_WRITES);
}

/* A lane alone is killed, by the OOM killer say; the process that runs it goes on. */
static void test_lane_killed(void **state)
{
	cleanup_journal struct journal journal = { 0 };
	struct fake_kernel *kernel = *state;

	fake_misbehave(kernel, NIC, "unbind@e1000e", "die");
	assert_int_equal(fake_take(kernel, NIC " " GPU, 5000, &journal), 1);
	assert_told(kernel,
		    NIC " ECHILD: the process that did it was killed\n" GPU " ok\n" AUDIO " ok\n");
	assert_int_equal(journal.actions.items[0].state, ACTION_FAILED);
	assert_int_equal(fake_roll_back(kernel, 5000, &journal), 0);
	assert_untouched(kernel);
}

#define killed_test(function) cmocka_unit_test_setup_teardown(function, setup, fake_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		killed_test(test_take_killed_before),
		killed_test(test_take_killed_after),
		killed_test(test_give_back_killed_before),
		killed_test(test_give_back_killed_after),
		killed_test(test_attributes_killed),
		killed_test(test_virtual_function_killed),
		killed_test(test_lane_killed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
