/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pve: what differs between the versions of Proxmox VE that are supported, 7 to 9: one table, with
 * the version of qemu-server in which each rule came and the source, held against the version that
 * is installed. dpkg's file, which tells that, has some megabytes: ask only where it matters.
 */
#pragma once

#include "host/sysroot.h"

enum pve_rule {
	PVE_RULE_MACHINE_FORMAT, /* machine is a property string */
	PVE_RULE_NVIDIA_SYSFS,	 /* nvidia-N of kernel 6.8 and later: current_vgpu_type */
	PVE_RULE_MAPPING_MDEV,	 /* `mdev` of a mapping is compared with the device */
	PVE_RULE_SHOWCMD_DRY,	 /* qm showcmd reserves nothing */
	PVE_RULE_HOSTPCI_DRIVER, /* hostpci lines have the key `driver` */
	PVE_RULE_NVML,		 /* types that can be created are asked of NVIDIA's library */
	PVE_RULE_CLEANUP_FLAG,	 /* post-stop once a start, by a flag that the start makes */
	PVE_RULE_ROMFILE_ROOT,	 /* the API lets root@pam alone set a romfile, with mappings too */
	PVE_RULE_COUNT,
};

struct pve_rule_description {
	const char *name;
	unsigned since[3];
	unsigned also[3]; /* the same on the branch of an earlier major version; 0: it is not */
	const char *meaning;
	const char *source; /* a commit of qemu-server */
};

const struct pve_rule_description *pve_rule_describe(enum pve_rule rule);

/* The installed version of qemu-server, which the caller frees; NULL where it cannot be determined. */
char *pve_version_read(const struct sysroot *root);

/* Whether a rule holds in that version; of an unknown one (NULL) the newest is assumed. */
bool pve_rule_holds_in(enum pve_rule rule, const char *version);
bool pve_rule_holds(const struct sysroot *root, enum pve_rule rule);

/* This program was written with that version or a later one at hand: all of it is known. */
bool pve_version_is_known(const char *version);
