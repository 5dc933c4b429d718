/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: check/pins.c: found in one situation and absent in another. */
#include "start.h"

static const char line[] = "hostpci0: 02:00.0\n";

static void pin(const struct machine *machine, const char *members)
{
	tree_file(&machine->tree, "etc/pve/pve-vfio/101.json", "{\"pins\": {\"" NIC "\": {%s}}}\n",
		  members);
}

static void test_changed(void **state)
{
	struct machine *machine = *state;

	assert_found(machine, check_pins, line, "");
	pin(machine, "\"id\": \"8086:10d3\", \"class\": \"020000\"");
	assert_found(machine, check_pins, line, "");
	pin(machine, "\"id\": \"8086:10d3\", \"class\": \"020000\", \"serial\": "
		     "\"52-54-00-ff-ff-12-34-56\"");
	assert_found(machine, check_pins, line, ""); /* the device shows none */

	pin(machine, "\"id\": \"15b3:1017\", \"class\": \"020000\"");
	assert_found(
		machine, check_pins, line,
		"device-changed 0000:02:00.0: The VM had 15b3:1017 (class 020000) here; now it "
		"is 8086:10d3 (class 020000). The former is nowhere to be seen.\n");
	pin(machine, "\"id\": \"8086:10d3\", \"class\": \"010802\"");
	assert_found(
		machine, check_pins, line,
		"device-changed 0000:02:00.0: The VM had 8086:10d3 (class 010802) here; now it "
		"is 8086:10d3 (class 020000). The former is nowhere to be seen.\n");
	/* it has moved */
	pin(machine, "\"id\": \"10de:228b\", \"class\": \"040300\"");
	assert_found(
		machine, check_pins, line,
		"device-changed 0000:02:00.0: The VM had 10de:228b (class 040300) here; now it "
		"is 8086:10d3 (class 020000). The former is now at 0000:01:00.1.\n");
	/* not wanted, or only along with its group */
	assert_found(machine, check_pins, "hostpci0: 01:00\n", "");
}

/* Two of one kind, told apart by their serial numbers. */
static void test_serial(void **state)
{
	struct machine *machine = *state;
	unsigned char config[0x200] = { 0 };
	static const unsigned char capability[12] = { 3,    0,	  1,	0, 0x56, 0x34,
						      0x12, 0xff, 0xff, 0, 0x54, 0x52 };

	memcpy(config + 0x100, capability, sizeof(capability));
	tree_bytes(&machine->tree, "sys/devices/pci0000:00/" NIC "/config", config, sizeof(config));
	pin(machine, "\"id\": \"8086:10d3\", \"class\": \"020000\", \"serial\": "
		     "\"52-54-00-ff-ff-12-34-56\"");
	assert_found(machine, check_pins, line, "");
	pin(machine, "\"id\": \"8086:10d3\", \"class\": \"020000\", \"serial\": "
		     "\"52-54-00-ff-ff-12-34-57\"");
	assert_found(machine, check_pins, line,
		     "device-changed 0000:02:00.0: The VM had 8086:10d3 (class 020000, serial "
		     "52-54-00-ff-ff-12-34-57) here; now it is 8086:10d3 (class 020000, serial "
		     "52-54-00-ff-ff-12-34-56). The former is nowhere to be seen.\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		machine_test(test_changed),
		machine_test(test_serial),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
