/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who is to use what is built on a disk, by the files of Proxmox VE. */
#include <errno.h>

#include "pve/layer.h"
#include "test.h"
#include "tree.h"

/* A volume of the group guest-vg and an array, on a disk of their function. */
static void expect(const struct tree *tree, const char *row, const char *wanted)
{
	static char disk[] = "nvme0n1", volume[] = "dm-0", array[] = "md127";
	static char disk_node[] = "/dev/nvme0n1", volume_node[] = "/dev/dm-0";
	static char array_node[] = "/dev/md127", mapper[] = "/dev/mapper/guest--vg-my--vol";
	static char uuid[] = "LVM-0123", number[] = "253:0";
	struct block items[] = {
		{ .name = disk, .node = disk_node, .number = number },
		{ .name = volume,
		  .node = volume_node,
		  .mapper = mapper,
		  .uuid = uuid,
		  .number = number,
		  .base = disk },
		{ .name = array, .node = array_node, .number = number, .base = disk },
	};
	const struct blocks blocks = { items, COUNT(items) };
	cleanup_strings struct strings owners = { 0 };
	cleanup_text struct text joined = { 0 };
	struct error err = { 0 };

	text_add(&joined, "%s", "");
	assert_int_equal(layer_owners(&tree->root, "one", &blocks, &owners, &err), 0);
	for (size_t i = 0; i < owners.count; i++)
		text_add(&joined, "%s%s", i > 0 ? ", " : "", owners.items[i]);
	assert_row(row, strcmp(joined.data, wanted) == 0);
}

static void test_nobody(void **state)
{
	const struct tree *tree = *state;

	expect(tree, "nobody", "");
	tree_file(tree, "etc/pve/storage.cfg", "%s", "");
	tree_folder(tree, "etc/pve/qemu-server");
	expect(tree, "nobody", "");
}

static void test_storages(void **state)
{
	static const struct {
		const char *name, *text, *owners;
	} rows[] = {
		{ "lvm", "lvm: fast\n\tvgname guest-vg\n\tcontent images\n", "storage 'fast'" },
		{ "lvmthin", "lvmthin: thin\n\tthinpool data\n\tvgname guest-vg\n\n",
		  "storage 'thin'" },
		{ "the last line has no end", "lvm: fast\n\tvgname guest-vg", "storage 'fast'" },
		{ "CRLF", "lvm: fast\r\n\tvgname guest-vg\r\n", "storage 'fast'" },
		{ "another group", "lvm: fast\n\tvgname guest-vg2\n", "" },
		{ "another type", "iscsi: fast\n\tvgname guest-vg\n", "" },
		{ "the group of a section before",
		  "lvm: a\n\tvgname pve\n\ndir: guest-vg\n\tpath /x\n", "" },
		{ "both", "lvm: a\n\tvgname guest-vg\n\nlvmthin: b\n\tvgname guest-vg\n",
		  "storage 'a', storage 'b'" },
		{ "this node", "lvm: a\n\tnodes two,one\n\tvgname guest-vg\n", "storage 'a'" },
		{ "other nodes", "lvm: a\n\tvgname guest-vg\n\tnodes one2,two\n", "" },
		{ "the same for its other nodes",
		  "lvm: a\n\tvgname guest-vg\n\tnodes two\n\nlvm: b\n"
		  "\tvgname guest-vg\n",
		  "storage 'b'" },
	};
	const struct tree *tree = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		tree_bytes(tree, "etc/pve/storage.cfg", rows[i].text, strlen(rows[i].text));
		expect(tree, rows[i].name, rows[i].owners);
	}
}

static void test_guests(void **state)
{
	static const struct {
		const char *line, *owners;
	} rows[] = {
		{ "scsi0: /dev/guest-vg/my-vol,size=16M", "VM 101" },
		{ "scsi0: /dev/mapper/guest--vg-my--vol", "VM 101" },
		{ "virtio1: file=/dev/md127,cache=none", "VM 101" },
		{ "args: -drive file=/dev/dm-0,format=raw", "VM 101" },
		{ "scsi0: /dev/dm-00", "" },
		{ "scsi0: /dev/guest-vg/my-vol2", "" },
		{ "scsi0: /dev/guest/vg-my-vol", "" },
		/* the disk itself is not a layer: another check names who has it */
		{ "scsi0: /dev/nvme0n1", "" },
		{ "scsi0: local-lvm:vm-101-disk-0", "" },
	};
	const struct tree *tree = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		tree_file(tree, "etc/pve/qemu-server/101.conf", "memory: 512\n%s\n", rows[i].line);
		expect(tree, rows[i].line, rows[i].owners);
	}
	tree_file(tree, "etc/pve/qemu-server/101.conf", "scsi0: /dev/md127\nscsi1: /dev/dm-0\n");
	tree_file(tree, "etc/pve/qemu-server/102.conf.bak", "scsi0: /dev/md127\n");
	tree_file(tree, "etc/pve/lxc/200.conf", "mp0: /dev/mapper/guest--vg-my--vol,mp=/data\n");
	expect(tree, "each once", "VM 101, container 200");
}

/* Whoever cannot tell says so: a start refuses then. */
static void test_unreadable(void **state)
{
	static char disk[] = "nvme0n1", array[] = "md127", node[] = "/dev/md127";
	struct block items[] = { { .name = array, .node = node, .base = disk } };
	const struct blocks blocks = { items, 1 };
	cleanup_strings struct strings owners = { 0 };
	const struct tree *tree = *state;
	struct error err = { 0 };

	tree_folder(tree, "etc/pve/storage.cfg");
	assert_int_equal(layer_owners(&tree->root, "one", &blocks, &owners, &err), -EISDIR);
	assert_string_equal(err.message, "cannot read /etc/pve/storage.cfg: Is a directory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(test_nobody),
		tree_test(test_storages),
		tree_test(test_guests),
		tree_test(test_unreadable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
