/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: change/start.c: a device that changes hands between the plan and its claim; what a start
 * cannot be made from. */
#include <errno.h>

#include "start.h"

#define SECOND "0000:03:00.0"

/* A plan for the network card, made while VM 102 has what `other` says; NULL: nobody has anything. */
static void plan_nic(struct machine *machine, const enum journal_phase *other)
{
	if (other)
		machine_other_vm(machine, 102, *other, NIC, ACTION_DONE);
	machine_prepare(machine, "hostpci0: 02:00.0\n");
	assert_int_equal(machine->start.plan.device_count, 1);
}

static void release_other(const struct machine *machine)
{
	tree_remove(&machine->tree, "run/pve-vfio/102.json");
}

static void assert_changed_hands(struct machine *machine, const char *address)
{
	cleanup_free char *words =
		text_format("%s has just changed hands; start VM 101 once more", address);

	machine->err = (struct error){ 0 };
	assert_int_equal(start_read_claims(&machine->start, &machine->err), -EAGAIN);
	assert_string_equal(machine->err.message, words);
	assert_false(tree_has(&machine->tree, "run/pve-vfio/101.json"));
}

static void assert_claimable(struct machine *machine)
{
	if (start_read_claims(&machine->start, &machine->err) != 0)
		fail_msg("%s", machine->err.message);
}

static void test_unchanged(void **state)
{
	struct machine *machine = *state;

	plan_nic(machine, NULL);
	assert_claimable(machine);
	assert_claimable(machine);
	/* what another VM does with another device is nothing to this one */
	machine_other_vm(machine, 102, JOURNAL_RUNNING, GPU, ACTION_DONE);
	assert_claimable(machine);
	tree_bind(&machine->tree, GPU, "vfio-pci");
	assert_claimable(machine);
}

/* The other VM had it while the plan was made: what was read may be half its and half the host's. */
static void test_given_back(void **state)
{
	static const enum journal_phase phases[] = { JOURNAL_STARTING, JOURNAL_READY,
						     JOURNAL_RUNNING, JOURNAL_STOPPING };
	struct machine *machine = *state;

	for (size_t i = 0; i < COUNT(phases); i++) {
		plan_nic(machine, &phases[i]);
		release_other(machine);
		assert_changed_hands(machine, NIC);
		/* the next start plans anew */
		plan_nic(machine, NULL);
		assert_claimable(machine);
	}
}

/* It still has it, or has it now: that is the check's to tell. */
static void test_owned(void **state)
{
	static const enum journal_phase running = JOURNAL_RUNNING;
	struct machine *machine = *state;

	plan_nic(machine, &running);
	assert_claimable(machine);
	plan_nic(machine, NULL);
	assert_claimable(machine);
	release_other(machine);
	plan_nic(machine, NULL);
	machine_other_vm(machine, 102, JOURNAL_STARTING, NIC, ACTION_ANNOUNCED);
	assert_claimable(machine);
	assert_int_equal(check_start_run(&machine->start, &machine->findings, &machine->err), 0);
	assert_int_equal(machine->findings.items[0].id, CHECK_DEVICE_OWNED);
}

/* A device that is kept for whoever is next changes no hands when it is taken over. */
static void test_kept(void **state)
{
	static const enum journal_phase kept = JOURNAL_KEPT;
	struct machine *machine = *state;

	plan_nic(machine, &kept);
	assert_claimable(machine);
	release_other(machine);
	assert_claimable(machine);
}

/* Nobody's journal tells of it: somebody bound it by hand, or it was pulled. */
static void test_other_driver(void **state)
{
	struct machine *machine = *state;

	plan_nic(machine, NULL);
	tree_bind(&machine->tree, NIC, "vfio-pci");
	assert_changed_hands(machine, NIC);
	tree_remove(&machine->tree, "sys/devices/pci0000:00/" NIC "/driver");
	assert_changed_hands(machine, NIC);
	tree_bind(&machine->tree, NIC, "e1000e");
	assert_claimable(machine);
	tree_remove(&machine->tree, "sys/bus/pci/devices/" NIC);
	assert_changed_hands(machine, NIC);
}

/* The function that comes along with its group counts, and an alternative that is not chosen not. */
static void test_each_device(void **state)
{
	struct machine *machine = *state;
	const struct tree *tree = &machine->tree;

	machine_prepare(machine, "hostpci0: 01:00.0\n");
	tree_bind(tree, AUDIO, "vfio-pci");
	assert_changed_hands(machine, AUDIO);

	tree_add_device(tree, &(struct tree_device){ SECOND, .driver = "e1000e", .group = 16 });
	for (size_t i = 0; i < 2; i++) {
		const char *address = (const char *[]){ NIC, SECOND }[i];

		tree_attribute(tree, address, "subsystem_vendor", "0x8086");
		tree_attribute(tree, address, "subsystem_device", "0x0001");
	}
	tree_file(tree, "etc/pve/mapping/pci.cfg",
		  "both\n\tmap id=8086:10d3,iommugroup=15,node=pve1,path=" NIC
		  ",subsystem-id=8086:0001\n\tmap id=8086:10d3,iommugroup=16,node=pve1,path=" SECOND
		  ",subsystem-id=8086:0001\n\n");
	machine_prepare(machine, "hostpci0: mapping=both\n");
	assert_int_equal(machine->start.plan.device_count, 2);
	tree_bind(tree, SECOND, "igb");
	assert_claimable(machine);
	tree_bind(tree, NIC, "igb");
	assert_changed_hands(machine, NIC);
}

/* ---- what a start is made from is not there, or is no such thing */

static void assert_not_prepared(struct machine *machine, int r, const char *words)
{
	machine_new_start(machine);
	machine->err = (struct error){ 0 };
	assert_int_equal(start_prepare(&machine->start, &machine->err), r);
	assert_string_equal(machine->err.message, words);
	assert_false(tree_has(&machine->tree, "run/pve-vfio/101.json"));
}

static void test_not_prepared(void **state)
{
	struct machine *machine = *state;
	const struct tree *tree = &machine->tree;

	assert_not_prepared(machine, -ENOENT,
			    "there is no VM 101; 'qm list' shows those of this node");
	tree_config(tree, 101, "hostpci0: 02:00.0\n");
	tree_file(tree, "etc/pve/pve-vfio/101.json", "{");
	assert_not_prepared(
		machine, -EBADMSG,
		"/etc/pve/pve-vfio/101.json: line 1, column 1: string or '}' expected near end of "
		"file");
	tree_remove(tree, "etc/pve/pve-vfio/101.json");
	tree_folder(tree, "etc/pve/mapping/pci.cfg");
	assert_not_prepared(machine, -EISDIR,
			    "cannot read /etc/pve/mapping/pci.cfg: Is a directory");
	tree_remove(tree, "etc/pve/mapping/pci.cfg");
	tree_file(tree, "run/pve-vfio/102.json", "garbage");
	assert_not_prepared(machine, -EBADMSG,
			    "/run/pve-vfio/102.json cannot be understood: journal: line 1, column "
			    "7: '[' or '{' expected near 'garbage'; 'pve-vfio restore --stale' "
			    "settles it once its VM has stopped");
	tree_remove(tree, "run/pve-vfio/102.json");
	tree_remove(tree, "proc/sys/kernel/hostname");
	assert_not_prepared(machine, -ENOENT,
			    "cannot read /proc/sys/kernel/hostname: No such file or directory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		machine_test(test_unchanged),	 machine_test(test_given_back),
		machine_test(test_owned),	 machine_test(test_kept),
		machine_test(test_other_driver), machine_test(test_each_device),
		machine_test(test_not_prepared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
