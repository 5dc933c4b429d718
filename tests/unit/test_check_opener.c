/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Processes that hold nodes of the devices, and the hint at a VFIO driver made for one. */
#include "start.h"

#define SETTINGS "etc/pve/pve-vfio/101.json"

static const char line[] = "hostpci0: 01:00.0\n";

/* Nodes of the GPU and its audio. */
static void build(const struct tree *tree)
{
	tree_file(tree, "sys/devices/pci0000:00/" GPU "/drm/card0/uevent", "DEVNAME=dri/card0\n");
	tree_link(tree, "sys/class/drm/card0", "../../devices/pci0000:00/" GPU "/drm/card0");
	tree_file(tree, "sys/devices/pci0000:00/" AUDIO "/sound/card0/controlC0/uevent",
		  "DEVNAME=snd/controlC0\n");
	tree_link(tree, "sys/class/sound/controlC0",
		  "../../devices/pci0000:00/" AUDIO "/sound/card0/controlC0");
}

/* Who it is, by all that helps to find it. */
static void test_in_use(void **state)
{
	struct machine *machine = *state;
	const struct tree *tree = &machine->tree;

	build(tree);
	assert_found(machine, check_opener, line, "");
	tree_member_opens(tree, 10, "Xorg", "0::/system.slice/lightdm.service", "/dev/dri/card0");
	assert_found(machine, check_opener, line,
		     "node-in-use 0000:01:00.0: process 10 (Xorg) of lightdm.service has "
		     "/dev/dri/card0 open.\n");
	assert_int_equal(check_describe(machine->findings.items[0].id)->level, LEVEL_ERROR);
	/* all of them in one finding, also those of a device that only comes along */
	tree_member_opens(tree, 11, "pipewire\033[2J",
			  "0::/user.slice/user-0.slice/user@0.service/x.service",
			  "/dev/snd/controlC0");
	tree_member_opens(tree, 12, "cat", "0::/", "/dev/dri/card0");
	tree_member_opens(tree, 13, "cat", "0::/", "/dev/dri/card1");
	assert_found(machine, check_opener, line,
		     "node-in-use 0000:01:00.0: process 10 (Xorg) of lightdm.service has "
		     "/dev/dri/card0 open; process 11 (pipewire?[2J) of user@0.service has "
		     "/dev/snd/controlC0 open; process 12 (cat) has /dev/dri/card0 open.\n");
	assert_found(machine, check_opener, "hostpci0: 02:00.0\n", "");
	assert_found(machine, check_opener, "memory: 512\n", "");
}

/* A service that is stopped for the start lets go of them. */
static void test_service_is_stopped(void **state)
{
	struct machine *machine = *state;
	const struct tree *tree = &machine->tree;

	build(tree);
	tree_member_opens(tree, 10, "Xorg", "0::/system.slice/lightdm.service", "/dev/dri/card0");
	tree_member_opens(tree, 11, "cat", "0::/", "/dev/dri/card0");
	tree_folder(tree, "sys/fs/cgroup/system.slice/lightdm.service");
	tree_file(tree, SETTINGS, "{\"stop_units\": [\"lightdm.service\"]}");
	assert_found(machine, check_opener, line,
		     "node-in-use 0000:01:00.0: process 11 (cat) has /dev/dri/card0 open.\n");
	tree_remove(tree, "proc/11");
	assert_found(machine, check_opener, line, "");
	tree_file(tree, SETTINGS, "{\"stop_units\": [\"gdm.service\"]}");
	assert_found(machine, check_opener, line,
		     "node-in-use 0000:01:00.0: process 10 (Xorg) of lightdm.service has "
		     "/dev/dri/card0 open.\n");
	/* what is not active is not stopped either, so it cannot be its process */
	tree_file(tree, SETTINGS, "{\"stop_units\": [\"lightdm.service\"]}");
	tree_remove(tree, "sys/fs/cgroup/system.slice/lightdm.service");
	assert_found(machine, check_opener, line,
		     "node-in-use 0000:01:00.0: process 10 (Xorg) of lightdm.service has "
		     "/dev/dri/card0 open.\n");
}

/* The start is refused then, too. */
static void test_cannot_tell(void **state)
{
	struct machine *machine = *state;
	const struct tree *tree = &machine->tree;

	build(tree);
	tree_file(tree, "proc/4711/fd", "%s", "");
	assert_found(machine, check_opener, line,
		     "node-in-use 0000:01:00.0: It cannot be determined who uses its device nodes: "
		     "cannot read which files the processes have open: Not a directory.\n");
	/* nobody has a node of what has none */
	assert_found(machine, check_opener, "hostpci0: 02:00.0\n", "");
}

#define FOUND "variant-driver 0000:02:00.0: The kernel has 'mlx5_vfio_pci' for it; it is given to "

static void test_variant(void **state)
{
	static const char nic[] = "hostpci0: 02:00.0\n";
	static const char keep[] = "hostpci0: 02:00.0,driver=keep\n";
	struct machine *machine = *state;
	const struct tree *tree = &machine->tree;

	tree_file(tree, "proc/sys/kernel/osrelease", "6.8.12-9-pve\n");
	tree_attribute(tree, NIC, "modalias", "pci:v000015B3d0000101Esv0sd0bc02sc00i00");
	tree_file(tree, "lib/modules/6.8.12-9-pve/modules.alias",
		  "alias vfio_pci:v*d*sv*sd*bc*sc*i* vfio_pci\n");
	assert_found(machine, check_variant, nic, "");
	tree_file(tree, "lib/modules/6.8.12-9-pve/modules.alias",
		  "alias vfio_pci:v000015B3d0000101Esv*sd*bc*sc*i* mlx5_vfio_pci\n");
	assert_found(machine, check_variant, nic, FOUND "'vfio-pci'.\n");
	assert_int_equal(check_describe(machine->findings.items[0].id)->level, LEVEL_INFO);
	/* with PVE out of the way and the settings to say so it is given to that driver */
	tree_file(tree, SETTINGS, "{\"driver\": \"auto\"}");
	assert_found(machine, check_variant, nic, FOUND "'vfio-pci'.\n");
	assert_found(machine, check_variant, keep, "");
	tree_file(tree, SETTINGS, "{\"driver\": \"other_vfio_pci\"}");
	assert_found(machine, check_variant, keep, FOUND "'other_vfio_pci'.\n");
	/* a device that only comes along is not the VM's to migrate */
	tree_attribute(tree, AUDIO, "modalias", "pci:v000015B3d0000101Esv0sd0bc02sc00i00");
	assert_found(machine, check_variant, line, "");
	/* what cannot be determined is no hint */
	tree_remove(tree, "lib/modules/6.8.12-9-pve/modules.alias");
	tree_folder(tree, "lib/modules/6.8.12-9-pve/modules.alias");
	tree_file(tree, SETTINGS, "{}");
	assert_found(machine, check_variant, nic, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		machine_test(test_in_use),
		machine_test(test_service_is_stopped),
		machine_test(test_cannot_tell),
		machine_test(test_variant),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
