/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: check/vgpu.c, with use/mdev.c and pve/vgpu.c under it. */
#include "start.h"

#include "use/mdev.h"

#define SHARED "0000:00:02.0"
#define OTHER  "0000:03:00.0"
#define VF     "0000:81:00.4"
#define TYPES  "mdev_supported_types/"
#define SMALL  "i915-GVTg_V5_8"

static void set_left(const struct tree *tree, const char *address, const char *type,
		     const char *count)
{
	cleanup_free char *name = text_format(TYPES "%s/available_instances", type);

	tree_attribute(tree, address, name, count);
}

/* A mediated device of SHARED. */
static void make_instance(const struct tree *tree, const char *uuid, const char *type)
{
	cleanup_free char *link = text_format("sys/bus/mdev/devices/%s", uuid);
	cleanup_free char *target = text_format("../../../devices/pci0000:00/" SHARED "/%s", uuid);
	cleanup_free char *folder = text_format("sys/devices/pci0000:00/" SHARED "/%s", uuid);
	cleanup_free char *type_link = text_format("%s/mdev_type", folder);
	cleanup_free char *type_target = text_format("../mdev_supported_types/%s", type);

	tree_folder(tree, folder);
	tree_link(tree, link, target);
	tree_link(tree, type_link, type_target);
}

static int setup(void **state)
{
	int r = machine_setup(state);
	const struct machine *machine = *state;
	const struct tree *tree = &machine->tree;

	if (r < 0)
		return r;
	tree_add_device(tree, &(struct tree_device){ SHARED, 0x8086, 0x5912, 0x030000,
						     .driver = "i915", .group = 1 });
	tree_add_device(tree, &(struct tree_device){ OTHER, 0x8086, 0x5912, 0x030000,
						     .driver = "i915", .group = 3 });
	tree_add_device(tree, &(struct tree_device){ VF, 0x10de, 0x2235, 0x030200,
						     .driver = "nvidia", .group = 40 });
	set_left(tree, SHARED, SMALL, "1");
	set_left(tree, OTHER, SMALL, "1");
	tree_attribute(tree, VF, "nvidia/creatable_vgpu_types",
		       "ID    : vGPU Name\n558   : NVIDIA A40-1Q\n");
	tree_attribute(tree, VF, "nvidia/current_vgpu_type", "0");
	return 0;
}

#define vgpu_test(function) cmocka_unit_test_setup_teardown(function, setup, machine_teardown)

static void test_types(void **state)
{
	struct machine *machine = *state;

	assert_found(machine, check_vgpu, "hostpci0: 00:02.0,mdev=" SMALL "\n", "");
	assert_found(machine, check_vgpu, "hostpci0: 00:02.0\n", "");
	assert_found(machine, check_vgpu, "hostpci0: 00:02.0,mdev=i915-GVTg_V5_2\n",
		     "vgpu-type hostpci0: " SHARED " has no type 'i915-GVTg_V5_2'; it has: " SMALL
		     ".\n");
	assert_found(machine, check_vgpu, "hostpci3: 02:00.0,mdev=x\n",
		     "vgpu-type hostpci3: " NIC " offers no mediated devices with the driver it "
		     "has.\n");
	tree_file(&machine->tree, "var/lib/dpkg/status",
		  "Package: qemu-server\nStatus: install ok installed\nVersion: 8.2.4\n\n");
	assert_found(machine, check_vgpu, "hostpci0: 81:00.4,mdev=nvidia-558\n",
		     "vgpu-type hostpci0: " VF " offers no mediated devices with the driver it "
		     "has.\n");
	assert_non_null(strstr(finding_remedy(&machine->findings.items[0]), "qemu-server 8.2.5"));
	tree_remove(&machine->tree, "var/lib/dpkg/status");
	/* only a name such as nvidia-558 goes NVIDIA's way: parse_hostpci() in PCI.pm */
	assert_found(machine, check_vgpu, "hostpci0: 81:00.4,mdev=other\n",
		     "vgpu-type hostpci0: " VF " offers no mediated devices with the driver it "
		     "has.\n");
}

static void test_full(void **state)
{
	struct machine *machine = *state;
	const struct tree *tree = &machine->tree;

	assert_found(machine, check_vgpu,
		     "hostpci0: 00:02.0,mdev=" SMALL "\nhostpci1: 00:02.0,mdev=" SMALL "\n",
		     "vgpu-none-left hostpci1: " SHARED " has no '" SMALL "' left.\n");
	/* in order of the keys as strings, as Proxmox VE prepares them */
	assert_found(machine, check_vgpu,
		     "hostpci2: 00:02.0,mdev=" SMALL "\nhostpci10: 00:02.0,mdev=" SMALL "\n",
		     "vgpu-none-left hostpci2: " SHARED " has no '" SMALL "' left.\n");
	set_left(tree, SHARED, SMALL, "0");
	make_instance(tree, "00000001-0000-0000-0000-000000000102", SMALL);
	make_instance(tree, "c0ffee00-0000-4000-8000-000000000001", SMALL);
	tree_process(tree, 4711, "kvm", 102);
	assert_found(machine, check_vgpu, "hostpci0: 00:02.0,mdev=" SMALL "\n",
		     "vgpu-none-left hostpci0: " SHARED " has no '" SMALL "' left: VM 102, which "
		     "runs, has 00000001-0000-0000-0000-000000000102 (" SMALL
		     "); somebody has made "
		     "c0ffee00-0000-4000-8000-000000000001 (" SMALL ").\n");
	assert_string_equal(finding_remedy(&machine->findings.items[0]),
			    "Shut VM 102 down first ('qm shutdown 102'), or choose another type: "
			    "'pve-vfio devices' lists what is left.");
	make_instance(tree, "00000000-0000-0000-0000-000000000103", SMALL);
	assert_found(machine, check_vgpu, "hostpci0: 00:02.0,mdev=" SMALL "\n",
		     "vgpu-none-left hostpci0: " SHARED " has no '" SMALL "' left: VM 103, which "
		     "does not run, has 00000000-0000-0000-0000-000000000103 (" SMALL "); VM 102, "
		     "which runs, has 00000001-0000-0000-0000-000000000102 (" SMALL
		     "); somebody has "
		     "made c0ffee00-0000-4000-8000-000000000001 (" SMALL ").\n");
	assert_string_equal(finding_remedy(&machine->findings.items[0]),
			    "Remove what VM 103 has left: 'echo 1 > "
			    "/sys/bus/mdev/devices/00000000-0000-0000-0000-000000000103/remove'.");
}

/* pci_create_mdev_device() in Mdev.pm: it takes one that is there, if it is of the type. */
static void test_own(void **state)
{
	struct machine *machine = *state;
	const struct tree *tree = &machine->tree;

	set_left(tree, SHARED, "i915-GVTg_V5_4", "0");
	set_left(tree, SHARED, SMALL, "0");
	make_instance(tree, "00000000-0000-0000-0000-000000000101", SMALL);
	assert_found(machine, check_vgpu, "hostpci0: 00:02.0,mdev=" SMALL "\n",
		     "vgpu-left hostpci0: An earlier run of VM 101 has left its mediated device "
		     "00000000-0000-0000-0000-000000000101 (" SMALL
		     "). Proxmox VE uses it again.\n");
	assert_int_equal(machine->findings.items[0].level, LEVEL_WARNING);
	assert_found(machine, check_vgpu, "hostpci0: 00:02.0,mdev=i915-GVTg_V5_4\n",
		     "vgpu-left hostpci0: An earlier run of VM 101 has left its mediated device "
		     "00000000-0000-0000-0000-000000000101 (" SMALL "). Proxmox VE does not start "
		     "the VM with one of another type.\n");
	assert_int_equal(machine->findings.items[0].level, LEVEL_ERROR);
	/* it is another line's */
	assert_found(machine, check_vgpu, "hostpci1: 00:02.0,mdev=" SMALL "\n",
		     "vgpu-none-left hostpci1: " SHARED " has no '" SMALL "' left.\n");
	/* it runs: that is no leftover */
	tree_process(tree, 4711, "kvm", 101);
	assert_found(machine, check_vgpu, "hostpci0: 00:02.0,mdev=" SMALL "\n", "");
}

static void test_bound(void **state)
{
	struct machine *machine = *state;
	const struct tree *tree = &machine->tree;

	assert_found(machine, check_vgpu, "hostpci0: 00:02.0\nhostpci1: 00:02.0,mdev=" SMALL "\n",
		     "vgpu-bound hostpci1: It asks for a mediated device of " SHARED
		     ", and hostpci0 gives " SHARED " to vfio-pci: that ends its mediated "
		     "devices.\n");
	/* in the group of a plain one */
	set_left(tree, AUDIO, "x", "1");
	assert_found(machine, check_vgpu, "hostpci0: 01:00.0\nhostpci1: 01:00.1,mdev=x\n",
		     "vgpu-bound hostpci1: It asks for a mediated device of " AUDIO
		     ", and group 14 gives " AUDIO " to vfio-pci: that ends its mediated "
		     "devices.\n");
	/* the physical function */
	tree_link(tree, "sys/bus/pci/devices/" VF "/physfn", "../" NIC);
	assert_found(machine, check_vgpu, "hostpci0: 02:00.0\nhostpci1: 81:00.4,mdev=nvidia-558\n",
		     "vgpu-bound hostpci1: It asks for a mediated device of " VF
		     ", and hostpci0 gives " NIC " to vfio-pci: that ends its mediated devices.\n");
}

/* Of several alternatives Proxmox VE takes the first that lets it. */
static void test_alternatives(void **state)
{
	struct machine *machine = *state;
	const struct tree *tree = &machine->tree;

	tree_file(tree, "etc/pve/mapping/pci.cfg",
		  "igpu\n"
		  "\tmap id=8086:5912,iommugroup=1,node=pve1,path=" SHARED
		  ",subsystem-id=0000:0000\n"
		  "\tmap id=8086:5912,iommugroup=3,node=pve1,path=" OTHER
		  ",subsystem-id=0000:0000\n"
		  "\tmdev 1\n");
	tree_attribute(tree, SHARED, "subsystem_vendor", "0x0000");
	tree_attribute(tree, SHARED, "subsystem_device", "0x0000");
	tree_attribute(tree, OTHER, "subsystem_vendor", "0x0000");
	tree_attribute(tree, OTHER, "subsystem_device", "0x0000");
	assert_found(machine, check_vgpu,
		     "hostpci0: mapping=igpu,mdev=" SMALL "\nhostpci1: mapping=igpu,mdev=" SMALL
		     "\n",
		     "");
	/* one is bound by a plain line, the other is free */
	assert_found(machine, check_vgpu,
		     "hostpci0: 00:02.0\nhostpci1: mapping=igpu,mdev=" SMALL "\n", "");
	set_left(tree, OTHER, SMALL, "0");
	/* the nearest reason is told */
	assert_found(machine, check_vgpu,
		     "hostpci0: 00:02.0\nhostpci1: mapping=igpu,mdev=" SMALL "\n",
		     "vgpu-none-left hostpci1: " OTHER " has no '" SMALL "' left.\n");
}

static void test_nvidia(void **state)
{
	struct machine *machine = *state;
	const struct tree *tree = &machine->tree;

	assert_found(machine, check_vgpu, "hostpci0: 81:00.4,mdev=nvidia-558\n", "");
	assert_found(
		machine, check_vgpu, "hostpci0: 81:00.4,mdev=nvidia-559\n",
		"vgpu-none-left hostpci0: " VF
		" has no 'nvidia-559' left (read from nvidia/creatable_vgpu_types; Proxmox VE asks NVML).\n");
	/* it has a type: Proxmox VE takes that away first, and what is left then nobody tells */
	tree_attribute(tree, VF, "nvidia/current_vgpu_type", "558");
	assert_found(machine, check_vgpu, "hostpci0: 81:00.4,mdev=nvidia-559\n", "");
}

/* prepare_pci_device() does nothing then, and QEMU's sysfsdev= is that of the UUID all the same. */
static void test_kept(void **state)
{
	struct machine *machine = *state;

	assert_found(
		machine, check_vgpu, "hostpci0: 00:02.0,mdev=" SMALL ",driver=keep\n",
		"vgpu-type hostpci0: With driver=keep Proxmox VE makes no mediated device, and "
		"QEMU wants 00000000-0000-0000-0000-000000000101, which is not there.\n");
	make_instance(&machine->tree, "00000000-0000-0000-0000-000000000101", SMALL);
	assert_found(machine, check_vgpu, "hostpci0: 00:02.0,mdev=" SMALL ",driver=keep\n", "");
}

static void test_uuid(void **state)
{
	static const char *const others[] = {
		"",
		"00000000-0000-0000-0000-000000000000",
		"00000000-0000-0000-0000-00000000010",
		"00000000-0000-0000-0000-00000000010a",
		"0000000a-0000-0000-0000-000000000101",
		"00000000-0000-0000-0001-000000000101",
	};
	uint32_t vmid = 0, index = 0;

	(void)state;
	assert_true(mdev_uuid_parse("00000012-0000-0000-0000-000000000101", &vmid, &index));
	assert_int_equal(vmid, 101);
	assert_int_equal(index, 12);
	for (size_t i = 0; i < COUNT(others); i++)
		assert_row(others[i], !mdev_uuid_parse(others[i], &vmid, &index));
	assert_null(mdev_nvidia_number("nvidia-"));
	assert_null(mdev_nvidia_number("nvidia-5a"));
	assert_string_equal(mdev_nvidia_number("nvidia-558"), "558");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		vgpu_test(test_types), vgpu_test(test_full),	     vgpu_test(test_own),
		vgpu_test(test_bound), vgpu_test(test_alternatives), vgpu_test(test_nvidia),
		vgpu_test(test_kept),  cmocka_unit_test(test_uuid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
