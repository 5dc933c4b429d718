/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: whether another VM or process has a device of the plan. */
#include <string.h>

#include "check/check.h"
#include "pve/reservation.h"
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

static bool needs_holders(const struct start *start)
{
	for (size_t i = 0; i < start->plan.device_count; i++)
		if (may_be_open(&start->plan.devices[i].device))
			return true;
	return false;
}

static int check_holders(const struct start *start, struct findings *findings, struct error *err)
{
	cleanup_vfio_holders struct vfio_holders holders = { 0 };
	int r;

	if (!needs_holders(start))
		return 0;
	r = vfio_holders_find(start->root, 0, &holders, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < start->plan.device_count; i++) {
		const struct plan_device *planned = &start->plan.devices[i];
		const struct vfio_holder *holder =
			vfio_holder_of(&holders, planned->device.iommu_group);

		if (holder && finding_add(findings, CHECK_DEVICE_HELD, planned->device.name,
					  "Process %d (%s) has its IOMMU group %d open.",
					  (int)holder->pid, holder->command, holder->group) < 0)
			return error_set_memory(err);
	}
	return 0;
}

/* A device that its VM has stopped with and only kept from the host may change hands. */
int check_claims(const struct start *start, struct findings *findings, struct error *err)
{
	for (size_t i = 0; i < start->plan.device_count; i++) {
		const struct plan_device *planned = &start->plan.devices[i];
		const struct journal *owner;
		const struct action *action =
			claims_find(&start->claims, planned->device.name, &owner);

		if (!action || owner->phase == JOURNAL_KEPT)
			continue;
		if (finding_add(findings, CHECK_DEVICE_OWNED, planned->device.name,
				"VM %u has it (%s there; its journal says '%s').", owner->vmid,
				action->source, journal_phase_name(owner->phase)) < 0)
			return error_set_memory(err);
	}
	return 0;
}

/* PVE reserves what stands in hostpci lines, and nothing of `args` or of the group. */
static int check_reservations(const struct start *start, struct findings *findings,
			      struct error *err)
{
	cleanup_reservations struct reservations reservations = { 0 };
	time_t now = time(NULL);
	int r = reservations_read(start->root, &reservations, err);

	for (size_t i = 0; i < start->wanted.count && r == 0; i++) {
		const struct wanted_device *device = &start->wanted.devices[i];
		const struct reservation *other;
		char name[PCI_ADDRESS_TEXT];

		if (device->use != WANTED_TAKE || strcmp(device->source, SOURCE_ARGS) == 0)
			continue;
		pci_address_format(device->address, name);
		other = reservation_blocking(start->root, &reservations, name, start->vmid, now);
		if (other && finding_add(findings, CHECK_DEVICE_RESERVED, name,
					 "It is reserved for VM %u (%s).", other->vmid,
					 RESERVATION_PATH) < 0)
			r = error_set_memory(err);
	}
	return r;
}

int check_owner(const struct start *start, struct findings *findings, struct error *err)
{
	int r = check_claims(start, findings, err);

	if (r == 0)
		r = check_reservations(start, findings, err);
	return r < 0 ? r : check_holders(start, findings, err);
}
