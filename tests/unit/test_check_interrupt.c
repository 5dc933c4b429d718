/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: check/interrupt.c: lines that others share, and MSI-X tables that QEMU does not take. */
#include "start.h"

#define CARD  "0000:05:00.0"
#define OTHER "0000:06:00.0"

static void add_card(const struct tree *tree, const char *address, unsigned vendor, unsigned device,
		     int group, const char *line)
{
	tree_add_device(tree, &(struct tree_device){ address, vendor, device, 0x020000,
						     .driver = "mlx4_core", .group = group });
	tree_attribute(tree, address, "irq", line);
}

#define SHARED(card, line, others)                                                                 \
	"intx-shared " card ": It cannot mask its interrupt line " line                            \
	", so VFIO wants the line for it alone, and others are on it: " others                     \
	". QEMU fails with 'Failed to set up TRIGGER eventfd signaling for interrupt INTX-0'.\n"

static void test_lines_of_one_vm(void **state)
{
	struct machine *machine = *state;
	const struct tree *tree = &machine->tree;

	add_card(tree, CARD, 0x15b3, 0x1007, 20, "16");
	add_card(tree, OTHER, 0x15b3, 0x1007, 21, "16");
	/* one finding for the line; nothing for one card alone */
	assert_found(machine, check_interrupt, "hostpci0: 05:00.0\nhostpci1: 06:00.0\n",
		     SHARED(CARD, "16", OTHER " (of this VM)"));
	assert_non_null(
		strstr(machine->findings.items[0].remedy, "'qm set 101 --delete hostpci1'"));
	assert_null(strstr(machine->findings.items[0].remedy, "virtual"));
	assert_found(machine, check_interrupt, "hostpci0: 05:00.0\n", "");
	/* a device that can mask its line wants it shared, which is as wrong */
	add_card(tree, "0000:07:00.0", 0x8086, 0x10d3, 22, "16");
	assert_found(machine, check_interrupt, "hostpci0: 07:00.0\nhostpci1: 05:00.0\n",
		     SHARED(CARD, "16", "0000:07:00.0 (of this VM)"));
	tree_attribute(tree, OTHER, "irq", "17");
	tree_attribute(tree, CARD, "sriov_totalvfs", "8");
	assert_found(machine, check_interrupt, "hostpci0: 05:00.0\nhostpci1: 06:00.0\n", "");
	assert_found(machine, check_interrupt, "hostpci0: 05:00.0\nhostpci1: 07:00.0\n",
		     SHARED(CARD, "16", "0000:07:00.0 (of this VM)"));
	assert_non_null(strstr(machine->findings.items[0].remedy, "virtual functions"));
}

/* Those that can mask it share it with anybody. */
static void test_lines_that_are_masked(void **state)
{
	struct machine *machine = *state;
	const struct tree *tree = &machine->tree;

	add_card(tree, CARD, 0x15b3, 0x1015, 20, "16");
	add_card(tree, OTHER, 0x8086, 0x1572, 21, "16");
	assert_found(machine, check_interrupt, "hostpci0: 05:00.0\nhostpci1: 06:00.0\n", "");
	/* what the firmware wrote into devices that nobody has enabled yet is no line */
	add_card(tree, "0000:07:00.0", 0x15b3, 0x1003, 22, "11");
	add_card(tree, "0000:08:00.0", 0x15b3, 0x1003, 23, "11");
	assert_found(machine, check_interrupt, "hostpci0: 07:00.0\nhostpci1: 08:00.0\n", "");
	/* messages have no line */
	tree_attribute(tree, "0000:07:00.0", "irq", "40");
	tree_attribute(tree, "0000:08:00.0", "irq", "40");
	tree_file(tree, "sys/devices/pci0000:00/0000:08:00.0/msi_irqs/40", "msi\n");
	assert_found(machine, check_interrupt, "hostpci0: 07:00.0\nhostpci1: 08:00.0\n", "");
}

static void test_lines_of_the_host(void **state)
{
	struct machine *machine = *state;
	const struct tree *tree = &machine->tree;

	add_card(tree, CARD, 0x15b3, 0x1003, 20, "16");
	tree_file(tree, "proc/interrupts",
		  "           CPU0       CPU1\n"
		  "  1:      10000       2   IO-APIC    1-edge      i8042\n"
		  " 16:     100000     999   IR-IO-APIC   16-fasteoi   ehci_hcd:usb1, mlx4_core, "
		  "vfio-intx(0000:09:00.0)\n"
		  " 17:          1       0   IO-APIC   17-fasteoi   mlx4_core\n"
		  " 18:          1       0   IR-PCI-MSI 524288-edge      nvme0q0\n");
	assert_found(machine, check_interrupt, "hostpci0: 05:00.0\n",
		     SHARED(CARD, "16",
			    "ehci_hcd:usb1 (of the host), vfio-intx(0000:09:00.0) (of a running "
			    "VM)"));
	/* its own driver goes, and so does its own QEMU */
	tree_attribute(tree, CARD, "irq", "17");
	assert_found(machine, check_interrupt, "hostpci0: 05:00.0\n", "");
	tree_attribute(tree, CARD, "irq", "18");
	assert_found(machine, check_interrupt, "hostpci0: 05:00.0\n", "");
	tree_attribute(tree, CARD, "irq", "1");
	assert_found(machine, check_interrupt, "hostpci0: 05:00.0\n", "");
}

/* A configuration space with an MSI-X capability after another one, and BARs 0 and 2 of 64 KiB. */
static void add_msix(const struct tree *tree, unsigned vectors, uint32_t table, uint32_t pba)
{
	unsigned char config[256] = { 0 };

	tree_add_device(tree, &(struct tree_device){ CARD, 0x1ac1, 0x089a, 0x088000, .group = 20 });
	config[0x06] = 0x10;
	config[0x34] = 0x40;
	config[0x40] = 0x01;
	config[0x41] = 0x50;
	config[0x50] = 0x11;
	config[0x52] = (unsigned char)((vectors - 1) & 0xff);
	config[0x53] = (unsigned char)((vectors - 1) >> 8);
	for (size_t i = 0; i < 4; i++) {
		config[0x54 + i] = (unsigned char)(table >> 8 * i);
		config[0x58 + i] = (unsigned char)(pba >> 8 * i);
	}
	tree_bytes(tree, "sys/devices/pci0000:00/" CARD "/config", config, sizeof(config));
	tree_file(tree, "sys/devices/pci0000:00/" CARD "/resource",
		  "0x00000000f0000000 0x00000000f000ffff 0x0000000000140204\n"
		  "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
		  "0x00000000f0010000 0x00000000f001ffff 0x0000000000040200\n"
		  "0x0000000000000000 0x0000000000000000 0x0000000000000000\n");
}

static void test_msix(void **state)
{
	struct machine *machine = *state;
	const struct tree *tree = &machine->tree;

	add_msix(tree, 128, 0x2, 0x800 | 2);
	assert_found(machine, check_interrupt, "hostpci0: 05:00.0\n", "");
	add_msix(tree, 129, 0x2, 0x800 | 2);
	assert_found(machine, check_interrupt, "hostpci0: 05:00.0\n",
		     "msix-invalid " CARD
		     ": Its MSI-X table (129 vectors, BAR 2 at 0, pending bits "
		     "BAR 2 at 0x800) is not as QEMU wants it: it and its pending bits overlap.\n");
	/* BAR 0 is 64 bits wide, so BAR 1 is its upper half */
	assert_string_equal(machine->findings.items[0].remedy,
			    "Have QEMU move the table: 'qm set 101 --args \"-set "
			    "device.hostpci0.x-msix-relocation=bar3\"'.");
	assert_found(machine, check_interrupt,
		     "args: -set device.hostpci0.x-msix-relocation=bar3\nhostpci0: 05:00.0\n", "");
	/* the same numbers in different BARs */
	add_msix(tree, 129, 0x0, 0x800 | 2);
	assert_found(machine, check_interrupt, "hostpci0: 05:00.0\n", "");
	add_msix(tree, 8, 0xffc0 | 2, 0x0);
	assert_found(machine, check_interrupt, "args: -no-hpet\nhostpci0: 05:00.0\n",
		     "msix-invalid " CARD ": Its MSI-X table (8 vectors, BAR 2 at 0xffc0, pending "
		     "bits BAR 0 at 0) is not as QEMU wants it: it ends beyond its BAR.\n");
	assert_string_equal(machine->findings.items[0].remedy,
			    "Have QEMU move the table: add '-set "
			    "device.hostpci0.x-msix-relocation=bar3' to 'args' of VM 101.");
	add_msix(tree, 4, 0xffc0 | 2, 0x0);
	assert_found(machine, check_interrupt, "hostpci0: 05:00.0\n", "");
	add_msix(tree, 8, 0x0, 0x10000);
	assert_found(machine, check_interrupt, "hostpci0: 05:00.0\n",
		     "msix-invalid " CARD ": Its MSI-X table (8 vectors, BAR 0 at 0, pending bits "
		     "BAR 0 at 0x10000) is not as QEMU wants it: its pending bits end beyond their "
		     "BAR.\n");
	/* QEMU knows where Chelsio's are */
	tree_attribute(tree, CARD, "vendor", "0x1425");
	tree_attribute(tree, CARD, "device", "0x5801");
	assert_found(machine, check_interrupt, "hostpci0: 05:00.0\n", "");
}

/* What is not there, or not to be read, is no fault. */
static void test_msix_unread(void **state)
{
	struct machine *machine = *state;
	unsigned char config[64] = { 0 };

	add_msix(&machine->tree, 8, 0x0, 0x10000);
	config[0x06] = 0x10;
	config[0x34] = 0x40;
	tree_bytes(&machine->tree, "sys/devices/pci0000:00/" CARD "/config", config,
		   sizeof(config));
	assert_found(machine, check_interrupt, "hostpci0: 05:00.0\n", "");
	add_msix(&machine->tree, 8, 0x7, 0x10000);
	assert_found(machine, check_interrupt, "hostpci0: 05:00.0\n", "");
	add_msix(&machine->tree, 8, 0x0, 0x5);
	assert_found(machine, check_interrupt, "hostpci0: 05:00.0\n", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		machine_test(test_lines_of_one_vm),   machine_test(test_lines_that_are_masked),
		machine_test(test_lines_of_the_host), machine_test(test_msix),
		machine_test(test_msix_unread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
