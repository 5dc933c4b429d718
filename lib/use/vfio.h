/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * use: which processes hold a device through VFIO.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "host/sysroot.h"
#include "pci/device.h"

/*
 * A process that holds a device of an IOMMU group: by the group's node, /dev/vfio/GROUP or
 * /dev/vfio/noiommu-GROUP, or, with iommufd, by the device's own, /dev/vfio/devices/vfioN.
 */
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
 * device of a group holds the group's node or the device's open). With `pid` not 0 only that process is looked
 * at. A process that ends meanwhile is none; one whose descriptors may not be read is an error,
 * since it may be a holder. Does not block.
 */
int vfio_holders_find(const struct sysroot *root, pid_t pid, struct vfio_holders *ret,
		      struct error *err);
void vfio_holders_done(struct vfio_holders *holders);
#define cleanup_vfio_holders cleanup(vfio_holders_done)

/* What a look through /proc has found, where one was needed. Started as { 0 }. */
struct vfio_sight {
	struct vfio_holders holders;
	bool looked, failed;
};

void vfio_sight_done(struct vfio_sight *sight);
#define cleanup_vfio_sight cleanup(vfio_sight_done)

/*
 * Somebody has a device of the group open, in any form. It stays so for a moment after its process
 * has ended and shows no descriptors any more, while the kernel takes the VM's memory apart; until
 * then no host driver can have a device of the group. Tried by opening the group's node, which only
 * one can (vfio.rst), and nobody while one of its devices is open by its own node
 * (vfio_device_block_group() in drivers/vfio/group.c, since 6.6). Where there is no such node
 * (VFIO_GROUP=n) it is looked for in /proc, once for all questions with the same `sight`; what
 * cannot be determined counts as open.
 * Blocks while the kernel takes the last user's memory apart: drivers/vfio/group.c does that with
 * the group locked.
 */
bool vfio_group_is_open(const struct sysroot *root, int group, struct vfio_sight *sight);

/* The holder of a group, or NULL. */
const struct vfio_holder *vfio_holder_of(const struct vfio_holders *holders, int group);
