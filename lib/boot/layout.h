/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * boot: which setting goes into which file, and how that file is written. All files but
 * /etc/kernel/cmdline are ours alone.
 */
#pragma once

#include "boot/existing.h"
#include "boot/setting.h"

/* The last of the folder, so that no other takes our words back. */
#define LAYOUT_GRUB	    "etc/default/grub.d/zz-pve-vfio.cfg"
#define LAYOUT_MODULES	    "etc/modules-load.d/pve-vfio.conf"
#define LAYOUT_MODPROBE	    "etc/modprobe.d/pve-vfio.conf"
#define LAYOUT_UDEV	    "etc/udev/rules.d/60-pve-vfio.rules"
#define LAYOUT_EARLY_HOOK   "etc/initramfs-tools/hooks/pve-vfio"
#define LAYOUT_EARLY_SCRIPT "etc/initramfs-tools/scripts/init-top/pve-vfio"

/* Written by proxmox-boot-tool alone. */
#define LAYOUT_PIN "etc/kernel/proxmox-boot-pin"

/* What has to run after a file has changed. */
struct layout_refresh {
	bool initramfs;
	bool loader;
	bool dracut;	 /* makes the initramfs here */
	const char *pin; /* a kernel that is to be pinned, or NULL; borrowed */
	bool unpin;
};

/* The file kernel parameters go to, "/etc/kernel/cmdline", or both; or what else has them. The caller
 * frees it. */
char *layout_parameter_place(const struct boot_loader *loader);

/* Takes everything of ours out of the draft; `cmdline` are our words in /etc/kernel/cmdline. */
int layout_clear(struct boot_draft *draft, const struct sysroot *root,
		 const struct strings *cmdline, struct error *err) must_check;

/*
 * Puts the settings into a draft that has none of ours; the words that end up in /etc/kernel/cmdline
 * are added to `cmdline`. Where there is no such file, and a setting for it, it begins with the
 * running kernel's command line, which proxmox-boot-tool takes in that case.
 */
int layout_write(struct boot_draft *draft, const struct sysroot *root,
		 const struct boot_settings *settings, const struct boot_existing *existing,
		 const struct boot_loader *loader, struct strings *cmdline,
		 struct error *err) must_check;

/* What has to run for the changes of the draft to count. */
struct layout_refresh layout_refresh_for(const struct boot_draft *draft);
