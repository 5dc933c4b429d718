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
		"is 8086:10d3 (class 020000). The former is not in this node.\n");
	pin(machine, "\"id\": \"8086:10d3\", \"class\": \"010802\"");
	assert_found(
		machine, check_pins, line,
		"device-changed 0000:02:00.0: The VM had 8086:10d3 (class 010802) here; now it "
		"is 8086:10d3 (class 020000). The former is not in this node.\n");
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
		     "52-54-00-ff-ff-12-34-56). The former is not in this node.\n");
}

/* On each node another device can be at the address; what 0.1 wrote names none. */
static void test_nodes(void **state)
{
	struct machine *machine = *state;
	const struct tree *tree = &machine->tree;
	static const char other[] = "{\"id\": \"15b3:1017\", \"class\": \"020000\"}";
	static const char changed[] =
		"device-changed 0000:02:00.0: The VM had 15b3:1017 (class 020000) here; now it is "
		"8086:10d3 (class 020000). The former is not in this node.\n";

	tree_file(tree, "etc/pve/pve-vfio/101.json",
		  "{\"pins\": {\"nodes/pve2\": {\"" NIC "\": %s}}}", other);
	assert_found(machine, check_pins, line, "");
	tree_file(tree, "etc/pve/pve-vfio/101.json",
		  "{\"pins\": {\"nodes/pve1\": {\"" NIC "\": %s}}}", other);
	assert_found(machine, check_pins, line, changed);

	tree_file(tree, "etc/pve/pve-vfio/101.json", "{\"pins\": {\"" NIC "\": %s}}", other);
	tree_folder(tree, "etc/pve/nodes/pve1");
	assert_found(machine, check_pins, line, changed);
	/* it may have been that of the other node, unless it is on this one, elsewhere */
	tree_folder(tree, "etc/pve/nodes/pve2");
	assert_found(machine, check_pins, line, "");
	pin(machine, "\"id\": \"10de:228b\", \"class\": \"040300\"");
	assert_found(
		machine, check_pins, line,
		"device-changed 0000:02:00.0: The VM had 10de:228b (class 040300) here; now it "
		"is 8086:10d3 (class 020000). The former is now at 0000:01:00.1.\n");
}

/* The mapping says what the device is, and Proxmox VE compares that. */
static void test_mapping(void **state)
{
	struct machine *machine = *state;

	pin(machine, "\"id\": \"15b3:1017\", \"class\": \"020000\"");
	tree_file(&machine->tree, "etc/pve/mapping/pci.cfg",
		  "nic\n\tmap id=8086:10d3,iommugroup=15,node=pve1,path=" NIC "\n\n");
	assert_found(machine, check_pins, "hostpci0: mapping=nic\n", "");
	assert_true(machine->start.plan.device_count > 0 ||
		    machine->start.wanted.problem_count > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		machine_test(test_changed),
		machine_test(test_serial),
		machine_test(test_nodes),
		machine_test(test_mapping),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
