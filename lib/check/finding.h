/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * check: what a check has found. Every check has an id that never changes, a level, and a remedy;
 * a finding adds whom it concerns and the evidence.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

enum check_level {
	LEVEL_ERROR,   /* harm to the host, or a start that is certain to fail: refused */
	LEVEL_WARNING, /* reported; the start goes on */
	LEVEL_INFO,
};

/* The ids, in the order of the table in finding.c. */
enum check_id {
	CHECK_CONFIG_LINE_DROPPED,
	CHECK_CONFIG_UNKNOWN_KEY,
	CHECK_CONFIG_DEVICE_MISSING,
	CHECK_CONFIG_DEVICE_TWICE,
	CHECK_CONFIG_MDEV_MANY,
	CHECK_CONFIG_NEEDS_Q35,
	CHECK_CONFIG_LEGACY_IGD,
	CHECK_ARGS_VANISH,
	CHECK_ARGS_UNCLEAR,
	CHECK_ARGS_TIMEOUT,
	CHECK_SETTINGS_FOREIGN,
	CHECK_MAPPING_LINE_DROPPED,
	CHECK_MAPPING_MISSING,
	CHECK_MAPPING_WRONG,
	CHECK_MAPPING_MDEV,
	CHECK_MAPPING_BUSY,
	CHECK_DEVICE_ABSENT,
	CHECK_DEVICE_BRIDGE,
	CHECK_DEVICE_REMOVABLE,
	CHECK_DEVICE_STUCK,
	CHECK_DEVICE_CHANGED,
	CHECK_GUEST_GIVES_WAY,
	CHECK_DEVICE_OWNED,
	CHECK_DEVICE_HELD,
	CHECK_DEVICE_RESERVED,
	CHECK_IOMMU_OFF,
	CHECK_GROUP_SIBLINGS,
	CHECK_GROUP_RESERVED,
	CHECK_VIOMMU_GROUP,
	CHECK_INTX_SHARED,
	CHECK_MSIX_INVALID,
	CHECK_ROMFILE,
	CHECK_ROMFILE_OUTSIDE,
	CHECK_ROMFILE_IGNORED,
	CHECK_STORAGE_IN_USE,
	CHECK_NETWORK_IN_USE,
	CHECK_USB_STORAGE_IN_USE,
	CHECK_USB_KEYBOARD,
	CHECK_NODE_IN_USE,
	CHECK_NVSWITCH_LEFT,
	CHECK_MAC_TAKEN,
	CHECK_PHYSICAL_DOWN,
	CHECK_SRIOV_IN_USE,
	CHECK_MDEV_IN_USE,
	CHECK_VGPU_BOUND,
	CHECK_VGPU_TYPE,
	CHECK_VGPU_FULL,
	CHECK_VGPU_LEFT,
	CHECK_CONTAINER_USES,
	CHECK_CONTAINER_LISTS,
	CHECK_MEMORY_SHORT,
	CHECK_BALLOON_SET,
	CHECK_OVMF_WINDOW,
	CHECK_IOMMU_WIDTH,
	CHECK_VM_SUSPENDED,
	CHECK_VARIANT_DRIVER,
	CHECK_FRAMEBUFFER_HELD,
	CHECK_CONSOLE_CHIP,
	CHECK_DEVICE_DEAD,
	CHECK_NO_RESET,
	CHECK_BUS_RESET_SHARED,
	CHECK_KNOWN_TROUBLE,
	CHECK_COUNT,
};

struct check_description {
	const char *id; /* "device-absent" */
	enum check_level level;
	const char *meaning;
	const char *remedy; /* what to do */
};

const struct check_description *check_describe(enum check_id id);
int check_id_parse(const char *name, enum check_id *ret);
const char *check_id_nearest(const char *name);
const char *check_level_name(enum check_level level);

struct finding {
	enum check_id id;
	enum check_level level; /* the table's, unless finding_set_level() said another */
	char *subject;		/* "hostpci0", "0000:01:00.0" */
	char *evidence;		/* what was seen, in a sentence */
	char *remedy;		/* what to do on this machine; NULL: as the table says */
	bool allowed;		/* by the settings: it refuses no start */
};

/* Started as { 0 }. */
struct findings {
	struct finding *items;
	size_t count;
};

/* Adds one; 0 or -ENOMEM. */
int finding_add(struct findings *findings, enum check_id id, const char *subject,
		const char *evidence, ...) __attribute__((format(printf, 4, 5)));

/*
 * What to do on this machine about the finding that was added last: VM, address and command are
 * filled in. Counts in place of the table's remedy. 0 or -ENOMEM.
 */
int finding_advise(struct findings *findings, const char *remedy, ...)
	__attribute__((format(printf, 2, 3)));

/* The finding that was added last is of another level than the table says. */
void finding_set_level(struct findings *findings, enum check_level level);

/* What to do about it: its own remedy, or the table's. */
const char *finding_remedy(const struct finding *finding);

/*
 * Adds one whose evidence is a list of what was found, cut where it gets long; none for an empty
 * list. 0 or -ENOMEM.
 */
int finding_add_list(struct findings *findings, enum check_id id, const char *subject,
		     const struct strings *evidence);

/* How many have the level and are not allowed. */
size_t findings_count(const struct findings *findings, enum check_level level);
void findings_done(struct findings *findings);
#define cleanup_findings cleanup(findings_done)
