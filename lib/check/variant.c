/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: whether the kernel has a VFIO driver made for a device of the plan. */
#include "pci/variant.h"

#include "check/check.h"

/* A hint, where the VM could have more of the device with another driver. */
int check_variant(const struct start *start, struct findings *findings, struct error *err)
{
	for (size_t i = 0; i < start->plan.device_count; i++) {
		const struct plan_device *device = &start->plan.devices[i];
		cleanup_vfio_driver struct vfio_driver best = { 0 };

		if (device->sibling ||
		    vfio_driver_find(start->root, device->device.name, &best, NULL) < 0 ||
		    !vfio_driver_is_variant(&best) || text_equal(best.name, device->vfio.name))
			continue;
		if (finding_add(findings, CHECK_VARIANT_DRIVER, device->device.name,
				"The kernel has '%s' for it; it is given to '%s'.", best.name,
				device->vfio.name) < 0)
			return error_set_memory(err);
	}
	return 0;
}
