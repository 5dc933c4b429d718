/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: whether the host uses a disk that hangs on a device of the plan. */
#include <errno.h>
#include <string.h>

#include "check/check.h"
#include "use/storage.h"
#include "use/usb.h"

/* Whoever has it open comes first; the table has what is to be done about the host's own uses. */
static int advise(const struct start *start, enum check_id id, const struct strings *uses,
		  const struct holders *holders, struct findings *findings)
{
	cleanup_free char *remedy = holders_remedy(holders, start->vmid);
	bool others = false;

	if (!remedy)
		return -ENOMEM;
	if (holders->count == 0)
		return 0;
	for (size_t i = 0; i < uses->count; i++)
		others |= !strstr(uses->items[i], " is open in ");
	return finding_advise(findings, "%s%s%s", remedy, others ? " " : "",
			      others ? check_describe(id)->remedy : "");
}

static int check_one(const struct start *start, const struct pci_device *device,
		     struct findings *findings)
{
	enum check_id id =
		usb_is_controller(device) ? CHECK_USB_STORAGE_IN_USE : CHECK_STORAGE_IN_USE;
	cleanup_holders struct holders holders = { 0 };
	cleanup_strings struct strings uses = { 0 };
	struct error reason = { 0 };
	int r = storage_uses_find(start->root, device->name, &start->plan.openings, &uses, &holders,
				  &reason);

	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return finding_add(findings, id, device->name,
				   "It cannot be determined whether the host uses its disks: %s.",
				   reason.message);
	if (uses.count == 0)
		return 0;
	r = finding_add_list(findings, id, device->name, &uses);
	return r < 0 ? r : advise(start, id, &uses, &holders, findings);
}

int check_storage(const struct start *start, struct findings *findings, struct error *err)
{
	for (size_t i = 0; i < start->plan.device_count; i++)
		if (check_one(start, &start->plan.devices[i].device, findings) < 0)
			return error_set_memory(err);
	return 0;
}
