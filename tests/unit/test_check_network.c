/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The check of network interfaces, of a device and of a sibling. */
#include "test_check_topic.h"

#define ADDRESS "0000:01:00.0"
#define SIBLING "0000:01:00.1"

static void build(const struct tree *tree, struct check_case *check)
{
	tree_add_device(tree, &(struct tree_device){ .address = ADDRESS });
	tree_add_device(tree, &(struct tree_device){ .address = SIBLING });
	tree_file(tree, "sys/devices/pci0000:00/" SIBLING "/net/eth1/flags", "0x1003\n");
	tree_link(tree, "sys/class/net/eth1", "../../devices/pci0000:00/" SIBLING "/net/eth1");
	tree_file(tree, "proc/net/route", "Iface\n");
	tree_file(tree, "proc/net/fib_trie", "Local:\n");
	check_add(tree, check, ADDRESS);
	check_add(tree, check, SIBLING);
	check->start.plan.devices[1].sibling = true;
}

static void an_address_of_a_sibling_is_an_error(void **state)
{
	struct check_case check = { 0 };

	build(*state, &check);
	check_run(*state, &check, check_network);
	assert_int_equal(check.findings.count, 0);
	tree_file(*state, "proc/net/if_inet6",
		  "20010db8000000000000000000000001 02 40 00 80 eth1\n");
	check_run(*state, &check, check_network);
	assert_int_equal(check.findings.count, 1);
	check_expect(&check, 0, "network-in-use", LEVEL_ERROR, SIBLING,
		     "eth1 has the address 2001:db8::1.");
	check_over(&check);
}

/* lldpd is on every interface: that refuses no start. */
static void a_packet_socket_is_a_warning(void **state)
{
	struct check_case check = { 0 };

	build(*state, &check);
	tree_file(*state, "sys/devices/pci0000:00/" SIBLING "/net/eth1/ifindex", "2\n");
	tree_file(*state, "proc/net/packet",
		  "sk RefCnt Type Proto Iface R Rmem User Inode\n"
		  "0 3 3 88cc 2 1 0 0 4711\n");
	check_run(*state, &check, check_network);
	assert_int_equal(check.findings.count, 1);
	check_expect(&check, 0, "network-in-use", LEVEL_ERROR, SIBLING,
		     "eth1 has a packet socket of a process.");
	assert_int_equal(check.findings.items[0].level, LEVEL_WARNING);
	check_over(&check);
}

static void what_cannot_be_told_is_an_error(void **state)
{
	struct check_case check = { 0 };

	build(*state, &check);
	tree_remove(*state, "proc/net/fib_trie");
	check_run(*state, &check, check_network);
	assert_int_equal(check.findings.count, 1);
	check_expect(
		&check, 0, "network-in-use", LEVEL_ERROR, SIBLING,
		"It cannot be determined whether the host uses its network interfaces: cannot read "
		"the network's addresses and routes: No such file or directory.");
	check_over(&check);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(an_address_of_a_sibling_is_an_error),
		tree_test(a_packet_socket_is_a_warning),
		tree_test(what_cannot_be_told_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
