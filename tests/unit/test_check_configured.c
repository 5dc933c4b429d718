/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What another VM's configuration has of a device, while it runs and while it does not. */
#include "test_check_topic.h"

#define USB	 "0000:01:00.0"
#define OTHER	 "0000:02:00.0"
#define DISK	 "0000:03:00.0"
#define USB_PATH "sys/devices/pci0000:00/" USB "/usb3"
#define TO_USB	 "../../../devices/pci0000:00/" USB "/usb3"

static void build(const struct tree *tree, struct check_case *check)
{
	tree_add_device(tree, &(struct tree_device){ .address = USB, .class_code = 0x0c0330 });
	tree_add_device(tree, &(struct tree_device){ .address = OTHER, .class_code = 0x0c0330 });
	tree_add_device(tree, &(struct tree_device){ .address = DISK, .class_code = 0x010802 });
	tree_file(tree, USB_PATH "/3-1/idVendor", "046d\n");
	tree_file(tree, USB_PATH "/3-1/idProduct", "c52b\n");
	tree_link(tree, "sys/bus/usb/devices/usb3", TO_USB);
	tree_link(tree, "sys/bus/usb/devices/3-1", TO_USB "/3-1");
	tree_link(tree, "sys/bus/usb/devices/usb4", "../../../devices/pci0000:00/" OTHER "/usb4");
	tree_file(tree, "sys/devices/pci0000:00/" DISK "/nvme/nvme0/nvme0n1/dev", "259:0\n");
	tree_file(tree, "sys/devices/pci0000:00/" DISK "/nvme/nvme0/nvme0n1/uevent",
		  "MAJOR=259\nMINOR=0\nDEVNAME=nvme0n1\n");
	tree_link(tree, "sys/dev/block/259:0",
		  "../../devices/pci0000:00/" DISK "/nvme/nvme0/nvme0n1");
	tree_link(tree, "sys/class/block/nvme0n1",
		  "../../devices/pci0000:00/" DISK "/nvme/nvme0/nvme0n1");
	tree_file(tree, "dev/nvme0n1", "%s", "");
	tree_link(tree, "dev/disk/by-id/nvme-x", "../../nvme0n1");
	check_add(tree, check, USB);
	check_add(tree, check, DISK);
}

/* Only what is on these devices; only of a VM that runs, now, and that has nothing of it open. */
static void other_vms_lines(void **state)
{
	static const struct {
		const char *config, *id, *line;
	} rows[] = {
		{ "usb0: host=046d:C52B\n", "node-in-use", "usb0: host=046d:C52B" },
		{ "usb0: 046d:c52b,usb3=1\n", "node-in-use", "usb0: 046d:c52b,usb3=1" },
		{ "usb1: usb3=1,host=3-7.2\n", "node-in-use", "usb1: usb3=1,host=3-7.2" },
		{ "usb0: host=046d:c52\n", NULL, NULL },
		{ "usb0: host=4-1\n", NULL, NULL },
		{ "usb0: spice\n", NULL, NULL },
		{ "scsi1: /dev/nvme0n1,size=1T\n", "storage-in-use",
		  "scsi1: /dev/nvme0n1,size=1T" },
		{ "virtio0: iothread=1,file=/dev/disk/by-id/nvme-x\n", "storage-in-use",
		  "virtio0: iothread=1,file=/dev/disk/by-id/nvme-x" },
		{ "scsi1: /dev/nvme1n1\n", NULL, NULL },
		{ "scsi1: local:102/disk.raw,serial=/dev/nvme0n1\n", NULL, NULL },
		{ "#usb0: host=3-1\n", NULL, NULL },
		{ "memory: 64\n[snap]\nusb0: host=3-1\nscsi1: /dev/nvme0n1\n", NULL, NULL },
	};
	struct check_case check = { 0 };
	struct tree *tree = *state;

	build(tree, &check);
	for (size_t i = 0; i < COUNT(rows); i++) {
		char evidence[256];

		tree_config(tree, 102, rows[i].config);
		tree_remove(tree, "run/qemu-server");
		check_run(tree, &check, check_configured);
		assert_row(rows[i].config, check.findings.count == 0);
		tree_process(tree, 500, "kvm", 102);
		check_run(tree, &check, check_configured);
		assert_row(rows[i].config, check.findings.count == (rows[i].id ? 1 : 0));
		if (!rows[i].id)
			continue;
		snprintf(evidence, sizeof(evidence), "VM 102, which runs, has the line '%s'.",
			 rows[i].line);
		check_expect(&check, 0, rows[i].id, LEVEL_ERROR,
			     rows[i].line[0] == 'u' ? USB : DISK, evidence);
	}
	check_over(&check);
}

/* check_opener() and check_storage() tell it. */
static void what_is_open_is_told_once(void **state)
{
	struct check_case check = { 0 };
	struct tree *tree = *state;

	build(tree, &check);
	tree_config(tree, 102, "scsi1: /dev/nvme0n1\n");
	tree_process(tree, 500, "kvm", 102);
	tree_process_opens(tree, 500, 3, "/dev/nvme0n1");
	check_run(tree, &check, check_configured);
	assert_int_equal(check.findings.count, 0);
	check_over(&check);
}

/* Nor does the VM itself count. */
static void the_vms_own_lines(void **state)
{
	struct check_case check = { 0 };
	struct tree *tree = *state;

	build(tree, &check);
	tree_config(tree, 101, "scsi1: /dev/nvme0n1\n");
	tree_process(tree, 500, "kvm", 101);
	check_run(tree, &check, check_configured);
	assert_int_equal(check.findings.count, 0);
	check_over(&check);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(other_vms_lines),
		tree_test(what_is_open_is_told_once),
		tree_test(the_vms_own_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
