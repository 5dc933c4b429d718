/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * doctor: known troubles of devices and kernels, share/quirks.json: built into the programs, and
 * replaced by /usr/share/pve-vfio/quirks.json where that is there. Each names its source.
 */
#pragma once

#include "doctor/verdict.h"
#include "host/kernel.h"
#include "pci/device.h"

#define QUIRKS_PATH   "/usr/share/pve-vfio/quirks.json"
#define QUIRKS_FORMAT 1
#define QUIRKS_MAX    ((size_t)1 << 20)

/* Devices by vendor, a range of device ids, the beginning of their class. */
struct quirk_devices {
	uint16_t vendor;
	uint16_t from, to;
	char class_start[7]; /* "03", "0300"; "" for any */
};

struct quirk {
	char *id;
	enum verdict_level level;
	struct kernel_version from, before; /* 0.0: no limit */
	struct quirk_devices *devices;
	size_t device_count;
	struct strings modules; /* one must be loaded; none: any */
	struct strings drivers; /* one must be the device's driver; none: any */
	char *unless_module;	/* loaded: then it does not apply; or NULL */
	bool virtual;		/* of virtual functions alone */
	char *what, *remedy, *source;
};

/* Started as { 0 }. */
struct quirks {
	struct quirk *items;
	size_t count;
	bool replaced; /* they come from the file, not from the program */
};

/* Parses a document; `name` is what messages call it. -EBADMSG with the entry that is wrong. */
int quirks_parse(const char *name, const char *data, size_t size, struct quirks *ret,
		 struct error *err);

/* Reads the file, or takes those that are built in. */
int quirks_read(const struct sysroot *root, struct quirks *ret, struct error *err);
void quirks_done(struct quirks *quirks);
#define cleanup_quirks cleanup(quirks_done)

/* What a quirk is matched against. */
struct quirk_target {
	const struct sysroot *root; /* for which modules are loaded */
	struct kernel_version kernel;
	const struct pci_device *device;
	bool virtual;
};

bool quirk_applies(const struct quirk *quirk, const struct quirk_target *target);

/* The document that is built in, of `quirks_data_size()` bytes. */
const char *quirks_data(void);
size_t quirks_data_size(void);
