/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * use: which processes hold a device through VFIO.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "host/sysroot.h"
#include "pci/device.h"

/* A process that holds the device node of an IOMMU group, /dev/vfio/GROUP. */
struct vfio_holder {
	pid_t pid;
	int group;
	char command[64]; /* its short name, /proc/PID/comm */
};

struct vfio_holders {
	struct vfio_holder *items;
	size_t count;
};

/*
 * All holders of VFIO groups, in order of pid (Documentation/driver-api/vfio.rst: a user of any
 * device of a group holds the group's node open). With `pid` not 0 only that process is looked
 * at. A process that ends meanwhile is none; one whose descriptors may not be read is an error,
 * since it may be a holder. Does not block.
 */
int vfio_holders_find(const struct sysroot *root, pid_t pid, struct vfio_holders *ret,
		      struct error *err);
void vfio_holders_done(struct vfio_holders *holders);
#define cleanup_vfio_holders cleanup(vfio_holders_done)

/*
 * The group's node is open. It stays so for a moment after its process has ended and shows no
 * descriptors any more, while the kernel takes the VM's memory apart; until then no host driver
 * can have a device of the group. Tried by opening it, which only one can (vfio.rst).
 */
bool vfio_group_is_open(const struct sysroot *root, int group);

/* The holder of a group, or NULL. */
const struct vfio_holder *vfio_holder_of(const struct vfio_holders *holders, int group);
