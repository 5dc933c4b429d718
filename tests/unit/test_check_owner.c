/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: check/owner.c: each of its checks found in one situation and absent in another. */
#include "start.h"

static const char line[] = "hostpci0: 02:00.0\n";

static void test_nothing(void **state)
{
	struct machine *machine = *state;

	/* this VM's own journal and reservation, and other VMs' other devices */
	machine_other_vm(machine, 101, JOURNAL_RUNNING, NIC, ACTION_DONE);
	machine_other_vm(machine, 102, JOURNAL_RUNNING, "0000:09:00.0", ACTION_DONE);
	tree_file(&machine->tree, "run/qemu-server/pci-id-reservations",
		  "0000:02:00.0 101 time:9999999999\n0000:09:00.0 102 time:9999999999\n");
	assert_found(machine, check_owner, line, "");
}

static void test_owned(void **state)
{
	static const struct {
		enum journal_phase phase;
		enum action_state state;
		const char *lines;
	} rows[] = {
		{ JOURNAL_STARTING, ACTION_ANNOUNCED,
		  "device-owned 0000:02:00.0: VM 102 has it (hostpci3 there; its journal says "
		  "'starting').\n" },
		{ JOURNAL_RUNNING, ACTION_DONE,
		  "device-owned 0000:02:00.0: VM 102 has it (hostpci3 there; its journal says "
		  "'running').\n" },
		{ JOURNAL_STOPPING, ACTION_STUCK,
		  "device-owned 0000:02:00.0: VM 102 has it (hostpci3 there; its journal says "
		  "'stopping').\n" },
		{ JOURNAL_STOPPING, ACTION_FAILED,
		  "device-owned 0000:02:00.0: VM 102 has it (hostpci3 there; its journal says "
		  "'stopping').\n" },
		/* kept from the host for whoever starts next */
		{ JOURNAL_KEPT, ACTION_DONE, "" },
		/* a mere alternative */
		{ JOURNAL_RUNNING, ACTION_FORESEEN, "" },
	};
	struct machine *machine = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		machine_other_vm(machine, 102, rows[i].phase, NIC, rows[i].state);
		assert_found(machine, check_owner, line, rows[i].lines);
	}
}

/* One of the group's others is as good as the device itself. */
static void test_sibling_owned(void **state)
{
	machine_other_vm(*state, 102, JOURNAL_RUNNING, AUDIO, ACTION_DONE);
	assert_found(*state, check_owner, "hostpci0: 01:00.0\n",
		     "device-owned 0000:01:00.1: VM 102 has it (hostpci3 there; its journal says "
		     "'running').\n");
}

/* Of another boot: what it says is no longer so. */
static void test_other_boot(void **state)
{
	struct machine *machine = *state;

	machine_other_vm(machine, 102, JOURNAL_RUNNING, NIC, ACTION_DONE);
	tree_boot(&machine->tree, "22222222-2222-3333-4444-555555555555");
	assert_found(machine, check_owner, line, "");
}

/* A journal that cannot be understood may hold any device. */
static void test_cannot_tell(void **state)
{
	struct machine *machine = *state;

	tree_file(&machine->tree, "run/pve-vfio/102.json", "garbage");
	tree_config(&machine->tree, 101, line);
	machine->start = (struct start){
		.root = &machine->tree.root, .state = &machine->state, .vmid = 101, .dry = true
	};
	assert_int_equal(start_prepare(&machine->start, &machine->err), -EBADMSG);
	assert_non_null(
		strstr(machine->err.message, "/run/pve-vfio/102.json cannot be understood: "));
}

static void test_held(void **state)
{
	struct machine *machine = *state;
	const struct tree *tree = &machine->tree;

	tree_process(tree, 4711, "kvm", 102);
	tree_process_opens(tree, 4711, 20, "/dev/vfio/15");
	tree_process_opens(tree, 4711, 21, "/dev/vfio/99");
	/* on its own driver nobody can have it open: nobody is looked for */
	assert_found(machine, check_owner, line, "");
	tree_bind(tree, NIC, "vfio-pci");
	assert_found(machine, check_owner, line,
		     "device-held 0000:02:00.0: VM 102 (process 4711) has /dev/vfio/15 open.\n");
	tree_bind(tree, NIC, "mlx5-vfio-pci");
	assert_found(machine, check_owner, line,
		     "device-held 0000:02:00.0: VM 102 (process 4711) has /dev/vfio/15 open.\n");
	tree_remove(tree, "sys/devices/pci0000:00/" NIC "/driver");
	assert_found(machine, check_owner, line,
		     "device-held 0000:02:00.0: VM 102 (process 4711) has /dev/vfio/15 open.\n");
	assert_found(machine, check_owner, "hostpci0: 01:00.0\n", "");
	tree_remove(tree, "proc/4711/fd/20");
	assert_found(machine, check_owner, line, "");
}

/* One whose descriptors cannot be seen. */
static void test_held_cannot_tell(void **state)
{
	struct machine *machine = *state;

	tree_process(&machine->tree, 4711, "kvm", 102);
	tree_remove(&machine->tree, "proc/4711/fd");
	tree_file(&machine->tree, "proc/4711/fd", "x");
	tree_bind(&machine->tree, NIC, "vfio-pci");
	machine_prepare(machine, line);
	assert_int_equal(check_owner(&machine->start, &machine->findings, &machine->err), -ENOTDIR);
	assert_string_equal(machine->err.message,
			    "cannot read which files the processes have open: Not a directory");
}

static void test_reserved(void **state)
{
	static const struct {
		const char *reservations, *lines;
	} rows[] = {
		{ "0000:02:00.0 102 time:9999999999\n",
		  "device-reserved 0000:02:00.0: It is reserved for VM 102 "
		  "(/run/qemu-server/pci-id-reservations).\n" },
		{ "0000:02:00.0 102 time:1\n", "" },
		{ "0000:02:00.0 102 pid:4711\n", "" }, /* it does not run */
		{ "garbage\n", "" },
	};
	struct machine *machine = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		tree_file(&machine->tree, "run/qemu-server/pci-id-reservations", "%s",
			  rows[i].reservations);
		assert_found(machine, check_owner, line, rows[i].lines);
	}
	tree_process(&machine->tree, 4711, "kvm", 102);
	tree_file(&machine->tree, "run/qemu-server/pci-id-reservations",
		  "0000:02:00.0 102 pid:4711\n");
	assert_found(machine, check_owner, line,
		     "device-reserved 0000:02:00.0: It is reserved for VM 102 "
		     "(/run/qemu-server/pci-id-reservations).\n");
	/* PVE reserves nothing that stands in args or is only of the group */
	tree_file(&machine->tree, "run/qemu-server/pci-id-reservations",
		  "0000:02:00.0 102 pid:4711\n0000:01:00.1 102 pid:4711\n");
	assert_found(machine, check_owner,
		     "hostpci0: 01:00.0\nargs: -device vfio-pci,host=02:00.0\n", "");
}

/* One VM is one finding, whatever shows that it has the devices. */
static void test_one_cause(void **state)
{
	struct machine *machine = *state;
	const struct tree *tree = &machine->tree;

	tree_bind(tree, GPU, "vfio-pci");
	tree_bind(tree, AUDIO, "vfio-pci");
	tree_process(tree, 4711, "kvm", 102);
	tree_process_opens(tree, 4711, 20, "/dev/vfio/14");
	machine_other_vm(machine, 102, JOURNAL_RUNNING, GPU, ACTION_DONE);
	tree_file(tree, "run/qemu-server/pci-id-reservations",
		  "0000:01:00.0 102 pid:4711\n0000:01:00.1 102 pid:4711\n");
	assert_found(
		machine, check_owner, "hostpci0: 01:00\n",
		"device-owned 0000:01:00.0: VM 102 (process 4711) has /dev/vfio/14 open, and its "
		"journal says 'running' (hostpci3 there), and Proxmox VE has reserved it for "
		"that VM; the same goes for 0000:01:00.1.\n");
	assert_string_equal(
		machine->findings.items[0].remedy,
		"Shut VM 102 down ('qm shutdown 102'). Or let it give way to this start, and "
		"come back after it: \"displace\": {\"guests\": [102]} in "
		"/etc/pve/pve-vfio/101.json.");
	/* that the journal may be ignored does not mean that the VM may */
	tree_file(tree, "etc/pve/pve-vfio/101.json", "{\"allow\": [\"device-owned\"]}");
	machine_prepare(machine, "hostpci0: 01:00\n");
	assert_int_equal(check_owner(&machine->start, &machine->findings, &machine->err), 0);
	assert_int_equal(machine->findings.items[0].id, CHECK_DEVICE_HELD);
	/* a process of no VM beside it is another cause */
	tree_process(tree, 4712, "spdk", 0);
	tree_process_opens(tree, 4712, 20, "/dev/vfio/14");
	machine_prepare(machine, "hostpci0: 01:00\n");
	assert_int_equal(check_owner(&machine->start, &machine->findings, &machine->err), 0);
	assert_int_equal(machine->findings.count, 2);
	assert_string_equal(machine->findings.items[1].evidence,
			    "Process 4712 (spdk) has /dev/vfio/14 open; the same goes for "
			    "0000:01:00.1.");
	assert_string_equal(machine->findings.items[1].remedy, "End process 4712 (spdk).");
}

static void test_remedies_of_a_journal(void **state)
{
	struct machine *machine = *state;

	machine_other_vm(machine, 102, JOURNAL_RUNNING, NIC, ACTION_DONE);
	machine_prepare(machine, line);
	assert_int_equal(check_claims_run(&machine->start, &machine->findings, &machine->err), 0);
	assert_string_equal(
		machine->findings.items[0].remedy,
		"VM 102 does not run. Unless it is just starting, 'pve-vfio restore 102' "
		"gives its devices back.");
	tree_process(&machine->tree, 4711, "kvm", 102);
	machine_prepare(machine, line);
	assert_int_equal(check_claims_run(&machine->start, &machine->findings, &machine->err), 0);
	assert_string_equal(
		machine->findings.items[0].remedy,
		"Shut VM 102 down ('qm shutdown 102'). Or let it give way to this start, and "
		"come back after it: \"displace\": {\"guests\": [102]} in "
		"/etc/pve/pve-vfio/101.json.");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		machine_test(test_nothing),	     machine_test(test_owned),
		machine_test(test_sibling_owned),    machine_test(test_other_boot),
		machine_test(test_cannot_tell),	     machine_test(test_held),
		machine_test(test_held_cannot_tell), machine_test(test_reserved),
		machine_test(test_one_cause),	     machine_test(test_remedies_of_a_journal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
