/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * boot: what was asked of the boot against what is in effect now.
 */
#pragma once

#include "boot/setting.h"
#include "host/sysroot.h"

enum boot_effect_state {
	BOOT_IN_EFFECT,
	BOOT_NOT_IN_EFFECT,
	BOOT_UNKNOWN, /* the machine does not show it: a module that is not loaded has no options */
};

struct boot_effect {
	enum boot_setting_kind kind;
	char *asked; /* "iommu=pt", "options kvm ignore_msrs=1" */
	char *where; /* the file it is in, "/etc/modprobe.d/pve-vfio.conf" */
	enum boot_effect_state state;
	char *seen; /* what the machine shows: "iommu=off on /proc/cmdline" */
};

/* Started as { 0 }. */
struct boot_effects {
	struct boot_effect *items;
	size_t count;
};

void boot_effects_done(struct boot_effects *effects);
#define cleanup_boot_effects cleanup(boot_effects_done)

/* The effect of these settings: /proc/cmdline, /sys/module, drivers of devices. Does not block. */
int boot_effects_look(const struct sysroot *root, const struct boot_settings *settings,
		      struct boot_effects *ret, struct error *err) must_check;

/*
 * The same for what the last `pve-vfio setup` asked for, by its record; none where there was no
 * setup. Settings that setup found made by the administrator are among them.
 */
int boot_effects_read(const struct sysroot *root, struct boot_effects *ret,
		      struct error *err) must_check;

/* "in effect", "not in effect", "unknown". */
const char *boot_effect_state_name(enum boot_effect_state state);
