/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pve: resource mappings, /etc/pve/mapping/pci.cfg: names for devices, each with entries for the
 * nodes of the cluster. Format and rules: pve-guest-common's Mapping/PCI.pm over pve-common's
 * SectionConfig.pm (read at 6.0.2 and 9.1.x).
 */
#pragma once

#include "base/text.h"
#include "host/sysroot.h"
#include "pci/device.h"

#define MAPPING_PATH "/etc/pve/mapping/pci.cfg"

/* pmxcfs holds files of up to 1 MiB. */
#define MAPPING_MAX ((size_t)1 << 20)

/* One `map` line: a node's device, or several that are passed together. */
struct mapping_entry {
	unsigned line;
	char *node;
	char *id;	      /* "10de:2204", as written: PVE compares with care for case */
	char *subsystem_id;   /* or NULL */
	char *iommu_group;    /* as written, or NULL */
	char *description;    /* or NULL */
	struct strings paths; /* "0000:01:00.0", or "0000:01:00" for all functions */
};

struct mapping {
	char *name;
	unsigned line;
	bool mdev;
	bool migratable;	       /* live-migration-capable */
	struct mapping_entry *entries; /* of all nodes, in order of file */
	size_t count;		       /* 0: to PVE there is no such mapping */
};

/*
 * A line PVE ignores with no more than a warning; of a section it ignores as a whole the first.
 * A control character represents a NUL in `text`.
 */
struct mapping_dropped_line {
	unsigned line;
	char *text; /* without the blanks before it */
	char *why;
};

/* Started as { 0 }. */
struct mappings {
	struct mapping *items; /* in order of file; of a name given twice the last counts */
	size_t count;
	struct mapping_dropped_line *dropped;
	size_t dropped_count;
};

/* Parses the content of the file. Fails without memory only. */
int mappings_parse(const char *data, size_t size, struct mappings *ret,
		   struct error *err) must_check;

/* Reads and parses the file; none at all gives no mappings. */
int mappings_read(const struct sysroot *root, struct mappings *ret, struct error *err) must_check;

/* The mapping PVE knows by that name, with one entry at least, or NULL. */
const struct mapping *mappings_find(const struct mappings *mappings, const char *name);
void mappings_done(struct mappings *mappings);
#define cleanup_mappings cleanup(mappings_done)

/* A device as assert_valid() compares it; its ids are Proxmox VE's, "10de:2204". */
struct mapping_device {
	uint16_t vendor, device, subsystem_vendor, subsystem_device;
	int iommu_group; /* or IOMMU_GROUP_NONE */
	bool mdev;	 /* it has mdev_supported_types or nvidia/ */
};

/* Finds one by its address, "0000:01:00.0": 0, -ENODEV, or another -errno with a sentence. */
typedef int mapping_look(const void *context, const char *address, struct mapping_device *ret,
			 struct error *err);

/*
 * What assert_valid() of Mapping/PCI.pm would die of for one entry, in its words
 * ("'iommugroup' does not match for 'gpu' (12 != 11)": the device has 12), or NULL when the device
 * is what the entry says. The caller frees it. -errno only when that cannot be told. `mdev` tells
 * whether that is compared too: PVE_RULE_MAPPING_MDEV.
 */
int mapping_entry_compare(const struct mapping *mapping, const struct mapping_entry *entry,
			  bool mdev, mapping_look *look, const void *context, char **ret_fault,
			  struct error *err) must_check;

/* The same with the devices of this machine. Does not block. */
int mapping_entry_check(const struct sysroot *root, const struct mapping *mapping,
			const struct mapping_entry *entry, bool mdev, char **ret_fault,
			struct error *err) must_check;

/* A path of an entry as the address that is compared: without a function it is that of ".0". To be freed. */
char *mapping_path_address(const char *path);
