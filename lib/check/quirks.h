/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * check: known troubles of devices, kernels and settings, share/quirks.json: built into the
 * programs, and replaced by /usr/share/pve-vfio/quirks.json where that is there. Each names its
 * sources. pve-vfio(8), "Known troubles", describes the format; a condition is a row of the table in
 * condition.c.
 */
#pragma once

#include <jansson.h>

#include "check/finding.h"
#include "check/pattern.h"
#include "host/kernel.h"
#include "pve/config.h"

#define QUIRKS_PATH   "/usr/share/pve-vfio/quirks.json"
#define QUIRKS_FORMAT 2
#define QUIRKS_MAX    ((size_t)1 << 20)

/* Strings are borrowed from `entry`, which the quirk owns. */
struct quirk {
	json_t *entry;
	struct device_patterns devices;
	const char *id;
	enum check_level level;
	const char *what;
	const char *remedy; /* with {address}, {vm}, {rombar=0}: quirk_remedy() */
};

/* Started as { 0 }. */
struct quirks {
	struct quirk *items;
	size_t count;
	size_t known;  /* how many the table has, of which only some may have been asked for */
	bool replaced; /* they come from the file, not from the program */
};

/*
 * Parses a document; `name` is what messages call it. Every condition of every entry is checked.
 * -EBADMSG with the entry that is wrong.
 */
int quirks_parse(const char *name, const char *data, size_t size, struct quirks *ret,
		 struct error *err) must_check;

/* What a device is, as far as it tells which entries are worth parsing. */
struct quirk_kind {
	uint16_t vendor;
	uint32_t class_code;
};

/*
 * Reads the file, or takes those that are built in; of these, unless `kinds` is NULL, only what can
 * concern a device of one of these `count` kinds. Does not block.
 */
int quirks_read(const struct sysroot *root, const struct quirk_kind *kinds, size_t count,
		struct quirks *ret, struct error *err) must_check;
void quirks_done(struct quirks *quirks);
#define cleanup_quirks cleanup(quirks_done)

/* What a quirk is matched against. All borrowed. */
struct quirk_target {
	const struct sysroot *root; /* for modules, packages, parameters, the firmware's names */
	const char *release;	    /* of the kernel; "" where it is not known: no range fits */
	const struct pci_device *device;
	const struct vm_config
		*config; /* NULL: no VM is looked at, and what asks of one is not met */
	const struct vm_hostpci *line; /* that asks for the device; NULL: another, or `args` */
};

/* Reads attributes that take no lock, and for a few entries the list of packages. */
bool quirk_applies(const struct quirk *quirk, const struct quirk_target *target);

/* The three parts of it, for who asks about many devices. The host's needs no device in `target`. */
bool quirk_names(const struct quirk *quirk, const struct pci_device *device);
bool quirk_fits_host(const struct quirk *quirk, const struct quirk_target *target);
bool quirk_fits_device(const struct quirk *quirk, const struct quirk_target *target);

/*
 * The remedy for a device, and a VM (0: the word VMID); `rombar_off` is the command that sets rombar=0 in
 * the device's line, or NULL. The caller frees it; NULL without memory.
 */
char *quirk_remedy(const struct quirk *quirk, const char *address, uint32_t vmid,
		   const char *rombar_off);

/* Where it was reported: "URL (2025-07-20), URL (2024-04-19)". The same. */
char *quirk_sources(const struct quirk *quirk);

/* The entries that are built in, one a line: `quirks_data_size()` bytes. */
const char *quirks_data(void);
size_t quirks_data_size(void);
