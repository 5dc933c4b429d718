/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: whether the host uses a network interface that hangs on a device of the plan. */
#include <errno.h>

#include "check/check.h"
#include "use/network.h"

static int check_one(const struct start *start, const struct pci_device *device,
		     struct findings *findings)
{
	cleanup_strings struct strings uses = { 0 };
	struct error reason = { 0 };
	int r = network_uses_find(start->root, device->name, &uses, &reason);

	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return finding_add(findings, CHECK_NETWORK_IN_USE, device->name,
				   "It cannot be told whether the host uses its network "
				   "interfaces: %s.",
				   reason.message);
	return finding_add_list(findings, CHECK_NETWORK_IN_USE, device->name, &uses);
}

int check_network(const struct start *start, struct findings *findings, struct error *err)
{
	for (size_t i = 0; i < start->plan.device_count; i++)
		if (check_one(start, &start->plan.devices[i].device, findings) < 0)
			return error_set_memory(err);
	return 0;
}
