/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: whether the host keeps a keyboard. Disks on USB controllers are in storage.c. */
#include "use/usb.h"

#include "check/check.h"
#include "use/child.h"

/* The USB controller of the plan that a keyboard hangs on, or NULL. */
static const struct pci_device *find_controller(const struct plan *plan,
						const struct keyboard *keyboard)
{
	for (size_t i = 0; i < plan->device_count; i++) {
		const struct pci_device *device = &plan->devices[i].device;

		if (usb_is_controller(device) && child_is_below(keyboard->path, device->name))
			return device;
	}
	return NULL;
}

/* A note only, so what cannot be read is not reported. */
int check_usb(const struct start *start, struct findings *findings, struct error *err)
{
	cleanup_keyboards struct keyboards keyboards = { 0 };

	if (keyboards_find(start->root, &keyboards, NULL) < 0)
		return 0;
	for (size_t i = 0; i < keyboards.count; i++)
		if (!find_controller(&start->plan, &keyboards.items[i]))
			return 0;
	for (size_t i = 0; i < keyboards.count; i++) {
		const struct keyboard *keyboard = &keyboards.items[i];
		const struct pci_device *device = find_controller(&start->plan, keyboard);

		if (finding_add(findings, CHECK_USB_KEYBOARD, device->name,
				"The keyboard '%s' is plugged in there, and the host keeps no "
				"other.",
				keyboard->name) < 0)
			return error_set_memory(err);
	}
	return 0;
}
