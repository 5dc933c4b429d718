/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: processes that hold nodes of the plan's devices; and variants of the VFIO driver. */
#include <errno.h>

#include "change/release.h"
#include "check/check.h"
#include "host/unit.h"

static int add_opener(const struct start *start, const struct opener *opener, struct strings *uses)
{
	cleanup_free char *unit = unit_of_process(start->root, opener->pid);
	cleanup_free char *sentence =
		text_format("process %d (%s)%s%s has %s open", (int)opener->pid, opener->command,
			    unit ? " of " : "", unit ? unit : "", opener->node);

	return sentence ? strings_add(uses, sentence) : -ENOMEM;
}

/* One finding for all devices: a display and its audio have the same users. */
int check_node(const struct start *start, struct findings *findings, struct error *err)
{
	cleanup_openers struct openers openers = { 0 };
	cleanup_strings struct strings uses = { 0 };
	struct error reason = { 0 };
	const char *subject;
	int r = release_openers(&start->plan, start->root, &openers, &reason);

	if (start->plan.device_count == 0)
		return 0;
	subject = start->plan.devices[0].device.name;
	if (r < 0)
		r = finding_add(findings, CHECK_NODE_IN_USE, subject,
				"It cannot be told who uses its device nodes: %s.", reason.message);
	for (size_t i = 0; i < openers.count && r == 0; i++)
		r = add_opener(start, &openers.items[i], &uses);
	if (r == 0)
		r = finding_add_list(findings, CHECK_NODE_IN_USE, subject, &uses);
	return r < 0 ? error_set_memory(err) : 0;
}

/* A hint, where the VM could have more of the device with another driver. */
int check_variant(const struct start *start, struct findings *findings, struct error *err)
{
	for (size_t i = 0; i < start->plan.device_count; i++) {
		const struct plan_device *device = &start->plan.devices[i];
		cleanup_vfio_driver struct vfio_driver best = { 0 };

		if (device->sibling || device->foreseen ||
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
