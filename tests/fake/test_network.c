/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: what the settings want set for a virtual function, while a VM has it and after. */
#include "fake_kernel.h"

#include <linux/if_link.h>

#include "base/array.h"

#define CARD  "0000:01:00.0"
#define VF    "0000:01:10.1"
#define OTHER "0000:01:10.2"

#define FIRST "0:mac=00:00:00:00:00:00,trust=off,spoof-check=on "
#define LAST  " 2:mac=02:00:00:00:00:02,trust=off,spoof-check=on"
#define FREE  "1:mac=00:00:00:00:00:00,trust=off,spoof-check=on"
#define GIVEN                                                                                      \
	"1:mac=bc:24:11:00:00:01,vlan=100,qos=3,proto=802.1ad,min-rate=10,max-rate=1000,"          \
	"link-state=enable,trust=on,spoof-check=off"

#define WISHES                                                                                     \
	"{\"devices\": {\"" VF "\": {\"mac\": \"bc:24:11:00:00:01\", \"vlan\": {\"id\": 100, "     \
	"\"qos\": 3, \"protocol\": \"802.1ad\"}, \"trust\": true, \"spoofcheck\": false, "         \
	"\"link_state\": \"enable\", \"rate\": {\"min\": 10, \"max\": 1000}}}}"

static int setup(void **state)
{
	struct fake_kernel *kernel;

	if (fake_setup(state) < 0)
		return -1;
	kernel = *state;
	fake_ice(kernel, CARD);
	fake_driver(kernel, "iavf", "iavf", "8086:1889");
	fake_function(kernel, CARD, 1,
		      &(struct tree_device){ VF, 0x8086, 0x1889, 0x020000, .driver = "iavf",
					     .group = 21 });
	fake_function(kernel, CARD, 2,
		      &(struct tree_device){ OTHER, 0x8086, 0x1889, 0x020000, .driver = "iavf",
					     .group = 22 });
	fake_set_vfs(kernel, CARD, 3, FIRST FREE LAST, "legacy");
	kernel->settings = WISHES;
	return 0;
}

/* Set before the VM has it, and as before when the host's driver has it again. */
static void what_is_wanted_is_set_and_goes_again(void **state)
{
	cleanup_journal struct journal journal = { 0 };
	struct fake_kernel *kernel = *state;

	assert_int_equal(fake_take(kernel, VF, 5000, &journal), 0);
	assert_vfs(kernel, CARD, FIRST GIVEN LAST, "legacy");
	assert_binding(kernel, VF, "vfio-pci vfio-pci");
	assert_binding(kernel, CARD, "ice (null)");
	text_done(&kernel->told);
	assert_int_equal(fake_restore(kernel, 5000), 0);
	assert_vfs(kernel, CARD, FIRST FREE LAST, "legacy");
	assert_binding(kernel, VF, "iavf (null)");
	assert_told(kernel, VF " ok\n" VF "/vf ok\n" VF "/vf ok\n");
	assert_false(fake_has_journal(kernel));
}

/* What somebody has set since stays; the rest goes back. */
static void what_is_set_since_stays(void **state)
{
	cleanup_journal struct journal journal = { 0 };
	struct fake_kernel *kernel = *state;

	assert_int_equal(fake_take(kernel, VF, 5000, &journal), 0);
	fake_set_vfs(kernel, CARD, 3,
		     FIRST "1:mac=bc:24:11:00:00:01,vlan=7,qos=0,proto=802.1Q,min-rate=10,"
			   "max-rate=1000,link-state=enable,trust=on,spoof-check=off" LAST,
		     "legacy");
	assert_int_equal(fake_restore(kernel, 5000), 0);
	assert_vfs(kernel, CARD,
		   FIRST "1:mac=00:00:00:00:00:00,vlan=7,qos=0,proto=802.1Q,trust=off,"
			 "spoof-check=on" LAST,
		   "legacy");
}

/* The function's interface has an address that it made up. */
static void own_address(const struct fake_kernel *kernel, const char *address)
{
	tree_file(&kernel->tree, "sys/devices/pci0000:00/" VF "/net/enp1s0v1/addr_assign_type",
		  "1\n");
	tree_file(&kernel->tree, "sys/devices/pci0000:00/" VF "/net/enp1s0v1/address", "%s\n",
		  address);
	tree_link(&kernel->tree, "sys/class/net/enp1s0v1",
		  "../../devices/pci0000:00/" VF "/net/enp1s0v1");
}

/*
 * A card that made its address up had been given none, and is not bound to that one for ever. What is
 * set while the host's driver has it is another, and comes back.
 */
static void an_own_address_is_not_set(void **state)
{
	static const struct {
		const char *interface, *after;
	} rows[] = {
		{ "0a:11:22:33:44:55", FREE },
		{ "0a:11:22:33:44:66", "1:mac=0a:11:22:33:44:55,trust=off,spoof-check=on" },
	};
	struct fake_kernel *kernel = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_journal struct journal journal = { 0 };
		char after[256];

		own_address(kernel, rows[i].interface);
		fake_set_vfs(kernel, CARD, 3,
			     FIRST "1:mac=0a:11:22:33:44:55,trust=off,spoof-check=on" LAST,
			     "legacy");
		assert_int_equal(fake_take(kernel, VF, 5000, &journal), 0);
		assert_vfs(kernel, CARD, FIRST GIVEN LAST, "legacy");
		assert_int_equal(fake_restore(kernel, 5000), 0);
		snprintf(after, sizeof(after), FIRST "%s" LAST, rows[i].after);
		assert_vfs(kernel, CARD, after, "legacy");
	}
}

/* Nothing is wanted, or all of it is there: no action. */
static void nothing_to_set_is_no_action(void **state)
{
	static const char *const settings[] = {
		"{}",
		"{\"devices\": {\"" VF "\": {\"trust\": false, \"vlan\": 0}}}",
		"{\"devices\": {\"" OTHER "\": {\"trust\": true}}}",
	};
	struct fake_kernel *kernel = *state;

	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		cleanup_plan struct plan plan = { 0 };

		kernel->settings = settings[i];
		fake_plan(kernel, VF, NULL, &plan);
		assert_null(actions_find(&plan.actions, ACTION_SET_VF, VF "/vf"));
		assert_null(actions_find(&plan.actions, ACTION_KEEP_VF, VF "/vf"));
	}
}

static void assert_refused(struct fake_kernel *kernel, const char *address, const char *why)
{
	cleanup_plan struct plan plan = { 0 };
	char message[512];

	assert_true(fake_make_plan(kernel, address, &plan) < 0);
	tree_format(
		message,
		"the settings want an address, a VLAN or the like for %s, and %s; take it out of "
		"\"devices\" there (pve-vfio.json(5))",
		address, why);
	assert_string_equal(kernel->err.message, message);
	assert_writes(kernel, FAKE_ALL, "");
}

/* Before anything is taken. */
static void what_cannot_be_is_refused(void **state)
{
	struct fake_kernel *kernel = *state;

	kernel->settings = "{\"devices\": {\"" CARD "\": {\"vlan\": 7}}}";
	assert_refused(kernel, CARD, "it is not a virtual function");
	kernel->settings = WISHES;
	fake_set_vfs(kernel, CARD, 3, FIRST "1:mac=00:00:00:00:00:00" LAST, "legacy");
	assert_refused(kernel, VF, "the driver of " CARD " has no trust and no spoof check");
	kernel->settings = "{\"devices\": {\"" VF "\": {\"trust\": true}}}";
	assert_refused(kernel, VF, "the driver of " CARD " has no trust");
	fake_set_vfs(kernel, CARD, 1, "0:mac=00:00:00:00:00:00", "legacy");
	assert_refused(kernel, VF,
		       CARD ", which is its physical function, has no network interface that could "
			    "set it");
	fake_give(kernel, CARD, "vfio-pci");
	assert_refused(kernel, VF,
		       CARD ", which is its physical function, has no network interface that could "
			    "set it");
}

/* The driver refuses one: the device is not taken, and all that was set goes back. */
static void one_is_refused(void **state)
{
	cleanup_journal struct journal journal = { 0 };
	struct fake_kernel *kernel = *state;
	char number[8];

	snprintf(number, sizeof(number), "%d", IFLA_VF_VLAN_LIST);
	fake_refuse(kernel, CARD, number);
	assert_int_not_equal(fake_take(kernel, VF, 5000, &journal), 0);
	assert_told(kernel, VF " ECANCELED: not tried\n" VF "/vf ECANCELED: not tried\n" VF
			       "/vf EOPNOTSUPP: " CARD
			       ": VLAN of its virtual function 1: Operation not supported\n");
	assert_binding(kernel, VF, "iavf (null)");
	assert_int_equal(fake_roll_back(kernel, 5000, &journal), 0);
	assert_vfs(kernel, CARD, FIRST FREE LAST, "legacy");
	assert_binding(kernel, VF, "iavf (null)");
}

/* A second start of the same VM knows what was set before the first. */
static void a_second_start_knows_what_was_set(void **state)
{
	cleanup_journal struct journal first = { 0 }, second = { 0 };
	cleanup_plan struct plan plan = { 0 };
	struct fake_kernel *kernel = *state;

	assert_int_equal(fake_take(kernel, VF, 5000, &first), 0);
	fake_plan(kernel, VF, &first, &plan);
	fake_announce(kernel, &plan, &second);
	assert_int_equal(run_actions(&kernel->tree.root, &second.actions, RUN_APPLY, NULL, 5000,
				     fake_told, kernel, &kernel->err),
			 0);
	assert_int_equal(fake_restore(kernel, 5000), 0);
	assert_vfs(kernel, CARD, FIRST FREE LAST, "legacy");
}

#define network_test(function) cmocka_unit_test_setup_teardown(function, setup, fake_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		network_test(what_is_wanted_is_set_and_goes_again),
		network_test(what_is_set_since_stays),
		network_test(an_own_address_is_not_set),
		network_test(nothing_to_set_is_no_action),
		network_test(what_cannot_be_is_refused),
		network_test(one_is_refused),
		network_test(a_second_start_knows_what_was_set),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
