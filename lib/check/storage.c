/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: whether the host uses a disk that hangs on a device of the plan. */
#include <errno.h>

#include "check/check.h"
#include "use/storage.h"
#include "use/usb.h"

static int check_one(const struct start *start, const struct pci_device *device,
		     struct findings *findings)
{
	enum check_id id =
		usb_is_controller(device) ? CHECK_USB_STORAGE_IN_USE : CHECK_STORAGE_IN_USE;
	cleanup_strings struct strings uses = { 0 };
	struct error reason = { 0 };
	int r = storage_uses_find(start->root, device->name, &uses, &reason);

	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return finding_add(findings, id, device->name,
				   "It cannot be told whether the host uses its disks: %s.",
				   reason.message);
	return finding_add_list(findings, id, device->name, &uses);
}

int check_storage(const struct start *start, struct findings *findings, struct error *err)
{
	for (size_t i = 0; i < start->plan.device_count; i++)
		if (check_one(start, &start->plan.devices[i].device, findings) < 0)
			return error_set_memory(err);
	return 0;
}
