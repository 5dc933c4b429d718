/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * use: device-mapper devices, by the kernel's own interface (include/uapi/linux/dm-ioctl.h): LVM
 * volumes, dm-crypt. No program is run, and no disk is read.
 */
#pragma once

#include "host/sysroot.h"

/*
 * How often a device is open: each device that is built on it counts as one, and so do a mount, swap
 * and a process. `uuid` is its dm/uuid. 0 or -errno; -ENXIO when it is gone. Does not block.
 */
int mapper_opens(const struct sysroot *root, const char *uuid, unsigned *ret);

/*
 * Removes a device. The kernel refuses that with -EBUSY while it is open, so that nothing can come in
 * between (dm_lock_for_deletion() in drivers/md/dm.c). -ENXIO when it is gone. What is written to it
 * and not on the disk yet is flushed first: call it in a lane.
 */
int mapper_remove(const struct sysroot *root, const char *uuid);
