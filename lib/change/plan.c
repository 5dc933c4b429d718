/* SPDX-License-Identifier: GPL-2.0-or-later */
/* change: the plan of a start, once it is made. */
#include "change/plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pci/driver.h"
#include "pci/vfio.h"

const struct plan_device *plan_find_device(const struct plan *plan, const char *name)
{
	for (size_t i = 0; i < plan->device_count; i++)
		if (strcmp(plan->devices[i].device.name, name) == 0)
			return &plan->devices[i];
	return NULL;
}

bool plan_has_device(const struct plan *plan, struct pci_address address)
{
	for (size_t i = 0; i < plan->device_count; i++)
		if (pci_address_equal(plan->devices[i].device.address, address))
			return true;
	return false;
}

/* What all of this was for: each device is with VFIO, and its node is there for QEMU. */
int plan_confirm(const struct sysroot *root, const struct plan *plan, unsigned deadline_ms,
		 struct error *err)
{
	struct deadline deadline = deadline_in_ms(deadline_ms);

	for (size_t i = 0; i < plan->device_count; i++) {
		const struct pci_device *device = &plan->devices[i].device;
		const char *wanted = plan->devices[i].vfio.name;
		cleanup_free char *driver = NULL;
		int r;

		if (plan->devices[i].foreseen)
			continue;
		r = pci_driver_read(root, device->name, &driver);
		if (r < 0 || !text_equal(driver, wanted))
			return error_set(err, r < 0 ? r : -EIO, "%s is not with %s but with %s",
					 device->name, wanted, driver ? driver : "no driver");
		r = vfio_group_node_wait(root, device->iommu_group, deadline, err);
		if (r < 0)
			return r;
	}
	return 0;
}

void plan_done(struct plan *plan)
{
	for (size_t i = 0; i < plan->device_count; i++) {
		pci_device_done(&plan->devices[i].device);
		vfio_driver_done(&plan->devices[i].vfio);
		free(plan->devices[i].override);
		free(plan->devices[i].module);
	}
	free(plan->devices);
	nodes_done(&plan->nodes);
	openings_done(&plan->openings);
	actions_done(&plan->actions);
	*plan = (struct plan){ 0 };
}
