/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: whether the devices of the plan answer, and can be reset. Those that are stuck are left. */
#include "use/reset.h"

#include "check/check.h"

/* Those the VM gets are reset with it. */
static int check_neighbours(const struct start *start, const struct pci_device *device,
			    struct findings *findings, struct error *err)
{
	cleanup_pci_addresses struct pci_addresses neighbours = { 0 };
	cleanup_text struct text names = { 0 };
	int r = reset_neighbours_find(start->root, device->address, &neighbours, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < neighbours.count; i++) {
		char name[PCI_ADDRESS_TEXT];

		if (!plan_has_device(&start->plan, neighbours.items[i]))
			text_add(&names, " %s", pci_address_format(neighbours.items[i], name));
	}
	if (!names.size)
		return names.failed ? error_set_memory(err) : 0;
	r = finding_add(findings, CHECK_BUS_RESET_SHARED, device->name,
			"Its bus is the least that can be reset, and there is more on it:%s.",
			names.data);
	return r < 0 ? error_set_memory(err) : 0;
}

static int check_one(const struct start *start, const struct pci_device *device,
		     struct findings *findings, struct error *err)
{
	int r = 0;

	if (device_is_dead(start->root, device->name)) {
		r = finding_add(findings, CHECK_DEVICE_DEAD, device->name,
				"/sys/bus/pci/devices/%s/config reads ff throughout.",
				device->name);
		return r < 0 ? error_set_memory(err) : 0;
	}
	switch (reset_reach_read(start->root, device->name)) {
	case RESET_FUNCTION:
		break;
	case RESET_BUS:
		return check_neighbours(start, device, findings, err);
	case RESET_NONE:
		r = finding_add(findings, CHECK_NO_RESET, device->name,
				"It has no reset of its own, and its bus none either.");
		break;
	}
	return r < 0 ? error_set_memory(err) : 0;
}

int check_reset(const struct start *start, struct findings *findings, struct error *err)
{
	int r = 0;

	for (size_t i = 0; i < start->plan.device_count && r == 0; i++) {
		const struct plan_device *planned = &start->plan.devices[i];

		if (!planned->device.bridge && !planned->stuck)
			r = check_one(start, &planned->device, findings, err);
	}
	return r;
}
