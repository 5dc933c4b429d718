/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: what the host's IOMMU and the VM's own make of the groups: whether QEMU can have them. */
#include <errno.h>
#include <string.h>

#include "check/check.h"
#include "pci/group.h"
#include "pve/property.h"

/* ---- memory that the firmware has reserved */

const char *check_reserved_remedy(const struct sysroot *root)
{
	switch (iommu_vendor_read(root)) {
	case IOMMU_INTEL:
		return "Look for a firmware update or a setting of the maker (HPE: 'shared memory "
		       "features'). The kernels of Proxmox VE can ignore it, at your own risk: "
		       "'pve-vfio setup --add --param intel_iommu=on,relax_rmrr', and a reboot.";
	case IOMMU_AMD:
		return "Switch 'Pre-boot DMA Protection' or 'Kernel DMA Protection Indicator' off in "
		       "the firmware's settings (some show it only while IOMMU is 'Enabled', not "
		       "'Auto'), and leave IOMMU on. If there is no such setting, look for a "
		       "firmware update.";
	case IOMMU_OTHER:
		break;
	}
	return "Look for a firmware update: it is the firmware that asks for this.";
}

/* One finding for each group. */
static bool is_first_of_group(const struct plan *plan, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (!plan->devices[i].sibling &&
		    plan->devices[i].device.iommu_group == plan->devices[at].device.iommu_group)
			return false;
	return true;
}

static int check_reserved(const struct start *start, struct findings *findings)
{
	for (size_t i = 0; i < start->plan.device_count; i++) {
		const struct plan_device *planned = &start->plan.devices[i];
		const struct pci_device *device = &planned->device;

		if (planned->sibling || device->bridge || device->iommu_group == IOMMU_GROUP_NONE ||
		    !is_first_of_group(&start->plan, i) ||
		    !iommu_group_has_direct(start->root, device->iommu_group) ||
		    !iommu_reserved_is_refused(start->root))
			continue;
		if (finding_add(findings, CHECK_GROUP_RESERVED, device->name,
				"The firmware has reserved memory for its IOMMU group %d ('direct' "
				"in /sys/kernel/iommu_groups/%d/reserved_regions), so the kernel "
				"does not give it to a VM.",
				device->iommu_group, device->iommu_group) < 0 ||
		    finding_advise(findings, "%s", check_reserved_remedy(start->root)) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* ---- the VM's own IOMMU */

/* The machine without its vIOMMU, "q35" of "q35,viommu=intel"; false where it has none. */
static bool find_viommu(const struct vm_config *config, struct text *ret_machine,
			struct text *ret_kind)
{
	cleanup_properties struct properties properties = { 0 };
	const char *machine = vm_config_get(config, "machine");

	if (!machine || !vm_config_is_q35(config) ||
	    properties_parse(machine, "type", &properties, NULL) < 0)
		return false;
	for (size_t i = 0; i < properties.count; i++) {
		const struct property *property = &properties.items[i];
		bool type = strcmp(property->key, "type") == 0;

		if (strcmp(property->key, "viommu") == 0)
			text_add(ret_kind, "%s", property->value);
		else
			text_add(ret_machine, "%s%s%s%s", ret_machine->size ? "," : "",
				 type ? "" : property->key, type ? "" : "=", property->value);
	}
	return ret_kind->size > 0;
}

/* QEMU has the function by a line with pcie=1, which gives it a bus number of its own. */
static bool is_express(const struct start *start, const struct plan_device *planned)
{
	const struct hostpci *line = vm_config_line(&start->config, planned->source);

	return line && line->pcie;
}

/*
 * Another function of the group that is in another address space of the guest. Those without pcie=1
 * are behind one bridge of the old kind, and so in one (pci_device_iommu_address_space() in QEMU's
 * hw/pci/pci.c).
 */
static const struct plan_device *find_apart(const struct start *start, size_t at)
{
	const struct plan_device *planned = &start->plan.devices[at];

	for (size_t i = 0; i < at; i++) {
		const struct plan_device *other = &start->plan.devices[i];

		if (!other->sibling && vm_config_line(&start->config, other->source) &&
		    other->device.iommu_group == planned->device.iommu_group &&
		    (is_express(start, planned) || is_express(start, other)))
			return other;
	}
	return NULL;
}

static int check_viommu(const struct start *start, struct findings *findings)
{
	cleanup_text struct text machine = { 0 }, kind = { 0 };

	if (!find_viommu(&start->config, &machine, &kind))
		return machine.failed || kind.failed ? -ENOMEM : 0;
	for (size_t i = 0; i < start->plan.device_count; i++) {
		const struct plan_device *planned = &start->plan.devices[i], *other;
		const struct pci_device *device = &planned->device;

		if (planned->sibling || device->bridge || device->iommu_group == IOMMU_GROUP_NONE ||
		    !vm_config_line(&start->config, planned->source))
			continue;
		other = find_apart(start, i);
		if (!other)
			continue;
		if (finding_add(findings, CHECK_VIOMMU_GROUP, device->name,
				"It is in IOMMU group %d with %s, which the VM gets too, and with "
				"viommu=%s each has an address space of its own: QEMU fails with "
				"'group %d used in multiple address spaces'.",
				device->iommu_group, other->device.name, kind.data,
				device->iommu_group) < 0 ||
		    finding_advise(findings,
				   "Leave the vIOMMU out: 'qm set %u --machine %s'. Or pass one "
				   "function of the group alone, such as %s.",
				   start->vmid, machine.size ? machine.data : "q35",
				   other->device.name) < 0)
			return -ENOMEM;
	}
	return 0;
}

int check_iommu(const struct start *start, struct findings *findings, struct error *err)
{
	if (check_reserved(start, findings) < 0 || check_viommu(start, findings) < 0)
		return error_set_memory(err);
	return 0;
}
