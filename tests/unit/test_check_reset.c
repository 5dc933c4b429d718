/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The checks of a device's reset and of its life. */
#include "test_check_topic.h"

#define BRIDGE "0000:00:01.0"
#define FIRST  "0000:01:00.0"
#define SECOND "0000:01:00.1"

/* PCI 3.0, 6.1: the header type at 0eh is 1. */
static const unsigned char bridge_config[64] = { [0x0e] = 1 };

/* Two functions behind a bridge, without resets of their own. */
static void build(const struct tree *tree)
{
	static const char *const functions[] = { FIRST, SECOND };

	for (size_t i = 0; i < COUNT(functions); i++) {
		char path[PATH_MAX], target[PATH_MAX];

		tree_add_device(tree, &(struct tree_device){ .address = functions[i] });
		tree_format(path, "sys/devices/pci0000:00/" BRIDGE "/%s", functions[i]);
		tree_format(target, "../%s", functions[i]);
		tree_link(tree, path, target);
		tree_format(path, "sys/bus/pci/devices/%s", functions[i]);
		tree_format(target, "../../../devices/pci0000:00/" BRIDGE "/%s", functions[i]);
		tree_link(tree, path, target);
	}
}

static void a_bus_that_goes_to_the_vm_whole_is_fine(void **state)
{
	struct check_case check = { 0 };

	build(*state);
	check_add(*state, &check, FIRST);
	check_add(*state, &check, SECOND);
	check_run(*state, &check, check_reset);
	assert_int_equal(check.findings.count, 0);
	check_over(&check);
}

static void a_bus_that_is_shared_is_told(void **state)
{
	struct check_case check = { 0 };

	build(*state);
	check_add(*state, &check, FIRST);
	check_run(*state, &check, check_reset);
	assert_int_equal(check.findings.count, 1);
	check_expect(
		&check, 0, "bus-reset-shared", LEVEL_WARNING, FIRST,
		"It can be reset only with its whole bus, and there is more on that bus: " SECOND
		".");
	tree_attribute(*state, FIRST, "reset_method", "flr bus");
	check_run(*state, &check, check_reset);
	assert_int_equal(check.findings.count, 0);
	check_over(&check);
}

static void assert_advice(const struct check_case *check, const char *words)
{
	assert_int_equal(check->findings.count, 1);
	assert_non_null(strstr(finding_remedy(&check->findings.items[0]), words));
}

/* "Pass all of the card" must name no disk of the host, no bridge of it, and no part of the chipset. */
static void the_whole_card_is_advised_where_it_can_be_passed(void **state)
{
	struct check_case check = { 0 };
	struct tree *tree = *state;

	build(tree);
	tree_file(tree, "proc/net/route", "Iface\n");
	tree_file(tree, "proc/net/fib_trie", "Local:\n");
	check_add(tree, &check, FIRST);
	check_run(tree, &check, check_reset);
	assert_advice(&check, "Pass all of the card");
	tree_file(tree, "sys/devices/pci0000:00/" SECOND "/net/eth4/flags", "0x1003\n");
	tree_link(tree, "sys/class/net/eth4", "../../devices/pci0000:00/" SECOND "/net/eth4");
	tree_file(tree, "proc/net/if_inet6", "20010db8000000000000000000000001 02 40 00 80 eth4\n");
	check_run(tree, &check, check_reset);
	assert_advice(&check, "The host uses " SECOND ", so the card cannot be passed whole.");
	tree_bytes(tree, "sys/devices/pci0000:00/" SECOND "/config", bridge_config,
		   sizeof(bridge_config));
	check_run(tree, &check, check_reset);
	assert_advice(&check, "They are parts of one chip");
	check_over(&check);
}

static void no_reset_at_all_is_told(void **state)
{
	struct check_case check = { 0 };

	tree_add_device(*state, &(struct tree_device){ .address = "0000:00:02.0" });
	check_add(*state, &check, "0000:00:02.0");
	check_run(*state, &check, check_reset);
	assert_int_equal(check.findings.count, 1);
	check_expect(&check, 0, "no-reset", LEVEL_WARNING, "0000:00:02.0",
		     "It cannot be reset, neither alone nor with its bus.");
	check_over(&check);
}

/* What comes along with the group and has no driver is the chipset's: its state matters to nobody. */
static void a_helper_without_a_reset_is_fine(void **state)
{
	struct check_case check = { 0 };

	tree_add_device(*state,
			&(struct tree_device){ .address = "0000:00:14.2", .class_code = 0x050000 });
	check_add(*state, &check, "0000:00:14.2");
	check.start.plan.devices[0].sibling = true;
	check_run(*state, &check, check_reset);
	assert_int_equal(check.findings.count, 0);
	check.start.plan.devices[0].sibling = false;
	check_run(*state, &check, check_reset);
	assert_int_equal(check.findings.count, 1);
	check_over(&check);
}

static void a_dead_device_is_an_error_and_nothing_else(void **state)
{
	struct check_case check = { 0 };
	unsigned char config[64];

	build(*state);
	check_add(*state, &check, FIRST);
	memset(config, 0xff, sizeof(config));
	tree_bytes(*state, "sys/devices/pci0000:00/" FIRST "/config", config, sizeof(config));
	check_run(*state, &check, check_reset);
	assert_int_equal(check.findings.count, 1);
	check_expect(&check, 0, "device-dead", LEVEL_ERROR, FIRST,
		     "/sys/bus/pci/devices/" FIRST "/config reads ff throughout.");
	check_over(&check);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(a_bus_that_goes_to_the_vm_whole_is_fine),
		tree_test(a_bus_that_is_shared_is_told),
		tree_test(the_whole_card_is_advised_where_it_can_be_passed),
		tree_test(no_reset_at_all_is_told),
		tree_test(a_helper_without_a_reset_is_fine),
		tree_test(a_dead_device_is_an_error_and_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
