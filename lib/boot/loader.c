/* SPDX-License-Identifier: GPL-2.0-or-later */
/* boot: the boot loader. Asks no firmware, only what it left. */
#include "boot/loader.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "boot/word.h"

#define EFIVARS	    "sys/firmware/efi/efivars/"
#define LOADER_INFO EFIVARS "LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
#define STUB_INFO   EFIVARS "StubInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
#define SECURE_BOOT EFIVARS "SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"

/* Ahead of a variable's value are its attributes, 4 bytes (Documentation/filesystems/efivarfs.rst). */
#define EFIVAR_VALUE	4
#define EFIVAR_MAX	4096

#define LOADER_NAME_MAX 64

enum vote { VOTE_NONE, VOTE_GRUB, VOTE_SYSTEMD_BOOT };

/* Where words go with a boot loader that is none of Proxmox VE's. */
static const char stub_place[] =
	"the words of what builds the image: /etc/kernel/cmdline for ukify and kernel-install, "
	"kernel_cmdline= in /etc/dracut.conf.d for dracut; then build it anew";
static const char refind_place[] = "the quoted words of each line of /boot/refind_linux.conf";
static const char zbm_place[] =
	"the ZFS property org.zfsbootmenu:commandline of the root file system ('findmnt -no SOURCE /' "
	"names it), behind the words that 'zfs get org.zfsbootmenu:commandline DATASET' shows: 'zfs set "
	"org.zfsbootmenu:commandline=\"...\" DATASET'";
static const char plain_place[] =
	"the first line of /etc/kernel/cmdline; then make the entries of all kernels anew: "
	"'kernel-install add RELEASE /boot/vmlinuz-RELEASE' for each";

void boot_loader_done(struct boot_loader *loader)
{
	strings_done(&loader->evidence);
	*loader = (struct boot_loader){ 0 };
}

/* The text of LoaderInfo, UTF-16 with letters of ASCII. False when it is not there. */
static bool read_loader_info(const struct sysroot *root, char name[LOADER_NAME_MAX])
{
	cleanup_free char *data = NULL;
	struct bytes bytes;
	size_t size, length = 0;

	if (sysroot_read(root, LOADER_INFO, EFIVAR_MAX, &data, &size) < 0)
		return false;
	bytes = bytes_from((struct bytes){ (const uint8_t *)data, size }, EFIVAR_VALUE);
	for (; length < LOADER_NAME_MAX - 1; length++) {
		uint16_t unit = bytes_u16(bytes, length * 2);

		if (unit == 0)
			break;
		name[length] = '?';
		if (unit >= ' ' && unit <= '~')
			name[length] = (char)unit;
	}
	name[length] = '\0';
	return length > 0;
}

static bool read_secure_boot(const struct sysroot *root)
{
	cleanup_free char *data = NULL;
	size_t size;

	return sysroot_read(root, SECURE_BOOT, EFIVAR_MAX, &data, &size) == 0 &&
	       bytes_u8((struct bytes){ (const uint8_t *)data, size }, EFIVAR_VALUE) == 1;
}

static enum vote vote_of_info(const struct sysroot *root, struct strings *evidence)
{
	char name[LOADER_NAME_MAX];
	cleanup_free char *sentence = NULL;
	enum vote vote = VOTE_NONE;

	if (!read_loader_info(root, name))
		return VOTE_NONE;
	if (text_starts_with(name, "systemd-boot"))
		vote = VOTE_SYSTEMD_BOOT;
	else if (text_starts_with(name, "GRUB"))
		vote = VOTE_GRUB;
	sentence = text_format("the boot loader left its name in LoaderInfo: '%s'", name);
	if (sentence)
		(void)strings_add(evidence, sentence);
	return vote;
}

static enum vote vote_of_cmdline(const struct sysroot *root, struct strings *evidence)
{
	cleanup_boot_words struct boot_words words = { 0 };
	cleanup_free char *text = NULL;

	if (sysroot_read_attribute(root, "proc/cmdline", &text) < 0 ||
	    boot_words_split(&words, "proc/cmdline", text) < 0)
		return VOTE_NONE;
	for (size_t i = 0; i < words.count; i++) {
		if (text_starts_with(words.items[i].text, "initrd=\\EFI\\")) {
			(void)strings_add(evidence, "the running kernel was started with "
						    "initrd=\\EFI\\..., as systemd-boot does");
			return VOTE_SYSTEMD_BOOT;
		}
		if (text_starts_with(words.items[i].text, "BOOT_IMAGE=")) {
			(void)strings_add(evidence, "the running kernel was started with "
						    "BOOT_IMAGE=, as GRUB does");
			return VOTE_GRUB;
		}
	}
	return VOTE_NONE;
}

static bool is_managed(const struct sysroot *root)
{
	cleanup_free char *uuids = NULL;
	size_t size;

	return sysroot_read(root, BOOT_UUIDS, ATTRIBUTE_MAX, &uuids, &size) == 0 &&
	       strspn(uuids, " \t\n") < size;
}

/* A boot loader that leaves a sign of its own. False for none. */
static bool find_other(const struct sysroot *root, enum vote cmdline, struct boot_loader *loader)
{
	char name[LOADER_NAME_MAX];

	if (sysroot_exists(root, STUB_INFO)) {
		loader->other = "a unified kernel image";
		loader->other_place = stub_place;
		(void)strings_add(&loader->evidence,
				  "the kernel's stub left its name in the UEFI variable StubInfo");
	} else if (cmdline == VOTE_NONE && read_loader_info(root, name) &&
		   text_starts_with(name, "rEFInd")) {
		loader->other = "rEFInd";
		loader->other_place = refind_place;
	} else if (cmdline == VOTE_NONE && sysroot_exists(root, "proc/cmdline") &&
		   sysroot_exists(root, "etc/zfsbootmenu")) {
		loader->other = "ZFSBootMenu";
		loader->other_place = zbm_place;
		(void)strings_add(&loader->evidence,
				  "there is /etc/zfsbootmenu, and the running kernel was started "
				  "with neither BOOT_IMAGE= nor initrd=");
	}
	return loader->other != NULL;
}

/* Of a machine that does not run, or says nothing. */
static void decide_from_files(const struct sysroot *root, struct boot_loader *loader)
{
	bool cmdline = sysroot_exists(root, BOOT_CMDLINE);
	bool grub = sysroot_exists(root, "etc/default/grub");

	loader->systemd_boot = cmdline && (loader->managed || !grub);
	loader->grub = grub || !loader->systemd_boot;
	(void)strings_add(&loader->evidence,
			  loader->grub && loader->systemd_boot
				  ? "nothing tells which of the two starts this tree: both are "
				    "configured"
				  : "determined from the files in /etc, as nothing else says it");
}

static void decide(const struct sysroot *root, struct boot_loader *loader)
{
	enum vote info, cmdline;

	if (sysroot_exists(root, "sys/kernel") && !loader->efi) {
		(void)strings_add(&loader->evidence, "there is no UEFI (/sys/firmware/efi)");
		loader->grub = true;
		return;
	}
	info = vote_of_info(root, &loader->evidence);
	cmdline = vote_of_cmdline(root, &loader->evidence);
	if (find_other(root, cmdline, loader))
		return;
	if (info == VOTE_NONE && cmdline == VOTE_NONE && loader->secure_boot) {
		(void)strings_add(&loader->evidence,
				  "Secure Boot is on, for which Proxmox VE has only GRUB");
		info = VOTE_GRUB;
	}
	if (info == VOTE_NONE && cmdline == VOTE_NONE) {
		decide_from_files(root, loader);
		return;
	}
	loader->grub = info == VOTE_GRUB || cmdline == VOTE_GRUB;
	loader->systemd_boot = info == VOTE_SYSTEMD_BOOT || cmdline == VOTE_SYSTEMD_BOOT;
	if (loader->grub && loader->systemd_boot)
		(void)strings_add(&loader->evidence,
				  "that contradicts itself: both are configured");
	if (loader->grub || loader->managed)
		return;
	loader->systemd_boot = false;
	loader->other = "systemd-boot without proxmox-boot-tool";
	loader->other_place = plain_place;
	(void)strings_add(&loader->evidence,
			  "proxmox-boot-tool keeps no boot partition: there is no UUID in "
			  "/" BOOT_UUIDS);
}

int boot_loader_read(const struct sysroot *root, struct boot_loader *ret, struct error *err)
{
	cleanup_boot_loader struct boot_loader loader = {
		.efi = sysroot_exists(root, "sys/firmware/efi"),
		.secure_boot = read_secure_boot(root),
		.managed = is_managed(root),
	};

	decide(root, &loader);
	if (loader.evidence.count == 0)
		return error_set_memory(err);
	*ret = TAKE_STRUCT(loader);
	return 0;
}

const char *boot_loader_name(const struct boot_loader *loader)
{
	if (loader->other)
		return loader->other;
	if (loader->grub && loader->systemd_boot)
		return "GRUB or systemd-boot";
	return loader->grub ? "GRUB" : "systemd-boot";
}
