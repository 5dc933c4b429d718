/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * boot: which boot loader starts this machine, and so which file the kernel parameters come from.
 * The root file system does not tell: Proxmox VE starts ZFS with systemd-boot, but with Secure Boot,
 * or without UEFI, with GRUB (pve-docs, system-booting.adoc).
 */
#pragma once

#include "host/sysroot.h"

#define BOOT_CMDLINE "etc/kernel/cmdline"

/* The boot partitions that proxmox-boot-tool keeps, a UUID a line; without it there are none. */
#define BOOT_UUIDS "etc/kernel/proxmox-boot-uuids"

/* Started as { 0 }. */
struct boot_loader {
	bool grub,
		systemd_boot; /* one at least without `other`; both when the machine does not tell */
	/* neither of them as Proxmox VE has them: what it is, "rEFInd", and where kernel parameters go
	 * with it; nothing is written or run for it. Else NULL. */
	const char *other, *other_place;
	bool managed; /* proxmox-boot-tool keeps the boot partitions */
	bool efi, secure_boot;
	struct strings evidence; /* what it was determined from, a sentence each */
};

void boot_loader_done(struct boot_loader *loader);
#define cleanup_boot_loader cleanup(boot_loader_done)

/*
 * Others are seen by what they leave: a unified kernel image sets the UEFI variable StubInfo
 * (systemd-stub(7)), rEFInd its name in LoaderInfo, ZFSBootMenu has /etc/zfsbootmenu and starts a
 * kernel with neither BOOT_IMAGE= nor initrd=; systemd-boot without a list of boot partitions is not
 * proxmox-boot-tool's.
 *
 * Decides from, in this order: no UEFI (GRUB); what the loader left in the UEFI variable LoaderInfo
 * (https://systemd.io/BOOT_LOADER_INTERFACE; GRUB sets it since 2.12); how the running kernel was
 * started (BOOT_IMAGE= is GRUB's, initrd=\EFI\proxmox\ systemd-boot's); Secure Boot, for which
 * Proxmox VE has only GRUB. Where nothing of this is there, as in an image, from the files: both,
 * where both could be. 0, or -ENOMEM.
 */
int boot_loader_read(const struct sysroot *root, struct boot_loader *ret,
		     struct error *err) must_check;

/* "GRUB", "systemd-boot", "GRUB or systemd-boot", or what else it is. */
const char *boot_loader_name(const struct boot_loader *loader);
