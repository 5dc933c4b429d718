/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: check/device.c: each of its checks found in one situation and absent in another. */
#include "start.h"

static void test_nothing(void **state)
{
	assert_found(*state, check_device, "hostpci0: 01:00\nhostpci1: 02:00.0\n", "");
}

static void test_bridge(void **state)
{
	assert_found(*state, check_device, "hostpci0: 00:01.0\n",
		     "device-bridge 0000:00:01.0: hostpci0 asks for it, and it is a PCI bridge "
		     "(class 060400).\n");
	/* one that only is in the group is left where it is */
	assert_found(*state, check_device, "hostpci0: 01:00\n", "");
}

static void test_iommu_off(void **state)
{
	struct machine *machine = *state;

	tree_add_device(&machine->tree,
			&(struct tree_device){ "0000:03:00.0", .driver = "e1000e" });
	assert_found(machine, check_device, "hostpci0: 03:00.0\n",
		     "iommu-off 0000:03:00.0: It is in no IOMMU group "
		     "(/sys/bus/pci/devices/0000:03:00.0/iommu_group is missing).\n");
	assert_found(machine, check_device, "hostpci0: 03:00.0,driver=keep\n", "");
	/* once for all of them */
	tree_add_device(&machine->tree,
			&(struct tree_device){ "0000:04:00.0", .driver = "e1000e" });
	assert_found(machine, check_device, "hostpci0: 03:00.0\nhostpci1: 04:00.0\n",
		     "iommu-off 0000:03:00.0: It is in no IOMMU group "
		     "(/sys/bus/pci/devices/0000:03:00.0/iommu_group is missing); the same goes "
		     "for 0000:04:00.0.\n");
}

/* What doctor would say first: whether it is the firmware, the kernel or a machine that is a VM. */
static void test_iommu_off_advice(void **state)
{
	static const struct {
		const char *cpuinfo, *table, *advice;
	} rows[] = {
		{ "vendor_id\t: GenuineIntel\nflags\t\t: vmx\n", NULL, "Switch VT-d on in the" },
		{ "vendor_id\t: GenuineIntel\nflags\t\t: vmx hypervisor\n", NULL,
		  "This node is a VM itself" },
		{ "vendor_id\t: GenuineIntel\nflags\t\t: vmx\n", "DMAR",
		  "VT-d is on in the firmware, so it is the kernel" },
		{ "vendor_id\t: AuthenticAMD\nflags\t\t: svm\n", NULL,
		  "Switch AMD-Vi or IOMMU on" },
		{ "vendor_id\t: AuthenticAMD\nflags\t\t: svm\n", "IVRS",
		  "AMD-Vi is on in the firmware, so it is the kernel" },
		{ "CPU implementer\t: 0x41\n", NULL, "On an ARM board" },
	};
	struct machine *machine = *state;

	tree_add_device(&machine->tree,
			&(struct tree_device){ "0000:03:00.0", .driver = "e1000e" });
	tree_remove(&machine->tree, "sys/kernel/iommu_groups");
	for (size_t i = 0; i < COUNT(rows); i++) {
		char path[PATH_MAX];

		tree_file(&machine->tree, "proc/cpuinfo", "%s", rows[i].cpuinfo);
		tree_format(path, "sys/firmware/acpi/tables/%s",
			    rows[i].table ? rows[i].table : "");
		if (rows[i].table)
			tree_file(&machine->tree, path, "table");
		machine_prepare(machine, "hostpci0: 03:00.0\n");
		assert_int_equal(check_device(&machine->start, &machine->findings, &machine->err),
				 0);
		assert_int_equal(machine->findings.count, 1);
		assert_row(rows[i].advice,
			   strstr(finding_remedy(&machine->findings.items[0]), rows[i].advice));
		findings_done(&machine->findings);
		if (rows[i].table)
			tree_remove(&machine->tree, path);
	}
}

/* What reads the override in plan_make() did not come back. */
static void test_stuck(void **state)
{
	struct machine *machine = *state;

	machine_prepare(machine, "hostpci0: 02:00.0\n");
	machine->start.plan.devices[0].stuck = true;
	assert_int_equal(check_device(&machine->start, &machine->findings, &machine->err), 0);
	assert_findings(machine, "device-stuck 0000:02:00.0: Its driver_override cannot be read in "
				 "time; its driver is e1000e.\n");
	findings_done(&machine->findings);
	free(machine->start.plan.devices[0].device.driver);
	machine->start.plan.devices[0].device.driver = NULL;
	assert_int_equal(check_device(&machine->start, &machine->findings, &machine->err), 0);
	assert_findings(machine, "device-stuck 0000:02:00.0: Its driver_override cannot be read in "
				 "time.\n");
}

static void test_siblings(void **state)
{
	struct machine *machine = *state;

	assert_found(machine, check_device, "hostpci0: 01:00.0\n", "");
	tree_file(&machine->tree, "etc/pve/pve-vfio/101.json", "{\"siblings\": \"refuse\"}\n");
	assert_found(machine, check_device, "hostpci0: 01:00.0\n",
		     "group-siblings 0000:01:00.1: It is in IOMMU group 14 with a device the VM "
		     "wants.\n");
	assert_found(machine, check_device, "hostpci0: 01:00\n", "");
}

/* A card in a Thunderbolt case, once for all its functions. */
static void test_removable(void **state)
{
	struct machine *machine = *state;
	static const char sentence[] =
		"device-removable 0000:3e:00.0: It is on an external port, such "
		"as Thunderbolt or USB4.\n";

	for (unsigned function = 0; function < 2; function++) {
		char name[PCI_ADDRESS_TEXT];

		snprintf(name, sizeof(name), "0000:3e:00.%u", function);
		tree_add_device(&machine->tree, &(struct tree_device){ name, .group = 20 });
		tree_attribute(&machine->tree, name, "removable", "fixed");
	}
	assert_found(machine, check_device, "hostpci0: 3e:00\n", "");
	tree_attribute(&machine->tree, "0000:3e:00.0", "removable", "removable");
	tree_attribute(&machine->tree, "0000:3e:00.1", "removable", "removable");
	assert_found(machine, check_device, "hostpci0: 3e:00\n", sentence);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		machine_test(test_nothing),   machine_test(test_bridge),
		machine_test(test_iommu_off), machine_test(test_iommu_off_advice),
		machine_test(test_stuck),     machine_test(test_siblings),
		machine_test(test_removable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
