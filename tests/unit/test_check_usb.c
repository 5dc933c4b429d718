/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The note about keyboards. */
#include "test_check_topic.h"

#define FIRST  "0000:01:00.0"
#define SECOND "0000:02:00.0"

static void build(const struct tree *tree)
{
	tree_add_device(tree, &(struct tree_device){ .address = FIRST, .class_code = 0x0c0330 });
	tree_add_device(tree, &(struct tree_device){ .address = SECOND, .class_code = 0x0c0330 });
	tree_file(tree, "proc/bus/input/devices",
		  "N: Name=\"One\"\nS: Sysfs=/devices/pci0000:00/" FIRST "/usb1/input1\n"
		  "H: Handlers=kbd\nB: KEY=febeffdfffefffff fffffffffffffffe\n\n"
		  "N: Name=\"Two\"\nS: Sysfs=/devices/pci0000:00/" SECOND "/usb2/input2\n"
		  "H: Handlers=kbd\nB: KEY=febeffdfffefffff fffffffffffffffe\n\n");
}

static void one_of_two_keyboards_is_not_told(void **state)
{
	struct check_case check = { 0 };

	build(*state);
	check_add(*state, &check, FIRST);
	check_run(*state, &check, check_usb);
	assert_int_equal(check.findings.count, 0);
	check_over(&check);
}

static void the_last_keyboards_are_told(void **state)
{
	struct check_case check = { 0 };

	build(*state);
	check_add(*state, &check, FIRST);
	check_add(*state, &check, SECOND);
	check_run(*state, &check, check_usb);
	assert_int_equal(check.findings.count, 2);
	check_expect(&check, 0, "usb-keyboard", LEVEL_INFO, FIRST,
		     "The keyboard 'One' is plugged in there, and the host keeps no other.");
	check_expect(&check, 1, "usb-keyboard", LEVEL_INFO, SECOND,
		     "The keyboard 'Two' is plugged in there, and the host keeps no other.");
	check_over(&check);
}

static void a_host_without_keyboard_loses_none(void **state)
{
	struct check_case check = { 0 };

	build(*state);
	tree_remove(*state, "proc/bus/input/devices");
	check_add(*state, &check, FIRST);
	check_run(*state, &check, check_usb);
	assert_int_equal(check.findings.count, 0);
	check_over(&check);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(one_of_two_keyboards_is_not_told),
		tree_test(the_last_keyboards_are_told),
		tree_test(a_host_without_keyboard_loses_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
