/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pci: the device nodes of VFIO. Opens none. */
#include "pci/vfio.h"

#include <errno.h>
#include <stdio.h>

int vfio_group_node_wait(const struct sysroot *root, int group, struct deadline deadline,
			 struct error *err)
{
	char path[SYSROOT_PATH_MAX];
	unsigned step = 0;

	snprintf(path, sizeof(path), "dev/vfio/%d", group);
	while (!sysroot_exists(root, path))
		if (!deadline_wait_step(deadline, &step))
			return error_set(err, -ETIMEDOUT,
					 "/%s did not appear: IOMMU group %d cannot be opened",
					 path, group);
	return 0;
}
