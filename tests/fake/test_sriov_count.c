/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: another number of virtual functions, with what is set for them, however it ends. */
#include "fake_kernel.h"

#include "change/sriov_count.h"

#define CARD	      "0000:01:00.0"

#define FIRST	      "0:mac=52:54:00:12:34:56,vlan=100,qos=3,proto=802.1ad,trust=on,spoof-check=off"
#define SECOND	      " 1:mac=02:00:00:00:00:01,max-rate=1000,link-state=enable,trust=off,spoof-check=on"
#define PLAIN(number) " " number ":mac=00:00:00:00:00:00,trust=off,spoof-check=on"
#define THREE	      FIRST SECOND PLAIN("2")

static int setup(void **state)
{
	struct fake_kernel *kernel;

	if (fake_setup(state) < 0)
		return -1;
	kernel = *state;
	fake_ice(kernel, CARD);
	return 0;
}

/* As somebody has set it up. */
static void set_three(struct fake_kernel *kernel, const char *eswitch)
{
	fake_set_vfs(kernel, CARD, 3, THREE, eswitch);
}

/* What the verb does once nobody uses one: with the number in `context`. */
static int change(struct fake_kernel *kernel, void *context)
{
	cleanup_pci_device struct pci_device device = { 0 };
	cleanup_sriov_count struct sriov_count count = {
		.root = &kernel->tree.root,
		.state = &kernel->state,
		.wanted = *(const unsigned *)context,
		.deadline_ms = 3000,
	};
	int r;

	snprintf(device.name, sizeof(device.name), CARD);
	kernel->err = (struct error){ 0 };
	r = sriov_count_read(&count, &device, &kernel->err);
	if (r == 0)
		r = sriov_count_announce(&count, &kernel->err);
	return r < 0 ? r : sriov_count_run(&count, &kernel->err);
}

static int change_to(struct fake_kernel *kernel, unsigned number)
{
	return change(kernel, &number);
}

static bool has_journal(struct fake_kernel *kernel)
{
	return tree_has(&kernel->tree, "run/pve-vfio/sriov-" CARD ".json");
}

/* More, fewer, and none: those that stay have what was set for them, and so has the switch. */
static void what_is_set_stays(void **state)
{
	struct fake_kernel *kernel = *state;

	set_three(kernel, "switchdev");
	assert_int_equal(change_to(kernel, 4), 0);
	assert_vfs(kernel, CARD, THREE PLAIN("3"), "switchdev");
	assert_writes(kernel, CARD, "sriov_numvfs=0 sriov_numvfs=4");
	assert_int_equal(change_to(kernel, 1), 0);
	assert_vfs(kernel, CARD, FIRST, "switchdev");
	assert_int_equal(change_to(kernel, 0), 0);
	assert_vfs(kernel, CARD, "none", "switchdev");
	assert_int_equal(change_to(kernel, 2), 0);
	assert_vfs(kernel, CARD, "0:mac=00:00:00:00:00:00,trust=off,spoof-check=on" PLAIN("1"),
		   "switchdev");
	assert_false(has_journal(kernel));
}

/* The driver makes no more than three: these are back, with all that was set. */
static void what_the_driver_refuses_changes_nothing(void **state)
{
	struct fake_kernel *kernel = *state;

	set_three(kernel, "legacy");
	fake_misbehave(kernel, CARD, "sriov_numvfs@5", "fail 28");
	assert_int_equal(change_to(kernel, 5), -ENOSPC);
	assert_string_equal(kernel->err.message, CARD
			    ": cannot set its sriov_numvfs to '5': No space left on device; it "
			    "has 3 as before");
	assert_vfs(kernel, CARD, THREE, "legacy");
	assert_false(has_journal(kernel));

	fake_misbehave(kernel, CARD, "sriov_numvfs@0", "fail 1");
	assert_int_equal(change_to(kernel, 5), -EPERM);
	assert_string_equal(kernel->err.message,
			    CARD ": cannot set its sriov_numvfs to '0': Operation not permitted; "
				 "nothing is changed");
	assert_vfs(kernel, CARD, THREE, "legacy");
	assert_false(has_journal(kernel));
}

/* Not even what was before comes back: it is said, and a later change knows what that was. */
static void what_was_before_is_known_until_it_is_back(void **state)
{
	struct fake_kernel *kernel = *state;

	set_three(kernel, "legacy");
	fake_misbehave(kernel, CARD, "sriov_numvfs@5", "fail 28");
	fake_misbehave(kernel, CARD, "sriov_numvfs@3", "fail 12");
	assert_int_equal(change_to(kernel, 5), -ENOSPC);
	assert_string_equal(kernel->err.message, CARD
			    ": cannot set its sriov_numvfs to '5': No space left on device; nor "
			    "could what was before be put back: cannot set its sriov_numvfs to "
			    "'3': Cannot allocate memory; it has 0 virtual functions now, and "
			    "had 3");
	assert_true(has_journal(kernel));
	fake_behave(kernel, CARD, "sriov_numvfs@3");
	assert_int_equal(change_to(kernel, 3), 0);
	assert_vfs(kernel, CARD, THREE, "legacy");
	assert_false(has_journal(kernel));
}

/* A driver that hangs is not waited for, nor asked again. */
static void a_driver_that_hangs_is_left(void **state)
{
	struct fake_kernel *kernel = *state;

	set_three(kernel, "legacy");
	fake_misbehave(kernel, CARD, "sriov_numvfs", "stick");
	assert_int_equal(change_to(kernel, 5), -ETIMEDOUT);
	assert_non_null(strstr(kernel->err.message, "not done within 3 s"));
	assert_non_null(strstr(kernel->err.message,
			       "nor could what was before be put back: a process is stuck in the "
			       "kernel with it; it has 3 virtual functions now, and had 3"));
	assert_true(has_journal(kernel));
	fake_behave(kernel, CARD, "sriov_numvfs");
	fake_loosen(kernel, CARD);
	assert_int_equal(change_to(kernel, 3), 0);
	assert_vfs(kernel, CARD, THREE, "legacy");
}

/* Before or after any write: the same command again ends it, and puts back all that was set. */
static void killed_anywhere(void **state)
{
	struct fake_kernel *kernel = *state;
	unsigned numbers[2] = { 0, 0 };

	for (int after = 0; after < 2; after++) {
		bool killed = true;

		for (unsigned number = 1; killed; number++) {
			unsigned wanted = 4, before = 3;

			set_three(kernel, "switchdev");
			fake_kill_at(kernel, number, after);
			killed = fake_is_killed(kernel, change, &wanted);
			fake_kill_at(kernel, 0, false);
			assert_int_equal(has_journal(kernel), killed);
			assert_int_equal(change(kernel, &before), 0);
			assert_vfs(kernel, CARD, THREE, "switchdev");
			assert_false(has_journal(kernel));
			numbers[after] += killed;
		}
	}
	/* two writes to the number; four settings of the first function, three of the second */
	assert_int_equal(numbers[0], 9);
	assert_int_equal(numbers[0], numbers[1]);
}

#define count_test(function) cmocka_unit_test_setup_teardown(function, setup, fake_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		count_test(what_is_set_stays),
		count_test(what_the_driver_refuses_changes_nothing),
		count_test(what_was_before_is_known_until_it_is_back),
		count_test(a_driver_that_hangs_is_left),
		count_test(killed_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
