/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who a process is, and what is to be done about it. */
#include "test.h"
#include "tree.h"
#include "use/holder.h"

static void control_groups_tell_who_it_is(void **state)
{
	static const struct {
		const char *cgroup, *words, *remedy;
	} rows[] = {
		{ "0::/qemu.slice/101.scope", "VM 101 (process 9)",
		  "Shut VM 101 down ('qm shutdown 101')." },
		{ "12:devices:/qemu.slice/101.scope\n0::/", "VM 101 (process 9)",
		  "Shut VM 101 down ('qm shutdown 101')." },
		{ "0::/lxc/200/ns/system.slice/x.service", "container 200 (process 9, app)",
		  "Shut container 200 down ('pct shutdown 200')." },
		{ "0::/lxc.monitor/200", "container 200 (process 9, app)",
		  "Shut container 200 down ('pct shutdown 200')." },
		{ "0::/lxc.payload.200/ns", "container 200 (process 9, app)",
		  "Shut container 200 down ('pct shutdown 200')." },
		{ "0::/system.slice/x.service", "process 9 (app) of x.service",
		  "Have its service stopped while the VM runs: \"stop_units\": [\"x.service\"] in "
		  "/etc/pve/pve-vfio/105.json." },
		{ "0::/system.slice/watchdog-mux.service",
		  "process 9 (app) of watchdog-mux.service",
		  "Leave the device with the host, which needs it for watchdog-mux.service." },
		{ "0::/user.slice/user-0.slice/user@0.service/x.service",
		  "process 9 (app) of user@0.service", "End process 9 (app)." },
		{ "0::/user.slice/user-0.slice/session-2.scope",
		  "process 9 (app) of session-2.scope", "End process 9 (app)." },
		{ "0::/", "process 9 (app)", "End process 9 (app)." },
		{ "0::/qemu.slice/x.scope", "process 9 (app) of x.scope", "End process 9 (app)." },
	};
	const struct tree *tree = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		cleanup_holders struct holders holders = { 0 };
		cleanup_holder struct holder holder = { 0 };
		cleanup_free char *words = NULL, *remedy = NULL;

		tree_member_opens(tree, 9, "app", rows[i].cgroup, "/dev/x");
		assert_int_equal(holder_read(&tree->root, 9, &holder), 0);
		words = holder_words(&holder);
		assert_string_equal(words, rows[i].words);
		assert_int_equal(holders_add(&holders, &holder), 0);
		assert_int_equal(holders_add(&holders, &holder), 0);
		assert_int_equal(holders.count, 1);
		remedy = holders_remedy(&holders, 105);
		assert_string_equal(remedy, rows[i].remedy);
	}
}

static void a_qemu_is_its_vm(void **state)
{
	cleanup_holder struct holder holder = { 0 };
	const struct tree *tree = *state;

	tree_process(tree, 9, "kvm", 101);
	assert_int_equal(holder_read(&tree->root, 9, &holder), 0);
	assert_int_equal(holder.kind, HOLDER_VM);
	assert_int_equal(holder.vmid, 101);
}

/* Services are one list; a VM and a process have a sentence each. */
static void remedies_are_put_together(void **state)
{
	cleanup_holders struct holders holders = { 0 };
	char a[] = "a.service", b[] = "b.service";
	const struct holder rows[] = {
		{ .kind = HOLDER_UNIT, .pid = 1, .unit = a },
		{ .kind = HOLDER_VM, .pid = 2, .vmid = 7 },
		{ .kind = HOLDER_UNIT, .pid = 3, .unit = b },
		{ .kind = HOLDER_UNIT, .pid = 4, .unit = a },
		{ .kind = HOLDER_VM, .pid = 5, .vmid = 7 },
		{ .kind = HOLDER_PROCESS, .pid = 6, .command = "dd" },
	};
	cleanup_free char *remedy = NULL;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(holders_add(&holders, &rows[i]), 0);
	remedy = holders_remedy(&holders, 105);
	assert_string_equal(remedy,
			    "Shut VM 7 down ('qm shutdown 7'). End process 6 (dd). Have its "
			    "service stopped while the VM runs: \"stop_units\": "
			    "[\"a.service\", \"b.service\"] in "
			    "/etc/pve/pve-vfio/105.json.");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(control_groups_tell_who_it_is),
		tree_test(a_qemu_is_its_vm),
		cmocka_unit_test(remedies_are_put_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
