/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: whether VFIO can have the devices of the plan at all. */
#include "check/check.h"

static int check_one(const struct start *start, const struct plan_device *planned,
		     struct findings *findings)
{
	const struct pci_device *device = &planned->device;

	if (device->bridge)
		return finding_add(findings, CHECK_DEVICE_BRIDGE, device->name,
				   "%s asks for it, and it is a PCI bridge (class %06x).",
				   planned->source, device->class_code);
	if (device->iommu_group == IOMMU_GROUP_NONE)
		return finding_add(
			findings, CHECK_IOMMU_OFF, device->name,
			"It is in no IOMMU group (/sys/bus/pci/devices/%s/iommu_group is "
			"missing).",
			device->name);
	if (planned->stuck)
		return finding_add(findings, CHECK_DEVICE_STUCK, device->name,
				   "Its driver_override cannot be read in time%s%s.",
				   device->driver ? "; its driver is " : "",
				   device->driver ? device->driver : "");
	if (planned->sibling && start->settings.refuse_siblings)
		return finding_add(findings, CHECK_GROUP_SIBLINGS, device->name,
				   "It is in IOMMU group %d with a device the VM wants.",
				   device->iommu_group);
	return 0;
}

int check_device(const struct start *start, struct findings *findings, struct error *err)
{
	for (size_t i = 0; i < start->plan.device_count; i++)
		if (check_one(start, &start->plan.devices[i], findings) < 0)
			return error_set_memory(err);
	return 0;
}
