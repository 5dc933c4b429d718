/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The keyboards of a host. */
#include "test.h"
#include "tree.h"
#include "use/usb.h"

/* A power button, a PS/2 keyboard, a mouse, and a USB keyboard, as a desktop lists them. */
#define DEVICES                                                                                    \
	"I: Bus=0019 Vendor=0000 Product=0001 Version=0000\nN: Name=\"Power Button\"\n"            \
	"S: Sysfs=/devices/LNXSYSTM:00/LNXPWRBN:00/input/input0\nH: Handlers=kbd event0 \n"        \
	"B: EV=3\nB: KEY=10000000000000 0\n\n"                                                     \
	"I: Bus=0011 Vendor=0001 Product=0001 Version=ab41\n"                                      \
	"N: Name=\"AT Translated Set 2 keyboard\"\n"                                               \
	"S: Sysfs=/devices/platform/i8042/serio0/input/input1\n"                                   \
	"H: Handlers=sysrq kbd event1 leds \n"                                                     \
	"B: KEY=402000000 3803078f800d001 feffffdfffefffff fffffffffffffffe\n\n"                   \
	"I: Bus=0003 Vendor=046d Product=c077 Version=0111\nN: Name=\"Logitech USB Mouse\"\n"      \
	"S: Sysfs=/devices/pci0000:00/0000:00:14.0/usb1/1-2/input/input2\n"                        \
	"H: Handlers=mouse0 event2 \nB: KEY=ff0000 0 0 0 0\n\n"                                    \
	"I: Bus=0003 Vendor=046d Product=c31c Version=0110\nN: Name=\"Logitech K120\"\n"           \
	"S: Sysfs=/devices/pci0000:00/0000:00:14.0/usb1/1-3/input/input3\n"                        \
	"H: Handlers=sysrq kbd event3 leds \n"                                                     \
	"B: KEY=1000000000007 ff9f207ac14057ff febeffdfffefffff fffffffffffffffe\n\n"

static void only_keyboards_are_keyboards(void **state)
{
	struct tree *tree = *state;
	struct keyboards keyboards = { 0 };

	tree_file(tree, "proc/bus/input/devices", "%s", DEVICES);
	assert_int_equal(keyboards_find(&tree->root, &keyboards, NULL), 0);
	assert_int_equal(keyboards.count, 2);
	assert_string_equal(keyboards.items[0].name, "AT Translated Set 2 keyboard");
	assert_string_equal(keyboards.items[1].name, "Logitech K120");
	assert_string_equal(keyboards.items[1].path,
			    "/devices/pci0000:00/0000:00:14.0/usb1/1-3/input/input3");
	keyboards_done(&keyboards);
}

static void a_kernel_without_input_has_none(void **state)
{
	struct tree *tree = *state;
	struct keyboards keyboards = { 0 };

	assert_int_equal(keyboards_find(&tree->root, &keyboards, NULL), 0);
	assert_int_equal(keyboards.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(only_keyboards_are_keyboards),
		tree_test(a_kernel_without_input_has_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
