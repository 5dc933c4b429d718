/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pci: the device nodes of VFIO (Documentation/driver-api/vfio.rst).
 */
#pragma once

#include "base/clock.h"
#include "host/sysroot.h"

/*
 * Waits until /dev/vfio/GROUP is there, which is what QEMU opens: udev or devtmpfs makes it a
 * moment after the bind. -ETIMEDOUT at the deadline.
 */
int vfio_group_node_wait(const struct sysroot *root, int group, struct deadline deadline,
			 struct error *err) must_check;
