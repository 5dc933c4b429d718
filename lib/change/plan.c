/* SPDX-License-Identifier: GPL-2.0-or-later */
/* change: the plan of a start, once it is made. */
#include "change/plan.h"

#include <stdlib.h>
#include <string.h>

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
