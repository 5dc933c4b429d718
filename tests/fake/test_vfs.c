/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: what is set for virtual functions, and the mode of a switch, when their card is back. */
#include "fake_kernel.h"

#include <linux/if_link.h>

#define CARD "0000:01:00.0"
#define GPU  "0000:02:00.0"

#define VALUES                                                                                     \
	"0:mac=52:54:00:12:34:56,vlan=100,qos=3,proto=802.1ad,trust=on,spoof-check=off "           \
	"1:mac=00:00:00:00:00:00,min-rate=10,max-rate=1000,link-state=enable,trust=off,"           \
	"spoof-check=on "                                                                          \
	"2:mac=02:00:00:00:00:0f,vlan=7,qos=0,proto=802.1Q,trust=off,spoof-check=off"

static int setup(void **state)
{
	struct fake_kernel *kernel;

	if (fake_setup(state) < 0)
		return -1;
	kernel = *state;
	fake_ice(kernel, CARD);
	fake_driver(kernel, "nouveau", "nouveau", "10de:2484");
	fake_device(kernel, &(struct tree_device){ GPU, 0x10de, 0x2484, 0x030000,
						   .driver = "nouveau", .group = 15 });
	return 0;
}

static const struct action *kept(const struct journal *journal, enum action_type type)
{
	const char *target = type == ACTION_KEEP_VFS ? CARD "/vfs" : CARD "/eswitch";

	return actions_find(&journal->actions, type, target);
}

/* All of it, and no write but those of the way back; the switch before there are functions. */
static void what_was_set_comes_back(void **state)
{
	cleanup_journal struct journal journal = { 0 };
	struct fake_kernel *kernel = *state;

	fake_set_vfs(kernel, CARD, 3, VALUES, "switchdev");
	assert_int_equal(fake_take(kernel, CARD, 5000, &journal), 0);
	assert_string_equal(kept(&journal, ACTION_KEEP_VFS)->before, VALUES);
	assert_string_equal(kept(&journal, ACTION_KEEP_ESWITCH)->before, "switchdev");
	assert_vfs(kernel, CARD, "none", "legacy");
	text_done(&kernel->told);

	assert_int_equal(fake_restore(kernel, 5000), 0);
	assert_vfs(kernel, CARD, VALUES, "switchdev");
	assert_told(kernel,
		    CARD " ok\n" CARD "/eswitch ok\n" CARD "/sriov_numvfs ok\n" CARD "/vfs ok\n");
	assert_false(fake_has_journal(kernel));
}

/* No virtual functions and the plain mode, or no network card: there is nothing to keep. */
static void nothing_is_kept_where_nothing_is_set(void **state)
{
	cleanup_journal struct journal journal = { 0 }, other = { 0 };
	struct fake_kernel *kernel = *state;

	assert_int_equal(fake_take(kernel, CARD, 5000, &journal), 0);
	assert_null(kept(&journal, ACTION_KEEP_VFS));
	assert_null(kept(&journal, ACTION_KEEP_ESWITCH));
	assert_int_equal(fake_restore(kernel, 5000), 0);
	tree_attribute(&kernel->tree, GPU, "sriov_numvfs", "2");
	assert_int_equal(fake_take(kernel, GPU, 5000, &other), 0);
	assert_int_equal(other.actions.count, 2);
}

/* The second start finds no interface, and knows what was set before the first. */
static void a_second_start_knows_what_was_set(void **state)
{
	cleanup_journal struct journal first = { 0 }, second = { 0 };
	cleanup_plan struct plan plan = { 0 };
	struct fake_kernel *kernel = *state;

	fake_set_vfs(kernel, CARD, 3, VALUES, "switchdev");
	assert_int_equal(fake_take(kernel, CARD, 5000, &first), 0);
	fake_plan(kernel, CARD, &first, &plan);
	fake_announce(kernel, &plan, &second);
	assert_int_equal(run_actions(&kernel->tree.root, &second.actions, RUN_APPLY, NULL, 5000,
				     fake_told, kernel, &kernel->err),
			 0);
	assert_string_equal(kept(&second, ACTION_KEEP_VFS)->before, VALUES);
	assert_int_equal(fake_restore(kernel, 5000), 0);
	assert_vfs(kernel, CARD, VALUES, "switchdev");
}

/* What the driver refuses is said, the rest is set, and it can be tried again. */
static void one_setting_is_refused(void **state)
{
	cleanup_journal struct journal journal = { 0 };
	struct fake_kernel *kernel = *state;
	char number[8];

	fake_set_vfs(kernel, CARD, 3, VALUES, "legacy");
	assert_int_equal(fake_take(kernel, CARD, 5000, &journal), 0);
	text_done(&kernel->told);
	snprintf(number, sizeof(number), "%d", IFLA_VF_TRUST);
	fake_refuse(kernel, CARD, number);
	assert_int_equal(fake_restore(kernel, 5000), 1);
	assert_told(kernel, CARD " ok\n" CARD "/sriov_numvfs ok\n" CARD
				 "/vfs EOPNOTSUPP: trust of its virtual function 0: Operation not "
				 "supported\n");
	assert_vfs(kernel, CARD,
		   "0:mac=52:54:00:12:34:56,vlan=100,qos=3,proto=802.1ad,trust=off,spoof-check=off "
		   "1:mac=00:00:00:00:00:00,min-rate=10,max-rate=1000,link-state=enable,trust=off,"
		   "spoof-check=on "
		   "2:mac=02:00:00:00:00:0f,vlan=7,qos=0,proto=802.1Q,trust=off,spoof-check=off",
		   "legacy");
	assert_true(fake_has_journal(kernel));
	fake_refuse(kernel, CARD, "");
	assert_int_equal(fake_restore(kernel, 5000), 0);
	assert_vfs(kernel, CARD, VALUES, "legacy");
	assert_false(fake_has_journal(kernel));
}

/* Fewer than there were: what is missing is said. */
static void a_function_is_missing(void **state)
{
	cleanup_journal struct journal journal = { 0 };
	struct fake_kernel *kernel = *state;

	fake_set_vfs(kernel, CARD, 3, VALUES, "legacy");
	assert_int_equal(fake_take(kernel, CARD, 5000, &journal), 0);
	text_done(&kernel->told);
	fake_misbehave(kernel, CARD, "sriov_numvfs", "fail 28");
	assert_int_equal(fake_restore(kernel, 20000), 2);
	assert_told(kernel,
		    CARD " ok\n" CARD
			 "/sriov_numvfs ENOSPC: cannot set its sriov_numvfs to '3': No space "
			 "left on device\n" CARD
			 "/vfs ENODEV: cannot read what is set for its virtual function 0: it "
			 "is not there\n");
	assert_true(fake_has_journal(kernel));
}

#define vfs_test(function) cmocka_unit_test_setup_teardown(function, setup, fake_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		vfs_test(what_was_set_comes_back),
		vfs_test(nothing_is_kept_where_nothing_is_set),
		vfs_test(a_second_start_knows_what_was_set),
		vfs_test(one_setting_is_refused),
		vfs_test(a_function_is_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
