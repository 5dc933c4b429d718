/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: check/nvswitch.c, and what change/release.c and check/opener.c make of the fabric manager. */
#include "start.h"

#include "use/nvswitch.h"

#define SXM    "0000:18:00.0"
#define SWITCH "0000:06:00.0"

static int setup(void **state)
{
	int r = machine_setup(state);
	const struct machine *machine = *state;
	const struct tree *tree = &machine->tree;

	if (r < 0)
		return r;
	tree_add_device(tree, &(struct tree_device){ SXM, 0x10de, 0x2335, 0x030200,
						     .driver = "nvidia", .group = 59 });
	tree_add_device(tree, &(struct tree_device){ SWITCH, 0x10de, 0x22a3, 0x068000,
						     .driver = "nvidia-nvswitch", .group = 60 });
	tree_file(tree, "dev/nvidiactl", "\n");
	tree_file(tree, "dev/nvidia-nvswitch0", "\n");
	tree_process(tree, 950, "nv-fabricmanage", 0);
	tree_file(tree, "proc/950/cgroup", "0::/system.slice/" FABRIC_MANAGER_UNIT "\n");
	tree_process_opens(tree, 950, 3, "/dev/nvidiactl");
	tree_process_opens(tree, 950, 4, "/dev/nvidia-nvswitch0");
	tree_folder(tree, "sys/fs/cgroup/system.slice/" FABRIC_MANAGER_UNIT);
	return 0;
}

#define fabric_test(function) cmocka_unit_test_setup_teardown(function, setup, machine_teardown)

static bool is_stopped(const struct machine *machine)
{
	return actions_find(&machine->start.plan.actions, ACTION_STOP_UNIT, FABRIC_MANAGER_UNIT);
}

#define LEFT                                                                                       \
	"nvswitch-left " SXM ": The NVSwitches that join this GPU to others (" SWITCH              \
	") stay with the host, where the fabric manager runs"

/* Full passthrough: the VM has the switches too. */
static void test_whole_board(void **state)
{
	struct machine *machine = *state;

	assert_found(machine, check_nvswitch, "hostpci0: 18:00.0\nhostpci1: 06:00.0\n", "");
	assert_true(is_stopped(machine));
	assert_int_equal(check_opener(&machine->start, &machine->findings, &machine->err), 0);
	assert_findings(machine, "");
}

/* The switches stay: it is asked what is meant, and the fabric manager runs on. */
static void test_switches_left(void **state)
{
	struct machine *machine = *state;

	assert_found(machine, check_nvswitch, "hostpci0: 18:00.0\n", LEFT ".\n");
	assert_int_equal(machine->findings.items[0].level, LEVEL_ERROR);
	assert_non_null(
		strstr(machine->findings.items[0].remedy, "'qm set 101 --hostpci1 " SWITCH));
	assert_false(is_stopped(machine));
	/* once */
	assert_int_equal(check_opener(&machine->start, &machine->findings, &machine->err), 0);
	assert_findings(machine, LEFT ".\n");
	/* somebody else who has it open is a reason of its own */
	tree_process(&machine->tree, 951, "app", 0);
	tree_process_opens(&machine->tree, 951, 3, "/dev/nvidiactl");
	assert_found(machine, check_opener, "hostpci0: 18:00.0\n",
		     "node-in-use " SXM ": process 951 (app) has /dev/nvidiactl open.\n");
	/* decided */
	tree_file(&machine->tree, "etc/pve/pve-vfio/101.json",
		  "{\"stop_units\": [\"" FABRIC_MANAGER_UNIT "\"]}\n");
	assert_found(machine, check_nvswitch, "hostpci0: 18:00.0\n", "");
	assert_true(is_stopped(machine));
}

/* A GPU that the host's driver does not have: as it should be, unless the mode says otherwise. */
static void test_held_from_boot(void **state)
{
	struct machine *machine = *state;
	const struct tree *tree = &machine->tree;

	tree_remove(tree, "sys/devices/pci0000:00/" SXM "/driver");
	tree_bind(tree, SXM, "vfio-pci");
	assert_found(machine, check_nvswitch, "hostpci0: 18:00.0\n", "");
	tree_file(tree, FABRIC_MANAGER_PATH, "# FABRIC_MODE=0\nFABRIC_MODE=1\n");
	assert_found(machine, check_nvswitch, "hostpci0: 18:00.0\n", "");
	tree_file(tree, FABRIC_MANAGER_PATH, "FABRIC_MODE=0\n");
	assert_found(machine, check_nvswitch, "hostpci0: 18:00.0\n", LEFT " with FABRIC_MODE=0.\n");
	assert_int_equal(machine->findings.items[0].level, LEVEL_WARNING);
	/* without the fabric manager nobody sets the switches up */
	tree_remove(tree, "sys/fs/cgroup/system.slice");
	assert_found(machine, check_nvswitch, "hostpci0: 18:00.0\n", "");
}

/* A card with outputs has no switch. */
static void test_other_cards(void **state)
{
	assert_found(*state, check_nvswitch, "hostpci0: 01:00.0\n", "");
	assert_found(*state, check_nvswitch, "hostpci0: 06:00.0\n", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fabric_test(test_whole_board),
		fabric_test(test_switches_left),
		fabric_test(test_held_from_boot),
		fabric_test(test_other_cards),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
