/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the host does with disks, on built trees. */
#include "test.h"
#include "tree.h"
#include "use/storage.h"

#define ADDRESS "0000:01:00.0"
#define DISK	"devices/pci0000:00/" ADDRESS "/nvme/nvme0/nvme0n1"
#define VIRTUAL "devices/virtual/block"

static void add_block(const struct tree *tree, const char *folder, const char *name,
		      const char *number)
{
	char path[PATH_MAX], target[PATH_MAX];

	tree_format(path, "sys/%s/dev", folder);
	tree_file(tree, path, "%s\n", number);
	tree_format(path, "sys/%s/holders", folder);
	tree_folder(tree, path);
	tree_format(path, "sys/class/block/%s", name);
	tree_format(target, "../../%s", folder);
	tree_link(tree, path, target);
}

static void add_holder(const struct tree *tree, const char *name, const char *holder)
{
	char path[PATH_MAX], target[PATH_MAX];

	tree_format(path, "sys/class/block/%s/holders/%s", name, holder);
	tree_format(target, "../../../../../../../../%s/%s", VIRTUAL, holder);
	tree_link(tree, path, target);
}

/* A device-mapper device on another block device. */
static void add_mapper(const struct tree *tree, const char *name, const char *mapper,
		       const char *uuid, const char *below)
{
	char path[PATH_MAX], number[32];

	tree_format(path, VIRTUAL "/%s", name);
	snprintf(number, sizeof(number), "253:%s", name + strlen("dm-"));
	add_block(tree, path, name, number);
	tree_format(path, "sys/" VIRTUAL "/%s/dm/name", name);
	tree_file(tree, path, "%s\n", mapper);
	tree_format(path, "sys/" VIRTUAL "/%s/dm/uuid", name);
	tree_file(tree, path, "%s\n", uuid);
	add_holder(tree, below, name);
}

/* An NVMe disk with two partitions that nobody uses, and a disk elsewhere that holds all else. */
static void build(const struct tree *tree)
{
	tree_add_device(tree, &(struct tree_device){ .address = ADDRESS, .class_code = 0x010802 });
	add_block(tree, DISK, "nvme0n1", "259:0");
	add_block(tree, DISK "/nvme0n1p1", "nvme0n1p1", "259:1");
	add_block(tree, DISK "/nvme0n1p2", "nvme0n1p2", "259:2");
	add_block(tree, "devices/pci0000:00/0000:00:17.0/ata1/host0/target0:0:0/0:0:0:0/block/sda",
		  "sda", "8:0");
	tree_file(tree, "proc/1/mountinfo",
		  "22 1 8:0 / / rw,relatime shared:1 - ext4 /dev/sda rw\n"
		  "23 22 0:21 / /proc rw,relatime - proc proc rw\n");
	tree_file(tree, "proc/swaps", "Filename Type Size Used Priority\n");
	tree_process(tree, 1, "systemd", 0);
	tree_process(tree, 42, "dd", 0);
	tree_process_opens(tree, 42, 3, "/dev/sda");
	tree_process_opens(tree, 42, 4, "socket:[4711]");
}

/* Finds, and compares with the sentences expected; at most one unless NULL-terminated by more. */
static void expect(const struct tree *tree, size_t count, const char *const *expected)
{
	struct strings uses = { 0 };
	struct error err = { 0 };

	assert_int_equal(storage_uses_find(&tree->root, ADDRESS, NULL, &uses, NULL, &err), 0);
	for (size_t i = 0; i < count && i < uses.count; i++)
		assert_string_equal(uses.items[i], expected[i]);
	assert_int_equal(uses.count, count);
	strings_done(&uses);
}

#define EXPECT(tree, ...)                                                                          \
	expect(tree, COUNT(((const char *const[]){ __VA_ARGS__ })),                                \
	       (const char *const[]){ __VA_ARGS__ })

static void nothing_uses_an_idle_disk(void **state)
{
	build(*state);
	expect(*state, 0, NULL);
}

static void a_function_without_disks_needs_no_proc(void **state)
{
	tree_add_device(*state, &(struct tree_device){ .address = ADDRESS });
	expect(*state, 0, NULL);
}

static void a_mount_is_found_by_number(void **state)
{
	build(*state);
	tree_file(*state, "proc/1/mountinfo",
		  "22 1 8:0 / / rw - ext4 /dev/sda rw\n"
		  "50 22 259:2 / /mnt/with\\040blank rw - ext4 /dev/disk/by-id/x rw\n"
		  "51 22 259:2 / /mnt/second rw - ext4 /dev/disk/by-id/x rw\n");
	EXPECT(*state, "nvme0n1p2 is mounted on /mnt/with blank");
}

static void a_btrfs_is_found_by_node_and_by_membership(void **state)
{
	build(*state);
	tree_file(*state, "proc/1/mountinfo",
		  "50 22 0:44 /@ /data rw - btrfs /dev/nvme0n1p1 rw,subvol=/@\n");
	tree_folder(*state, "sys/fs/btrfs/features");
	tree_link(*state, "sys/fs/btrfs/6a5c/devices/nvme0n1p1", "../../../../x");
	tree_folder(*state, "sys/x");
	tree_link(*state, "sys/fs/btrfs/6a5c/devices/nvme0n1p2", "../../../../x");
	EXPECT(*state, "nvme0n1p1 is mounted on /data",
	       "nvme0n1p2 is a member of the mounted btrfs 6a5c");
}

static void swap_is_found_and_not_by_a_prefix(void **state)
{
	build(*state);
	add_block(*state, DISK "/nvme0n1p11", "nvme0n1p11", "259:11");
	tree_file(*state, "proc/swaps",
		  "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"
		  "/dev/nvme0n1p11                         partition\t1048572\t\t0\t\t-2\n");
	EXPECT(*state, "nvme0n1p11 is swap space");
}

static void volumes_are_followed_to_what_they_carry(void **state)
{
	struct tree *tree = *state;

	build(tree);
	add_mapper(tree, "dm-0", "pve-root", "LVM-abc", "nvme0n1p2");
	add_mapper(tree, "dm-1", "pve-swap", "LVM-def", "nvme0n1p2");
	add_mapper(tree, "dm-2", "crypt", "CRYPT-LUKS2-x-crypt", "dm-0");
	tree_file(tree, "proc/1/mountinfo", "50 22 253:2 / / rw - ext4 /dev/mapper/crypt rw\n");
	tree_file(tree, "proc/swaps", "Filename Type\n/dev/mapper/pve-swap partition 1 0 -2\n");
	EXPECT(tree, "nvme0n1p2 belongs to the LVM volume pve-root",
	       "nvme0n1p2 belongs to the LVM volume pve-swap, swap space",
	       "nvme0n1p2 belongs to the encrypted volume crypt, mounted on /");
}

static void an_array_and_an_unknown_holder_are_uses(void **state)
{
	struct tree *tree = *state;

	build(tree);
	add_block(tree, VIRTUAL "/md0", "md0", "9:0");
	tree_folder(tree, "sys/" VIRTUAL "/md0/md");
	add_holder(tree, "nvme0n1p1", "md0");
	add_block(tree, VIRTUAL "/bcache0", "bcache0", "252:0");
	add_holder(tree, "nvme0n1p2", "bcache0");
	EXPECT(tree, "nvme0n1p1 belongs to the RAID array md0",
	       "nvme0n1p2 belongs to the device bcache0");
}

static void a_loop_device_over_a_partition_is_a_use(void **state)
{
	struct tree *tree = *state;

	build(tree);
	add_block(tree, VIRTUAL "/loop0", "loop0", "7:0");
	add_block(tree, VIRTUAL "/loop1", "loop1", "7:1");
	tree_file(tree, "sys/" VIRTUAL "/loop0/loop/backing_file", "/srv/image\n");
	tree_file(tree, "sys/" VIRTUAL "/loop1/loop/backing_file", "/dev/nvme0n1p2\n");
	EXPECT(tree, "nvme0n1p2 belongs to the device loop1");
}

static void an_open_node_is_a_use_but_for_udev(void **state)
{
	struct tree *tree = *state;

	build(tree);
	tree_process(tree, 77, "(udev-worker)", 0);
	tree_process_opens(tree, 77, 5, "/dev/nvme0n1");
	tree_process(tree, 78, "kvm", 0);
	tree_process_opens(tree, 78, 5, "/dev/nvme0n1");
	tree_process_opens(tree, 78, 6, "/dev/nvme0n1");
	EXPECT(tree, "nvme0n1 is open in process 78 (kvm)");
}

/* Seen with QEMU's nvme-subsys: the path is hidden, the head a virtual device. */
static void a_multipath_head_stands_for_its_path(void **state)
{
	struct tree *tree = *state;
	const char *head = "devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n2";

	build(tree);
	add_block(tree, "devices/pci0000:00/" ADDRESS "/nvme/nvme0/nvme0c1n2", "nvme0c1n2",
		  "259:9");
	tree_file(tree, "sys/devices/pci0000:00/" ADDRESS "/nvme/nvme0/nvme0c1n2/hidden", "1\n");
	add_block(tree, head, "nvme0n2", "259:7");
	add_block(tree, "devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n2/nvme0n2p1",
		  "nvme0n2p1", "259:8");
	tree_file(tree, "proc/1/mountinfo", "50 22 259:8 / /shared rw - ext4 /dev/nvme0n2p1 rw\n");
	EXPECT(tree, "nvme0n2p1 is mounted on /shared");
}

/* A label as OpenZFS writes it: XDR, with `name` behind a number. */
static size_t make_label(unsigned char *data, const char *pool)
{
	static const unsigned char start[] = {
		1,   1, 0, 0,		   /* XDR, little endian, reserved */
		0,   0, 0, 0,  0, 0, 0, 1, /* version, flags */
		0,   0, 0, 36, 0, 0, 0, 32, 0, 0, 0, 7, 'v', 'e', 'r', 's', 'i',  'o',
		'n', 0, 0, 0,  0, 8, 0, 0,  0, 1, 0, 0, 0,   0,	  0,   0,   0x13, 0x88,
	};
	size_t length = strlen(pool), padded = (length + 3) & ~(size_t)3;
	unsigned char *at = data + sizeof(start);

	memcpy(data, start, sizeof(start));
	memset(at, 0, 64 + padded);
	at[3] = (unsigned char)(8 + 8 + 8 + 4 + padded);
	at[7] = 32;
	at[11] = 4;
	memcpy(at + 12, "name", 4);
	at[19] = 9;
	at[23] = 1;
	at[27] = (unsigned char)length;
	memcpy(at + 28, pool, length);
	return sizeof(start) + 28 + padded + 8;
}

static void add_label(const struct tree *tree, const char *node, const char *pool)
{
	static unsigned char disk[64 * 1024];

	memset(disk, 0, sizeof(disk));
	make_label(disk + 16 * 1024, pool);
	tree_bytes(tree, node, disk, sizeof(disk));
}

static void a_vdev_of_an_imported_pool_is_a_use(void **state)
{
	struct tree *tree = *state;

	build(tree);
	add_label(tree, "dev/nvme0n1p2", "rpool");
	tree_folder(tree, "sys/module/zfs");
	expect(tree, 0, NULL);
	tree_folder(tree, "proc/spl/kstat/zfs/rpool");
	EXPECT(tree, "nvme0n1p2 is part of the imported ZFS pool 'rpool'");
}

/* In another namespace, where no table of mounts that is read here has it. */
static void a_file_system_out_of_sight_is_a_use(void **state)
{
	struct tree *tree = *state;

	build(tree);
	tree_folder(tree, "sys/fs/ext4/features");
	tree_folder(tree, "sys/fs/ext4/sda");
	expect(tree, 0, NULL);
	tree_folder(tree, "sys/fs/ext4/nvme0n1p1");
	EXPECT(tree, "nvme0n1p1 is mounted (ext4), but not in the host's own mounts");
	tree_remove(tree, "sys/fs/ext4/nvme0n1p1");
	tree_file(tree, "proc/fs/jbd2/nvme0n1p2/info", "%s", "");
	EXPECT(tree, "nvme0n1p2 is the journal of a mounted file system");
	tree_remove(tree, "proc/fs/jbd2/nvme0n1p2");
	tree_folder(tree, "sys/" DISK "/bcachefs");
	EXPECT(tree, "nvme0n1 is mounted (bcachefs), but not in the host's own mounts");
}

static int refuse_disk(const struct sysroot *root, const char *path)
{
	(void)root;
	return strcmp(path, "dev/nvme0n1p1") == 0 ? -EBUSY : 0;
}

/* A disk is asked for by who takes it, and not by who looks, since a mount would fail meanwhile. */
static void a_claim_is_asked_about_by_who_takes(void **state)
{
	struct tree *tree = *state;

	build(tree);
	tree_file(tree, "dev/nvme0n1", "%s", "");
	tree_file(tree, "dev/nvme0n1p1", "%s", "");
	tree_file(tree, "dev/nvme0n1p2", "%s", "");
	tree->root.fake_open = refuse_disk;
	tree->root.live = true;
	EXPECT(tree, "nvme0n1p1 is claimed by something in the kernel (it cannot be opened for "
		     "exclusive use)");
	tree->root.anew = true;
	expect(tree, 0, NULL);
	tree->root.anew = tree->root.live = false;
	tree->root.fake_open = NULL;
}

static void what_cannot_be_read_is_an_error(void **state)
{
	struct tree *tree = *state;
	struct strings uses = { 0 };
	struct error err = { 0 };

	build(tree);
	tree_remove(tree, "proc/1/mountinfo");
	assert_int_equal(storage_uses_find(&tree->root, ADDRESS, NULL, &uses, NULL, &err), -ENOENT);
	assert_non_null(strstr(err.message, "/proc/1/mountinfo"));

	build(tree);
	tree_remove(tree, "proc/42/fd");
	tree_file(tree, "proc/42/fd", "%s", "");
	assert_int_equal(storage_uses_find(&tree->root, ADDRESS, NULL, &uses, NULL, &err),
			 -ENOTDIR);
	assert_non_null(strstr(err.message, "files the processes have open"));
	assert_int_equal(uses.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(nothing_uses_an_idle_disk),
		tree_test(a_function_without_disks_needs_no_proc),
		tree_test(a_mount_is_found_by_number),
		tree_test(a_btrfs_is_found_by_node_and_by_membership),
		tree_test(swap_is_found_and_not_by_a_prefix),
		tree_test(volumes_are_followed_to_what_they_carry),
		tree_test(an_array_and_an_unknown_holder_are_uses),
		tree_test(a_loop_device_over_a_partition_is_a_use),
		tree_test(an_open_node_is_a_use_but_for_udev),
		tree_test(a_multipath_head_stands_for_its_path),
		tree_test(a_vdev_of_an_imported_pool_is_a_use),
		tree_test(a_file_system_out_of_sight_is_a_use),
		tree_test(a_claim_is_asked_about_by_who_takes),
		tree_test(what_cannot_be_read_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
