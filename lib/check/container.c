/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: whether a container is given a device of the plan. */
#include "use/container.h"

#include <errno.h>

#include "check/check.h"

static int add_use(const struct container_use *use, const char *subject, struct findings *findings)
{
	enum check_id id =
		use->running && use->exact ? CHECK_CONTAINER_USES : CHECK_CONTAINER_LISTS;

	return finding_add(findings, id, subject, "Container %u, which %s, has the line '%.200s'.",
			   use->vmid, use->running ? "runs" : "does not run", use->line);
}

static int check_one(const struct start *start, const struct pci_device *device,
		     struct findings *findings)
{
	cleanup_container_uses struct container_uses uses = { 0 };
	struct error reason = { 0 };
	int r = container_uses_find(start->root, device->name, &uses, &reason);

	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return finding_add(findings, CHECK_CONTAINER_LISTS, device->name,
				   "It cannot be told whether a container is given it: %s.",
				   reason.message);
	for (size_t i = 0; r == 0 && i < uses.count; i++)
		r = add_use(&uses.items[i], device->name, findings);
	return r;
}

int check_container(const struct start *start, struct findings *findings, struct error *err)
{
	for (size_t i = 0; i < start->plan.device_count; i++)
		if (check_one(start, &start->plan.devices[i].device, findings) < 0)
			return error_set_memory(err);
	return 0;
}
