/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: whether another VM or process has a device of the plan. */
#include <errno.h>
#include <string.h>

#include "check/check.h"
#include "use/vfio.h"

/*
 * A group can be open only while each of its devices has a VFIO driver or none
 * (Documentation/driver-api/vfio.rst); all VFIO drivers have it in their name.
 */
static bool may_be_open(const struct pci_device *device)
{
	return device->iommu_group != IOMMU_GROUP_NONE &&
	       (!device->driver || strstr(device->driver, "vfio"));
}

static int check_holders(const struct check_start *start, struct findings *findings,
			 struct error *err)
{
	cleanup_vfio_holders struct vfio_holders holders = { 0 };
	bool needed = false;
	int r;

	for (size_t i = 0; i < start->plan->device_count; i++)
		needed |= may_be_open(&start->plan->devices[i].device);
	if (!needed)
		return 0;
	r = vfio_holders_find(start->root, 0, &holders, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < start->plan->device_count; i++) {
		const struct pci_device *device = &start->plan->devices[i].device;
		const struct vfio_holder *holder = vfio_holder_of(&holders, device->iommu_group);

		if (holder && finding_add(findings, CHECK_DEVICE_HELD, device->name,
					  "Process %d (%s) has its IOMMU group %d open.",
					  (int)holder->pid, holder->command, holder->group) < 0)
			return error_set_memory(err);
	}
	return 0;
}

static int check_journal(const struct check_start *start, const struct journal *other,
			 struct findings *findings, struct error *err)
{
	for (size_t i = 0; i < start->plan->device_count; i++) {
		const char *name = start->plan->devices[i].device.name;
		const struct action *action = actions_find(&other->actions, ACTION_BIND, name);

		if (action &&
		    finding_add(findings, CHECK_DEVICE_OWNED, name,
				"VM %u has it (%s there; its journal says '%s').", other->vmid,
				action->source, journal_phase_name(other->phase)) < 0)
			return error_set_memory(err);
	}
	return 0;
}

static int check_journals(const struct check_start *start, struct findings *findings,
			  struct error *err)
{
	cleanup_vmids struct vmids vmids = { 0 };
	int r;

	if (!start->state || start->plan->device_count == 0)
		return 0;
	r = journal_list(start->state, &vmids, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < vmids.count; i++) {
		cleanup_journal struct journal other = { 0 };

		if (vmids.items[i] == start->vmid)
			continue;
		r = journal_read(start->root, start->state, vmids.items[i], &other, err);
		if (r == -ENOENT)
			continue;
		if (r == 0)
			r = check_journal(start, &other, findings, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int check_owner(const struct check_start *start, struct findings *findings, struct error *err)
{
	int r = check_journals(start, findings, err);

	return r < 0 ? r : check_holders(start, findings, err);
}
