/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * boot: one thing that is asked of the next boot.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/json.h"

enum boot_setting_kind {
	BOOT_PARAMETER, /* name: the word, "iommu=pt" */
	BOOT_MODULE,	/* name: a module to load */
	BOOT_OPTION,	/* name: a module; value: "ignore_msrs=1" */
	BOOT_BLACKLIST, /* name: a module that its devices do not load */
	BOOT_EARLY,	/* name: an address that vfio-pci holds from the initramfs on */
	BOOT_SRIOV,	/* name: an address; value: how many virtual functions */
	BOOT_PIN,	/* name: the release of the kernel that is always started */
	BOOT_SETTING_KINDS,
};

struct boot_setting {
	enum boot_setting_kind kind;
	char *name;
	/* OPTION, SRIOV; of EARLY what tells it from others of its model at boot, as words for the
	 * script of the initramfs: "subsystem=1458:4074 serial=260:1111118553382500"; or NULL */
	char *value;
	char *device; /* EARLY, SRIOV: "10de:2484", what must be at the address; or NULL */
	char *reason; /* a sentence: why it is made, with its price */
	char *where;  /* "/etc/default/grub, line 9" */
	bool found;   /* it is there already, made by somebody else */
};

/* Started as { 0 }. */
struct boot_settings {
	struct boot_setting *items;
	size_t count;
};

void boot_setting_done(struct boot_setting *setting);
void boot_settings_done(struct boot_settings *settings);
#define cleanup_boot_settings cleanup(boot_settings_done)

/* Adds a copy; does nothing when there is one of the kind, name and value. 0 or -ENOMEM. */
int boot_settings_add(struct boot_settings *settings, const struct boot_setting *setting);

/* "parameter", "module", "option", "blacklist", "early", "sriov", "pin". */
const char *boot_setting_kind_name(enum boot_setting_kind kind);

/* As people write it: "kvm ignore_msrs=1". The caller frees it; NULL without memory. */
char *boot_setting_words(const struct boot_setting *setting);

/* Of kind; ours alone, or all. */
size_t boot_settings_count(const struct boot_settings *settings, enum boot_setting_kind kind,
			   bool ours);

json_t *boot_settings_to_json(const struct boot_settings *settings);
int boot_settings_from_json(const json_t *array, struct boot_settings *ret,
			    struct error *err) must_check;
