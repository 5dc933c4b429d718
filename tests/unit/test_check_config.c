/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: check/config.c: each of its checks found in one situation and absent in another. */
#include "start.h"

#define PATH "/etc/pve/qemu-server/101.conf"

struct row {
	const char *config, *lines;
};

static void assert_rows(void **state, const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		assert_found(*state, check_config, rows[i].config, rows[i].lines);
}

static void test_lines(void **state)
{
	static const struct row rows[] = {
		{ "hostpci0: 01:00\nhostpci1: 02:00.0,rombar=0,x-vga=1\n", "" },
		{ "agent: 1\n", "" },
		{ "hostpci0: 02:00.0\nhostpci1: 01:00 # GPU\n",
		  "config-line-dropped " PATH ", line 2: Proxmox VE ignores 'hostpci1: 01:00 # "
		  "GPU' and starts the VM without that device: '01:00 # GPU' is not a PCI address "
		  "as Proxmox VE reads it: lower-case [domain:]bus:device[.function], several "
		  "joined by ';'.\n" },
		{ "hostpci16: 01:00\n",
		  "config-line-dropped " PATH ", line 1: Proxmox VE ignores 'hostpci16: 01:00' and "
		  "starts the VM without that device: there are only hostpci0 to hostpci15.\n" },
		{ "hostpci2: 02:00.0,future=1\n",
		  "config-unknown-key hostpci2: The key 'future' (" PATH ", line 1) is not known "
		  "to this version of pve-vfio. If Proxmox VE does not know it either, it starts "
		  "the VM without this device.\n" },
		{ "hostpci0: pcie=0\n",
		  "config-device-missing hostpci0: The line has neither 'host' nor 'mapping', or "
		  "both (" PATH ", line 1).\n" },
		{ "hostpci0: 01:00.0\nhostpci1: 01:00.0\n",
		  "config-device-twice hostpci1: 0000:01:00.0 is assigned more than once (" PATH
		  ", line 2).\n" },
		{ "hostpci0: 05:00\n",
		  "device-absent hostpci0: There is no PCI device '05:00' (" PATH ", line 1).\n" },
		{ "hostpci0: 01:00,mdev=nvidia-35\n",
		  "config-mdev-many hostpci0: mdev is asked of several functions (" PATH
		  ", line 1).\n" },
		{ "hostpci0: 02:00.0,mdev=nvidia-35\n", "" },
	};

	assert_rows(state, rows, COUNT(rows));
}

static void test_q35(void **state)
{
	static const struct row rows[] = {
		{ "machine: q35\nhostpci0: 02:00.0,pcie=1\n", "" },
		{ "machine: pc-q35-8.1\nhostpci0: 02:00.0,pcie=1\n", "" },
		{ "hostpci0: 02:00.0\n", "" },
		{ "hostpci0: 02:00.0,pcie=1\n",
		  "config-needs-q35 hostpci0: The line has pcie=1, and the machine type is "
		  "'i440fx'.\n" },
		{ "machine: pc-i440fx-8.1\nhostpci0: 02:00.0,pcie=1\n",
		  "config-needs-q35 hostpci0: The line has pcie=1, and the machine type is "
		  "'pc-i440fx-8.1'.\n" },
		/* a template starts without its devices */
		{ "template: 1\nhostpci0: 02:00.0,pcie=1\n", "" },
	};

	assert_rows(state, rows, COUNT(rows));
}

#define IGD(why) "config-legacy-igd hostpci0: legacy-igd=1 is not possible: " why ".\n"

static void test_legacy_igd(void **state)
{
	static const struct row rows[] = {
		{ "vga: none\nhostpci0: 00:02.0,legacy-igd=1\n", "" },
		{ "vga: none\nhostpci0: 00:02.0,legacy-igd=0,x-vga=1\n", "" },
		{ "hostpci0: 00:02.0,legacy-igd=1\n", IGD("vga is not 'none'") },
		{ "vga: std\nhostpci0: 00:02.0,legacy-igd=1\n", IGD("vga is not 'none'") },
		{ "vga: none\nhostpci0: 00:02.0,legacy-igd=1,x-vga=1\n",
		  IGD("it goes with x-vga on the same line") },
		{ "vga: none\nhostpci0: 00:02.0,legacy-igd=1,mdev=x\n",
		  IGD("it goes with mdev on the same line") },
		{ "vga: none\nhostpci0: 00:02.0,legacy-igd=1,rombar=0\n",
		  IGD("it goes with rombar=0 on the same line") },
		{ "vga: none\nmachine: q35\nhostpci0: 00:02.0,legacy-igd=1\n",
		  IGD("the machine type is q35") },
		{ "vga: none\nhostpci0: 01:00,legacy-igd=1\n",
		  IGD("the line means more than one device") },
		{ "vga: none\nhostpci0: 02:00.0,legacy-igd=1\n",
		  IGD("the device's address does not end in 02.0") },
		{ "vga: none\nhostpci0: 00:02.0,legacy-igd=1\nhostpci1: 02:00.0,legacy-igd=1\n",
		  "config-legacy-igd hostpci1: legacy-igd=1 is not possible: another line has it "
		  "too.\n" },
	};

	tree_add_device(&((struct machine *)*state)->tree,
			&(struct tree_device){ "0000:00:02.0", 0x8086, 0x3e98, 0x030000,
					       .driver = "i915", .group = 1 });
	assert_rows(state, rows, COUNT(rows));
}

static void test_args(void **state)
{
	static const struct row rows[] = {
		{ "args: -cpu host\n", "" },
		{ "hostpci0: 01:00\nargs: -device vfio-pci,host=02:00.0\n", "" },
		{ "args: -device vfio-pci,host=02:00.0\n",
		  "args-timeout args: All devices of VM 101 are in 'args', where Proxmox VE does not "
		  "see them: it gives the start no extra time, which pinning the memory may need.\n" },
	};
	struct machine *machine = *state;

	assert_rows(state, rows, COUNT(rows));
	machine_prepare(machine, "hostpci0: 01:00\nargs: -device 'vfio-pci,host=02:00.0\n");
	assert_int_equal(check_config(&machine->start, &machine->findings, &machine->err), 0);
	assert_int_equal(machine->findings.count, 1);
	assert_int_equal(machine->findings.items[0].id, CHECK_ARGS_VANISH);
	assert_string_equal(machine->findings.items[0].subject, "args");
	machine_prepare(machine, "hostpci0: 01:00\nargs: -device vfio-pci,fd=7\n");
	assert_int_equal(check_config(&machine->start, &machine->findings, &machine->err), 0);
	assert_int_equal(machine->findings.count, 1);
	assert_int_equal(machine->findings.items[0].id, CHECK_ARGS_UNCLEAR);
	assert_filled_in(finding_remedy(&machine->findings.items[0]));
	assert_string_equal(machine->findings.items[0].subject, "args");
}

static void test_mappings(void **state)
{
	static const struct row rows[] = {
		{ "hostpci0: mapping=nic\n", "" },
		{ "hostpci0: mapping=nosuch\n",
		  "mapping-missing hostpci0: There is no resource mapping 'nosuch' with a device "
		  "on this node (" PATH ", line 1).\n" },
		{ "hostpci0: mapping=elsewhere\n",
		  "mapping-missing hostpci0: There is no resource mapping 'elsewhere' with a "
		  "device on this node (" PATH ", line 1).\n" },
		{ "hostpci0: mapping=wrong\n",
		  "mapping-wrong hostpci0: The resource mapping does not fit: 'id' does not match "
		  "for 'wrong' (8086:10d3 != 10de:0001) (" PATH ", line 1).\n" },
	};
	struct machine *machine = *state;
	const struct tree *tree = &machine->tree;

	tree_attribute(tree, NIC, "subsystem_vendor", "0x8086");
	tree_attribute(tree, NIC, "subsystem_device", "0x0001");
#define NIC_IS(id, node)                                                                           \
	"\tmap id=" id ",iommugroup=15,node=" node ",path=" NIC ",subsystem-id=8086:0001\n\n"
	tree_file(tree, "etc/pve/mapping/pci.cfg",
		  "nic\n" NIC_IS("8086:10d3",
				 "pve1") "elsewhere\n" NIC_IS("8086:10d3",
							      "pve2") "wrong\n" NIC_IS("10de:0001",
										       "pve1"));
	assert_rows(state, rows, COUNT(rows));

	tree_file(tree, "etc/pve/mapping/pci.cfg",
		  "nic\n\tmap nonsense\n" NIC_IS("8086:10d3", "pve1"));
	machine_prepare(machine, "hostpci0: 02:00.0\n");
	assert_int_equal(check_config(&machine->start, &machine->findings, &machine->err), 0);
	assert_int_equal(machine->findings.count, 1);
	assert_int_equal(machine->findings.items[0].id, CHECK_MAPPING_LINE_DROPPED);
	assert_string_equal(machine->findings.items[0].subject, "/etc/pve/mapping/pci.cfg, line 2");
}

/* Two alternatives, and other VMs have both. */
static void test_mapping_busy(void **state)
{
	static const char line[] = "hostpci0: mapping=both\n";
	struct machine *machine = *state;
	const struct tree *tree = &machine->tree;

	tree_attribute(tree, NIC, "subsystem_vendor", "0x8086");
	tree_attribute(tree, NIC, "subsystem_device", "0x0001");
	tree_add_device(tree,
			&(struct tree_device){ "0000:03:00.0", .driver = "e1000e", .group = 16 });
	tree_attribute(tree, "0000:03:00.0", "subsystem_vendor", "0x8086");
	tree_attribute(tree, "0000:03:00.0", "subsystem_device", "0x0001");
	tree_file(tree, "etc/pve/mapping/pci.cfg",
		  "both\n\tmap id=8086:10d3,iommugroup=15,node=pve1,path=" NIC
		  ",subsystem-id=8086:0001\n\tmap id=8086:10d3,iommugroup=16,node=pve1,path="
		  "0000:03:00.0,subsystem-id=8086:0001\n\n");
	assert_found(machine, check_config, line, "");
	machine_other_vm(machine, 102, JOURNAL_RUNNING, NIC, ACTION_DONE);
	assert_found(machine, check_config, line, "");
	assert_string_equal(machine->start.plan.devices[0].device.name, "0000:03:00.0");
	machine_other_vm(machine, 103, JOURNAL_RUNNING, "0000:03:00.0", ACTION_DONE);
	assert_found(
		machine, check_config, line,
		"mapping-busy hostpci0: No device of the resource mapping 'both' is free (" PATH
		", line 1).\n");
	assert_string_equal(finding_remedy(&machine->findings.items[0]),
			    "Shut a VM down that has one: 'qm shutdown 102' or 'qm shutdown 103', "
			    "or add a device of this node to the mapping 'both' (Datacenter, "
			    "Resource Mappings).");
}

/* From qemu-server 8.3.9 on Proxmox VE compares mdev; before that it starts the VM. */
static void test_mapping_mdev(void **state)
{
#define MDEV  "'mdev' does not match for 'nic' (0 != 1) (" PATH ", line 1).\n"
#define WRONG "mapping-wrong hostpci0: The resource mapping does not fit: "
	static const struct {
		const char *version, *id, *lines;
	} rows[] = {
		{ NULL, "8086:10d3", WRONG MDEV },
		{ "8.3.9", "8086:10d3", WRONG MDEV },
		{ "8.3.8", "8086:10d3",
		  "mapping-mdev hostpci0: The resource mapping does not fit, which this version of "
		  "Proxmox VE does not look at: " MDEV },
		/* what else is wrong is not hidden by it */
		{ "8.3.8", "8086:ffff",
		  WRONG "'id' does not match for 'nic' (8086:10d3 != 8086:ffff) (" PATH
			", line 1).\n" },
		{ "8.3.8", "8086:10d3,subsystem-id=8086:0002",
		  WRONG "'subsystem-id' does not match for 'nic' (8086:0001 != 8086:0002) (" PATH
			", line 1).\n" },
	};
	struct machine *machine = *state;
	const struct tree *tree = &machine->tree;

	tree_attribute(tree, NIC, "subsystem_vendor", "0x8086");
	tree_attribute(tree, NIC, "subsystem_device", "0x0001");
	for (size_t i = 0; i < COUNT(rows); i++) {
		tree_file(tree, "etc/pve/mapping/pci.cfg",
			  "nic\n\tmap iommugroup=15,node=pve1,path=" NIC ",id=%s%s\n\tmdev 1\n\n",
			  rows[i].id, strchr(rows[i].id, ',') ? "" : ",subsystem-id=8086:0001");
		if (rows[i].version)
			tree_file(tree, "var/lib/dpkg/status",
				  "Package: qemu-server\nStatus: install ok installed\nVersion: "
				  "%s\n",
				  rows[i].version);
		assert_found(machine, check_config, "hostpci0: mapping=nic\n", rows[i].lines);
		/* what PVE starts it with is taken */
		assert_int_equal(machine->start.plan.device_count,
				 text_starts_with(rows[i].lines, "mapping-mdev"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		machine_test(test_lines),	 machine_test(test_q35),
		machine_test(test_legacy_igd),	 machine_test(test_args),
		machine_test(test_mappings),	 machine_test(test_mapping_busy),
		machine_test(test_mapping_mdev),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
