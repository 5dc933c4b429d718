/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: check/iommu.c: reserved memory and the VM's own IOMMU, each found and near by absent. */
#include "start.h"

#define DIRECT "0x00000000bdf6a000 0x00000000bdf88fff direct\n"

static void reserve(const struct tree *tree, int group, const char *regions)
{
	char path[PATH_MAX];

	tree_format(path, "sys/kernel/iommu_groups/%d/reserved_regions", group);
	tree_file(tree, path, "%s0x00000000fee00000 0x00000000feefffff msi\n", regions);
}

/* A machine with that IOMMU unit, kernel and command line. */
static void boot(const struct tree *tree, const char *unit, const char *release, const char *line)
{
	char path[PATH_MAX];

	tree_remove(tree, "sys/class/iommu");
	tree_format(path, "sys/class/iommu/%s", unit);
	tree_folder(tree, path);
	tree_file(tree, "proc/sys/kernel/osrelease", "%s\n", release);
	tree_file(tree, "proc/cmdline", "%s\n", line);
}

#define RESERVED(device, group)                                                                    \
	"group-reserved " device ": The firmware has reserved memory for its IOMMU group " group   \
	" ('direct' in /sys/kernel/iommu_groups/" group                                            \
	"/reserved_regions), so the kernel does not give it to a VM.\n"

static void test_reserved(void **state)
{
	struct machine *machine = *state;
	const struct tree *tree = &machine->tree;

	reserve(tree, 14, DIRECT);
	reserve(tree, 15, "0x00000000bdf6a000 0x00000000bdf88fff direct-relaxable\n");
	boot(tree, "ivhd0", "6.17.2-1-pve", "quiet");
	/* one for the group, however many lines name it */
	assert_found(machine, check_iommu, "hostpci0: 01:00.0\nhostpci1: 01:00.1\n",
		     RESERVED(GPU, "14"));
	assert_non_null(strstr(machine->findings.items[0].remedy, "DMA Protection"));
	assert_found(machine, check_iommu, "hostpci0: 02:00.0\n", "");
	/* AMD's driver let them pass before Linux 6.6, Intel's never has */
	boot(tree, "ivhd0", "6.5.13-6-pve", "quiet");
	assert_found(machine, check_iommu, "hostpci0: 01:00\n", "");
	boot(tree, "dmar0", "5.15.158-2-pve", "quiet intel_iommu=on");
	assert_found(machine, check_iommu, "hostpci0: 01:00\n", RESERVED(GPU, "14"));
	assert_non_null(strstr(machine->findings.items[0].remedy, "relax_rmrr"));
	boot(tree, "dmar0", "6.8.12-4-pve", "quiet intel_iommu=on,relax_rmrr");
	assert_found(machine, check_iommu, "hostpci0: 01:00\n", "");
	/* of an unknown kernel nothing is certain */
	boot(tree, "ivhd0", "?", "quiet");
	assert_found(machine, check_iommu, "hostpci0: 01:00\n", "");
}

/* A mediated device is in a group of its own. */
static void test_reserved_leaves(void **state)
{
	struct machine *machine = *state;

	reserve(&machine->tree, 14, DIRECT);
	boot(&machine->tree, "ivhd0", "6.17.2-1-pve", "quiet");
	assert_found(machine, check_iommu, "hostpci0: 01:00.0,mdev=nvidia-63\n", "");
}

#define SHARED                                                                                     \
	"viommu-group " AUDIO ": It is in IOMMU group 14 with " GPU                                \
	", which the VM gets too, and with viommu=intel each has an address space of its own: "    \
	"QEMU fails with 'group 14 used in multiple address spaces'.\n"

static void test_viommu(void **state)
{
	struct machine *machine = *state;

	assert_found(machine, check_iommu, "machine: q35,viommu=intel\nhostpci0: 01:00,pcie=1\n",
		     SHARED);
	assert_non_null(strstr(machine->findings.items[0].remedy, "'qm set 101 --machine q35'"));
	assert_found(machine, check_iommu,
		     "machine: viommu=intel,type=pc-q35-9.0,enable-s3=0\n"
		     "hostpci0: 01:00.0,pcie=1\nhostpci1: 01:00.1\n",
		     SHARED);
	assert_non_null(strstr(machine->findings.items[0].remedy,
			       "'qm set 101 --machine pc-q35-9.0,enable-s3=0'"));
}

static void test_viommu_leaves(void **state)
{
	static const char *const configs[] = {
		"machine: q35\nhostpci0: 01:00,pcie=1\n",
		/* one function of the group, and others of other groups */
		"machine: q35,viommu=intel\nhostpci0: 01:00.0,pcie=1\nhostpci1: 02:00.0,pcie=1\n",
		/* on the old bus both have the bridge's address space */
		"machine: q35,viommu=intel\nhostpci0: 01:00\n",
		"machine: q35,viommu=virtio\nhostpci0: 01:00.0\nhostpci1: 01:00.1\n",
	};

	for (size_t i = 0; i < COUNT(configs); i++)
		assert_found(*state, check_iommu, configs[i], "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		machine_test(test_reserved),
		machine_test(test_reserved_leaves),
		machine_test(test_viommu),
		machine_test(test_viommu_leaves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
