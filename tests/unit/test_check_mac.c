/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An address that is to be set for a virtual function, and that somebody has. */
#include "test_check_topic.h"

#define VF  "0000:05:10.1"
#define MAC "bc:24:11:00:00:01"

static void wish(struct check_case *check, const char *function, const char *source,
		 const char *before)
{
	cleanup_free char *target = NULL;
	struct action action = { 0 };

	target = text_format("%s/vf", function);
	assert_int_equal(action_make(ACTION_SET_VF, target, before,
				     "1:mac=" MAC ",trust=on,spoof-check=off", source, &action),
			 0);
	assert_int_equal(actions_add(&check->start.plan.actions, &action), 0);
}

static void build(const struct tree *tree, struct check_case *check)
{
	tree_add_device(tree, &(struct tree_device){ .address = VF, .class_code = 0x020000 });
	tree_file(tree, "sys/devices/pci0000:00/" VF "/net/ens5v1/address", "bc:24:11:00:00:01\n");
	tree_link(tree, "sys/class/net/ens5v1", "../../devices/pci0000:00/" VF "/net/ens5v1");
	check_add(tree, check, VF);
}

/* Nobody: the function's own interface, a VM that does not run, a snapshot, another address. */
static void nobody_has_it(void **state)
{
	struct check_case check = { 0 };
	struct tree *tree = *state;

	build(tree, &check);
	wish(&check, VF, "hostpci0", "1:mac=00:00:00:00:00:00,trust=off,spoof-check=off");
	tree_file(tree, "sys/devices/virtual/net/vmbr0/address", "bc:24:11:00:00:02\n");
	tree_link(tree, "sys/class/net/vmbr0", "../../devices/virtual/net/vmbr0");
	tree_config(tree, 102, "net0: virtio=BC:24:11:00:00:01,bridge=vmbr0\n");
	tree_config(tree, 103, "memory: 64\n[snap]\nnet0: virtio=BC:24:11:00:00:01\n");
	tree_process(tree, 503, "kvm", 103);
	check_run(tree, &check, check_mac);
	assert_int_equal(check.findings.count, 0);
	check_over(&check);
}

static void another_vm_has_it(void **state)
{
	struct check_case check = { 0 };
	struct tree *tree = *state;

	build(tree, &check);
	wish(&check, VF, "hostpci0", "1:mac=00:00:00:00:00:00,trust=off,spoof-check=off");
	tree_config(tree, 102, "net1: virtio=BC:24:11:00:00:01,bridge=vmbr0\n");
	tree_process(tree, 502, "kvm", 102);
	check_run(tree, &check, check_mac);
	assert_int_equal(check.findings.count, 1);
	check_expect(&check, 0, "mac-taken", LEVEL_ERROR, VF,
		     "It is to get the address " MAC ", which net1 of VM 102, which runs, has.");
	assert_string_equal(finding_remedy(&check.findings.items[0]),
			    "Give " VF " another \"mac\" in /etc/pve/pve-vfio/101.json.");
	check_over(&check);
}

static void the_host_has_it(void **state)
{
	struct check_case check = { 0 };
	struct tree *tree = *state;

	build(tree, &check);
	wish(&check, VF, "hostpci0", "1:mac=00:00:00:00:00:00,trust=off,spoof-check=off");
	tree_file(tree, "sys/devices/virtual/net/vmbr0/address", MAC "\n");
	tree_link(tree, "sys/class/net/vmbr0", "../../devices/virtual/net/vmbr0");
	check_run(tree, &check, check_mac);
	assert_int_equal(check.findings.count, 1);
	check_expect(&check, 0, "mac-taken", LEVEL_ERROR, VF,
		     "It is to get the address " MAC ", which the host's interface vmbr0 has.");
	check_over(&check);
}

/* Two functions of one VM. And one that has the address by now, and stays as it is. */
static void the_same_vm_twice(void **state)
{
	struct check_case check = { 0 };
	struct tree *tree = *state;

	build(tree, &check);
	tree_file(tree, "sys/devices/pci0000:00/" VF "/net/ens5v1/address", "bc:24:11:00:00:09\n");
	wish(&check, "0000:05:10.0", "hostpci0",
	     "0:mac=00:00:00:00:00:00,trust=on,spoof-check=off");
	wish(&check, VF, "hostpci1", "1:mac=00:00:00:00:00:00,trust=on,spoof-check=off");
	check_run(tree, &check, check_mac);
	assert_int_equal(check.findings.count, 1);
	check_expect(&check, 0, "mac-taken", LEVEL_ERROR, VF,
		     "It is to get the address " MAC ", which hostpci0 of this VM is to get too.");
	check_over(&check);
}

static void what_it_has_is_not_asked_for(void **state)
{
	struct check_case check = { 0 };
	struct tree *tree = *state;

	build(tree, &check);
	wish(&check, VF, "hostpci0", "1:mac=" MAC ",trust=off,spoof-check=off");
	tree_config(tree, 102, "net1: virtio=BC:24:11:00:00:01,bridge=vmbr0\n");
	tree_process(tree, 502, "kvm", 102);
	check_run(tree, &check, check_mac);
	assert_int_equal(check.findings.count, 0);
	check_over(&check);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(nobody_has_it),
		tree_test(another_vm_has_it),
		tree_test(the_host_has_it),
		tree_test(the_same_vm_twice),
		tree_test(what_it_has_is_not_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
