/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The check of virtual functions. */
#include "base/array.h"
#include "test_check_topic.h"

#define PHYSICAL "0000:01:00.0"
#define FIRST	 "0000:01:10.0"
#define SECOND	 "0000:01:10.2"

static void build(const struct tree *tree, struct check_case *check)
{
	tree_add_device(tree, &(struct tree_device){ .address = PHYSICAL });
	tree_add_device(tree, &(struct tree_device){ .address = FIRST, .driver = "igbvf" });
	tree_add_device(tree, &(struct tree_device){ .address = SECOND });
	tree_link(tree, "sys/devices/pci0000:00/" PHYSICAL "/virtfn0", "../" FIRST);
	tree_link(tree, "sys/devices/pci0000:00/" PHYSICAL "/virtfn1", "../" SECOND);
	tree_file(tree, "proc/net/route", "Iface\n");
	tree_file(tree, "proc/net/fib_trie", "Local:\n");
	check_add(tree, check, PHYSICAL);
}

static void idle_functions_are_fine(void **state)
{
	struct check_case check = { 0 };

	build(*state, &check);
	check_run(*state, &check, check_sriov);
	assert_int_equal(check.findings.count, 0);
	check_over(&check);
}

static void each_use_of_one_is_an_error(void **state)
{
	struct tree *tree = *state;
	struct check_case check = { 0 };

	build(tree, &check);
	tree_driver(tree, "vfio-pci", "vfio_pci");
	tree_bind(tree, SECOND, "vfio-pci");
	tree_file(tree, "sys/devices/pci0000:00/" FIRST "/net/eth4/flags", "0x1003\n");
	tree_link(tree, "sys/class/net/eth4", "../../devices/pci0000:00/" FIRST "/net/eth4");
	tree_file(tree, "proc/net/if_inet6", "20010db8000000000000000000000001 02 40 00 80 eth4\n");
	check_run(tree, &check, check_sriov);
	assert_int_equal(check.findings.count, 1);
	check_expect(&check, 0, "sriov-in-use", LEVEL_ERROR, PHYSICAL,
		     "Its virtual function " FIRST
		     " is in use: eth4 has the address 2001:db8::1; its virtual function " SECOND
		     " has a driver of VFIO, so a VM has it or may have it.");
	check_over(&check);
}

/* As igb's does: an interface that is not up answers no virtual function. */
static void a_physical_function_that_is_down(void **state)
{
	static const struct {
		const char *class_code, *flags;
		bool said;
	} rows[] = {
		{ "0x020000\n", "0x1002\n", true },
		{ "0x020000\n", "0x1003\n", false },
		{ "0x010802\n", "0x1002\n", false },
	};
	struct tree *tree = *state;
	struct check_case unused = { 0 };

	build(tree, &unused);
	check_over(&unused);
	tree_link(tree, "sys/devices/pci0000:00/" FIRST "/physfn", "../" PHYSICAL);
	tree_link(tree, "sys/class/net/eth0", "../../devices/pci0000:00/" PHYSICAL "/net/eth0");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct check_case check = { 0 };

		tree_file(tree, "sys/devices/pci0000:00/" FIRST "/class", "%s", rows[i].class_code);
		tree_file(tree, "sys/devices/pci0000:00/" PHYSICAL "/net/eth0/flags", "%s",
			  rows[i].flags);
		check_add(tree, &check, FIRST);
		check_run(tree, &check, check_sriov);
		assert_row(rows[i].class_code, check.findings.count == rows[i].said);
		if (rows[i].said)
			check_expect(&check, 0, "physical-down", LEVEL_WARNING, FIRST,
				     "eth0 of its physical function " PHYSICAL
				     " is down: the guest has no link with most cards then, and "
				     "igbvf and ixgbevf make up a MAC address in place of the one "
				     "that is set.");
		check_over(&check);
	}
}

static void both_for_one_vm_cannot_be(void **state)
{
	struct check_case check = { 0 };

	build(*state, &check);
	check_add(*state, &check, SECOND);
	check_run(*state, &check, check_sriov);
	assert_int_equal(check.findings.count, 1);
	check_expect(&check, 0, "sriov-in-use", LEVEL_ERROR, PHYSICAL,
		     "Its virtual function " SECOND " is to go to the same VM.");
	check_over(&check);
}

/* 62 functions are not 62 sentences. */
static void many_functions_are_told_together(void **state)
{
	struct check_case check = { 0 };
	struct tree *tree = *state;

	build(tree, &check);
	tree_driver(tree, "vfio-pci", "vfio_pci");
	tree_bind(tree, FIRST, "vfio-pci");
	tree_bind(tree, SECOND, "vfio-pci");
	for (unsigned i = 2; i < 6; i++) {
		char address[PCI_ADDRESS_TEXT], path[PATH_MAX], target[PATH_MAX];

		snprintf(address, sizeof(address), "0000:01:11.%u", i);
		tree_add_device(tree, &(struct tree_device){ .address = address });
		tree_bind(tree, address, "vfio-pci");
		tree_format(path, "sys/devices/pci0000:00/" PHYSICAL "/virtfn%u", i);
		tree_format(target, "../%s", address);
		tree_link(tree, path, target);
	}
	check_run(tree, &check, check_sriov);
	check_expect(&check, 0, "sriov-in-use", LEVEL_ERROR, PHYSICAL,
		     "Its virtual functions " FIRST ", " SECOND
		     ", 0000:01:11.2, 0000:01:11.3 and 2 "
		     "more have a driver of VFIO, so VMs have them or may have them.");
	check_over(&check);
}

static void what_cannot_be_told_is_an_error(void **state)
{
	struct check_case check = { 0 };

	build(*state, &check);
	tree_link(*state, "sys/devices/pci0000:00/" PHYSICAL "/virtfn2", "../nothing-known");
	check_run(*state, &check, check_sriov);
	assert_int_equal(check.findings.count, 1);
	assert_non_null(strstr(check.findings.items[0].evidence,
			       "It cannot be determined whether its virtual functions are in use"));
	check_over(&check);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(many_functions_are_told_together),
		tree_test(idle_functions_are_fine),
		tree_test(each_use_of_one_is_an_error),
		tree_test(both_for_one_vm_cannot_be),
		tree_test(what_cannot_be_told_is_an_error),
		tree_test(a_physical_function_that_is_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
