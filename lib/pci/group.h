/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pci: what the kernel shows of the IOMMU groups: their domain types, and memory that the firmware
 * reserved for devices of theirs (RMRR, Intel VT-d specification 4.1, 8.4).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "host/sysroot.h"

struct iommu_group {
	int number;
	char *type; /* "DMA", "DMA-FQ", "identity"; NULL where it was not asked, or cannot be read */
	bool reserved; /* a `direct` line in reserved_regions: not for VFIO */
};

/* In order of number. Started as { 0 }. */
struct iommu_groups {
	struct iommu_group *items;
	size_t count;
};

/*
 * Reads /sys/kernel/iommu_groups (Documentation/ABI/testing/sysfs-kernel-iommu_groups): no folder
 * means no group. "direct-relaxable" regions, of USB and graphics, do not matter. 0 or
 * -errno. Does not block.
 */
int iommu_groups_read(const struct sysroot *root, struct iommu_groups *ret);

/* And their types, for who tells them. */
void iommu_groups_read_types(const struct sysroot *root, struct iommu_groups *groups);
void iommu_groups_done(struct iommu_groups *groups);
#define cleanup_iommu_groups cleanup(iommu_groups_done)

/* The same, read of one group alone. */
bool iommu_group_has_direct(const struct sysroot *root, int number);

/* The group has memory that keeps its devices from VFIO. */
bool iommu_group_is_reserved(const struct iommu_groups *groups, int number);

/* Whose IOMMU is in use: "dmar0" or "ivhd0" in /sys/class/iommu, else the firmware's table. */
enum iommu_vendor { IOMMU_OTHER, IOMMU_INTEL, IOMMU_AMD };
enum iommu_vendor iommu_vendor_read(const struct sysroot *root);

/*
 * Whether the running kernel keeps devices with reserved memory from VFIO: all since Linux 6.6
 * (require_direct in drivers/iommu/iommu.c), before it those of Intel's alone; there the parameter
 * relax_rmrr of Proxmox VE's kernels allows them. Does not block.
 */
bool iommu_reserved_is_refused(const struct sysroot *root);
