/* SPDX-License-Identifier: GPL-2.0-or-later */
/* unit: lib/boot/loader.c. */
#include "test.h"
#include "tree.h"

#include "boot/loader.h"

#define EFI "sys/firmware/efi/efivars/"

static void loader_info(const struct tree *tree, const char *name)
{
	char value[256] = { 6 };
	size_t size = 4;

	for (; *name; name++, size += 2)
		value[size] = *name;
	tree_bytes(tree, EFI "LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f", value, size + 2);
}

static const struct row {
	const char *name, *info, *cmdline;
	bool running, efi, secure, uuids, kernel_cmdline, no_grub, stub, zbm;
	const char *wanted;
} rows[] = {
	{ "BIOS", .running = true, .wanted = "GRUB" },
	{ "BIOS, ZFS", .running = true, .uuids = true, .kernel_cmdline = true, .wanted = "GRUB" },
	{ "systemd-boot by its name", "systemd-boot 252", .running = true, .efi = true,
	  .uuids = true, .wanted = "systemd-boot" },
	{ "systemd-boot of its own", "systemd-boot 252", .running = true, .efi = true,
	  .kernel_cmdline = true, .wanted = "systemd-boot without proxmox-boot-tool" },
	{ "GRUB 2.12 by its name", "GRUB 2.12-1", .running = true, .efi = true, .uuids = true,
	  .kernel_cmdline = true, .wanted = "GRUB" },
	{ "GRUB by BOOT_IMAGE", NULL, "BOOT_IMAGE=/vmlinuz root=x", .running = true, .efi = true,
	  .kernel_cmdline = true, .uuids = true, .wanted = "GRUB" },
	{ "systemd-boot by initrd", NULL, "initrd=\\EFI\\proxmox\\6.8\\initrd root=x",
	  .running = true, .efi = true, .uuids = true, .wanted = "systemd-boot" },
	{ "Secure Boot", .running = true, .efi = true, .secure = true, .uuids = true,
	  .kernel_cmdline = true, .wanted = "GRUB" },
	{ "contradiction", "systemd-boot 252", "BOOT_IMAGE=/vmlinuz", .running = true, .efi = true,
	  .wanted = "GRUB or systemd-boot" },
	{ "UEFI that tells nothing", .running = true, .efi = true, .uuids = true,
	  .kernel_cmdline = true, .wanted = "GRUB or systemd-boot" },
	{ "an unknown name", "Clover", .running = true, .efi = true, .wanted = "GRUB" },
	{ "rEFInd", "rEFInd 0.14", .running = true, .efi = true, .wanted = "rEFInd" },
	{ "GRUB behind rEFInd", "rEFInd 0.14", "BOOT_IMAGE=/vmlinuz", .running = true, .efi = true,
	  .wanted = "GRUB" },
	{ "a unified kernel image", "systemd-boot 257", "root=x", .running = true, .efi = true,
	  .stub = true, .wanted = "a unified kernel image" },
	{ "ZFSBootMenu", NULL, "root=zfs:rpool/ROOT/pve-1 spl_hostid=0x1", .running = true,
	  .efi = true, .zbm = true, .wanted = "ZFSBootMenu" },
	{ "ZFSBootMenu, not in use", NULL, "BOOT_IMAGE=/vmlinuz", .running = true, .efi = true,
	  .zbm = true, .wanted = "GRUB" },
	{ "image", .wanted = "GRUB" },
	{ "image, both", .uuids = true, .kernel_cmdline = true, .wanted = "GRUB or systemd-boot" },
	{ "image, a command line of no use", .kernel_cmdline = true, .wanted = "GRUB" },
	{ "image, systemd-boot", .uuids = true, .kernel_cmdline = true, .no_grub = true,
	  .wanted = "systemd-boot" },
};

static void build(const struct tree *tree, const struct row *row)
{
	tree_remove(tree, "sys");
	tree_remove(tree, "proc");
	tree_remove(tree, "etc");
	if (row->running)
		tree_folder(tree, "sys/kernel");
	if (row->efi)
		tree_folder(tree, EFI);
	if (row->info)
		loader_info(tree, row->info);
	if (row->secure)
		tree_bytes(tree, EFI "SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c",
			   "\6\0\0\0\1", 5);
	if (row->stub)
		tree_bytes(tree, EFI "StubInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f", "\6\0\0\0s",
			   5);
	if (row->zbm)
		tree_folder(tree, "etc/zfsbootmenu");
	if (row->cmdline)
		tree_file(tree, "proc/cmdline", "%s\n", row->cmdline);
	if (row->uuids)
		tree_file(tree, BOOT_UUIDS, "1234-ABCD\n");
	if (row->kernel_cmdline)
		tree_file(tree, BOOT_CMDLINE, "root=ZFS=rpool\n");
	if (!row->no_grub)
		tree_file(tree, "etc/default/grub", "GRUB_TIMEOUT=5\n");
}

static void test_decide(void **state)
{
	const struct tree *tree = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		cleanup_boot_loader struct boot_loader loader = { 0 };
		struct error err = { 0 };

		build(tree, &rows[i]);
		assert_int_equal(boot_loader_read(&tree->root, &loader, &err), 0);
		if (strcmp(boot_loader_name(&loader), rows[i].wanted) != 0)
			fail_msg("row '%s': %s", rows[i].name, boot_loader_name(&loader));
		assert_row(rows[i].name, loader.managed == rows[i].uuids);
		assert_row(rows[i].name, loader.secure_boot == rows[i].secure);
		assert_row(rows[i].name, loader.evidence.count > 0);
	}
}

/* An empty list of boot partitions is none. */
static void test_no_uuid(void **state)
{
	const struct tree *tree = *state;
	cleanup_boot_loader struct boot_loader loader = { 0 };
	struct error err = { 0 };

	tree_file(tree, BOOT_UUIDS, "\n");
	assert_int_equal(boot_loader_read(&tree->root, &loader, &err), 0);
	assert_false(loader.managed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(test_decide),
		tree_test(test_no_uuid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
