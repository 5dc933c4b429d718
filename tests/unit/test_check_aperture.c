/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: check/aperture.c and check/suspended.c: found in one machine, absent in one close to it. */
#include "start.h"

#define OVMF "bios: ovmf\nmemory: 16384\nhostpci0: 02:00.0\n"

/* A card with a BAR of `mib` and a small one, both wide and prefetchable. */
static void set_bars(const struct tree *tree, uint64_t mib)
{
	tree_file(tree, "sys/devices/pci0000:00/" NIC "/resource",
		  "0x0000004000000000 0x%016jx 0x000000000014220c\n"
		  "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
		  "0x0000003000000000 0x0000003001ffffff 0x000000000014220c\n",
		  (uintmax_t)(UINT64_C(0x4000000000) + (mib << 20) - 1));
}

static void set_host_bits(const struct tree *tree, unsigned bits)
{
	tree_file(tree, "proc/cpuinfo",
		  "processor\t: 0\naddress sizes\t: %u bits physical, 48 bits virtual\n", bits);
}

static void test_plain_type(void **state)
{
	struct machine *machine = *state;

	set_host_bits(&machine->tree, 46);
	set_bars(&machine->tree, 32768);
	assert_found(
		machine, check_aperture, OVMF,
		"ovmf-window bios: The devices have 32800 MiB of large BARs, and OVMF's window "
		"for them is 32768 MiB, since the processor type hides the host's address "
		"width.\n");
	assert_string_equal(machine->findings.items[0].remedy,
			    "'qm set 101 --cpu host' lets OVMF make it larger.");
	assert_found(machine, check_aperture, "cpu: host\n" OVMF, "");
	assert_found(machine, check_aperture, "cpu: x86-64-v3,phys-bits=host\n" OVMF, "");
	assert_found(machine, check_aperture, "cpu: custom-mine\n" OVMF, "");
	assert_found(machine, check_aperture, "args: -cpu host\n" OVMF, "");
	/* SeaBIOS has another window, and a smaller BAR fits */
	assert_found(machine, check_aperture, "hostpci0: 02:00.0\n", "");
	set_bars(&machine->tree, 16384);
	assert_found(machine, check_aperture, OVMF, "");
}

static void test_host_type(void **state)
{
	struct machine *machine = *state;

	set_host_bits(&machine->tree, 39);
	set_bars(&machine->tree, 65536);
	assert_found(
		machine, check_aperture, "cpu: host\n" OVMF,
		"ovmf-window bios: The devices have 65568 MiB of large BARs, and OVMF's window "
		"for them is 65536 MiB.\n");
	assert_non_null(strstr(machine->findings.items[0].remedy,
			       "'qm set 101 --args \"-fw_cfg "
			       "name=opt/ovmf/X-PciMmio64Mb,string=131072\"'"));
	assert_found(
		machine, check_aperture, "args: -no-hpet\ncpu: host\n" OVMF,
		"ovmf-window bios: The devices have 65568 MiB of large BARs, and OVMF's window "
		"for them is 65536 MiB.\n");
	assert_non_null(
		strstr(machine->findings.items[0].remedy,
		       "'-fw_cfg name=opt/ovmf/X-PciMmio64Mb,string=131072' in 'args' of VM "
		       "101"));
	assert_found(machine, check_aperture,
		     "args: -fw_cfg name=opt/ovmf/X-PciMmio64Mb,string=131072\ncpu: host\n" OVMF,
		     "");
	/* a smaller BAR by our own settings */
	tree_file(&machine->tree, "sys/devices/pci0000:00/" NIC "/resource0_resize", "%016x\n",
		  0x1ff00);
	tree_file(&machine->tree, "etc/pve/pve-vfio/101.json",
		  "{\"devices\": {\"" NIC "\": {\"resize_bar\": {\"0\": 32768}}}}\n");
	assert_found(machine, check_aperture, "cpu: host\n" OVMF, "");
	tree_remove(&machine->tree, "etc/pve/pve-vfio/101.json");
	set_host_bits(&machine->tree, 46);
	assert_found(machine, check_aperture, "cpu: host\n" OVMF, "");
	/* as much memory as leaves no room for the larger window */
	set_host_bits(&machine->tree, 40);
	assert_found(machine, check_aperture, "cpu: host\n" OVMF, "");
	assert_found(
		machine, check_aperture,
		"cpu: host\nbios: ovmf\nmemory: 950000\nhostpci0: 02:00.0\n",
		"ovmf-window bios: The devices have 65568 MiB of large BARs, and OVMF's window "
		"for them is 32768 MiB.\n");
	/* firmware from before the larger window; an unknown width says nothing */
	tree_file(&machine->tree, "var/lib/dpkg/status",
		  "Package: pve-edk2-firmware\nStatus: install ok installed\n"
		  "Version: 3.20220526-1\n\n");
	assert_found(
		machine, check_aperture, "cpu: host\n" OVMF,
		"ovmf-window bios: The devices have 65568 MiB of large BARs, and OVMF's window "
		"for them is 32768 MiB.\n");
	tree_file(&machine->tree, "proc/cpuinfo", "processor\t: 0\n");
	assert_found(machine, check_aperture, "cpu: host\n" OVMF, "");
}

/* 'VFIO_MAP_DMA failed: Invalid argument', where the IOMMU is narrower than the processor. */
static void test_reach(void **state)
{
	struct machine *machine = *state;

	set_bars(&machine->tree, 256);
	set_host_bits(&machine->tree, 46);
	tree_attribute(&machine->tree, NIC, "iommu/intel-iommu/cap", "d2008c40660462");
	assert_found(machine, check_aperture, "cpu: host,flags=+aes\n" OVMF,
		     "iommu-width " NIC
		     ": OVMF puts its large BARs at the top of the guest's address "
		     "space, which is 46 bits wide, and the IOMMU reaches 39 bits.\n");
	assert_non_null(strstr(machine->findings.items[0].remedy,
			       "'qm set 101 --cpu host,flags=+aes,phys-bits=39'"));
	/* with the remedy, with a processor type that hides the width, and with a wide IOMMU */
	assert_found(machine, check_aperture, "cpu: host,phys-bits=39\n" OVMF, "");
	assert_found(machine, check_aperture, OVMF, "");
	tree_attribute(&machine->tree, NIC, "iommu/intel-iommu/cap", "c9de008cee690462");
	assert_found(machine, check_aperture, "cpu: host\n" OVMF,
		     "iommu-width " NIC
		     ": OVMF puts its large BARs at the top of the guest's address "
		     "space, which is 46 bits wide, and the IOMMU reaches 42 bits.\n");
	tree_attribute(&machine->tree, NIC, "iommu/intel-iommu/cap", "8d2078c106f0466");
	assert_found(machine, check_aperture, "cpu: host\n" OVMF, "");
}

static void test_suspended(void **state)
{
	struct machine *machine = *state;

	assert_found(machine, check_suspended,
		     "lock: suspended\nvmstate: local:101/state.raw\nhostpci0: 02:00.0\n",
		     "vm-suspended lock: VM 101 is suspended to disk (local:101/state.raw), and "
		     "goes on as it was then; its devices begin anew.\n");
	assert_non_null(strstr(machine->findings.items[0].remedy, "'qm set 101 --delete vmstate'"));
	assert_found(machine, check_suspended, "lock: backup\nhostpci0: 02:00.0\n", "");
	assert_found(machine, check_suspended, "lock: suspended\n", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		machine_test(test_plain_type),
		machine_test(test_host_type),
		machine_test(test_reach),
		machine_test(test_suspended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
