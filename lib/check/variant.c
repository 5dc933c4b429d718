/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: whether the kernel has a VFIO driver made for a device of the plan. */
#include "pci/variant.h"

#include <errno.h>

#include "check/check.h"
#include "check/remedy.h"
#include "pve/schema.h"

static int tell(const struct start *start, const struct plan_device *device, const char *best,
		struct findings *findings)
{
	const struct vm_hostpci *line = vm_config_hostpci(&start->config, device->source);
	cleanup_free char *command = NULL;
	int r;

	/* Advice that this node's Proxmox VE drops the line for is worse than none. */
	if (line && !line->hostpci.keep &&
	    hostpci_key_knowledge(start->root, "driver", true) == KEY_UNKNOWN)
		return 0;
	r = finding_add(findings, CHECK_VARIANT_DRIVER, device->device.name,
			"The kernel has '%s' for it; it is given to '%s'.", best,
			device->vfio.name);
	if (r < 0)
		return r;
	if (!line || line->hostpci.keep)
		return finding_advise(findings,
				      "If you want it: set \"driver\": \"auto\" in "
				      "/etc/pve/pve-vfio/%u.json.",
				      start->vmid);
	command = remedy_line(start, device->source, "driver", NULL, "driver=keep");
	return command ? finding_advise(findings,
					"If you want it: '%s', and set \"driver\": \"auto\" in "
					"/etc/pve/pve-vfio/%u.json.",
					command, start->vmid)
		       : -ENOMEM;
}

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
		if (tell(start, device, best.name, findings) < 0)
			return error_set_memory(err);
	}
	return 0;
}
