/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: whether VFIO can have the devices of the plan at all. */
#include <errno.h>

#include "check/check.h"
#include "pci/facts.h"
#include "pci/group.h"

#include <string.h>

#define CPUINFO_MAX ((size_t)8 << 20)

/* What a person can do about it depends on the processor; most often it is the whole machine. */
static const char *no_group_remedy(const struct sysroot *root)
{
	cleanup_strings struct strings groups = { 0 };
	cleanup_free char *cpu = NULL;
	size_t size;

	(void)sysroot_list(root, "sys/kernel/iommu_groups", &groups);
	if (groups.count > 0)
		return "Others are in one, so the IOMMU is on and leaves this device out: 'pve-vfio "
		       "doctor' says why, where that is known.";
	if (sysroot_read(root, "proc/cpuinfo", CPUINFO_MAX, &cpu, &size) < 0)
		return "Run 'pve-vfio doctor', which says what keeps the IOMMU off.";
	if (strstr(cpu, "CPU implementer"))
		return "On an ARM board the IOMMU is an SMMU: look for it in the firmware's settings. "
		       "A board that has none for PCIe, such as a Raspberry Pi, can pass no PCI "
		       "device to a VM.";
	switch (iommu_vendor_read(root)) {
	case IOMMU_INTEL:
		return "VT-d is on in the firmware, so it is the kernel that leaves it off: 'pve-vfio "
		       "doctor' names the reason. Most often 'pve-vfio setup', which adds "
		       "intel_iommu=on, and a reboot are all it takes.";
	case IOMMU_AMD:
		return "AMD-Vi is on in the firmware, so it is the kernel that leaves it off: "
		       "'pve-vfio doctor' names the reason, most often amd_iommu=off or iommu=off on "
		       "the kernel's command line.";
	case IOMMU_OTHER:
		break;
	}
	if (strstr(cpu, " hypervisor"))
		return "This node is a VM itself: give its own VM a q35 machine with 'viommu=intel' in "
		       "its machine line, and 'cpu: host'.";
	return strstr(cpu, "AuthenticAMD")
		       ? "Switch AMD-Vi or IOMMU on in the firmware's settings ('Enabled', not "
			 "'Auto'); 'pve-vfio doctor' says whether the processor has it."
		       : "Switch VT-d on in the firmware's settings, if the processor has it "
			 "('pve-vfio doctor' says so); then 'pve-vfio setup', which "
			 "adds intel_iommu=on where the kernel wants it, and a reboot.";
}

static bool has_no_group(const struct plan_device *planned)
{
	return !planned->device.bridge && planned->device.iommu_group == IOMMU_GROUP_NONE;
}

/* Once for all devices: most often it is the whole machine. */
static int add_no_group(const struct start *start, const struct plan_device *planned,
			struct findings *findings)
{
	const struct plan_device *devices = start->plan.devices;
	cleanup_text struct text others = { 0 };

	for (const struct plan_device *other = devices; other < planned; other++)
		if (has_no_group(other))
			return 0;
	for (const struct plan_device *other = planned + 1;
	     other < devices + start->plan.device_count; other++)
		if (has_no_group(other))
			text_add(&others, "%s%s", others.size ? ", " : "; the same goes for ",
				 other->device.name);
	if (others.failed ||
	    finding_add(findings, CHECK_IOMMU_OFF, planned->device.name,
			"It is in no IOMMU group (/sys/bus/pci/devices/%s/iommu_group is "
			"missing)%s.",
			planned->device.name, others.size ? others.data : "") < 0)
		return -ENOMEM;
	return finding_advise(findings, "%s", no_group_remedy(start->root));
}

/* Set by the kernel for all that is below a port that the firmware calls external: since Linux 5.15. */
static int check_removable(const struct start *start, const struct pci_device *device,
			   struct findings *findings)
{
	cleanup_free char *removable = NULL;
	char path[SYSROOT_PATH_MAX];

	pci_attribute_path(path, device->name, "removable");
	if (device->bridge || sysroot_read_attribute(start->root, path, &removable) < 0 ||
	    strcmp(removable, "removable") != 0)
		return 0;
	if (finding_add(findings, CHECK_DEVICE_REMOVABLE, device->name,
			"It is on an external port, such as Thunderbolt or USB4.") < 0)
		return -ENOMEM;
	return finding_advise(
		findings,
		"Have it plugged in, and authorized, before VM %u starts; shut the VM "
		"down ('qm shutdown %u') before you pull it. At another port it may have "
		"another address.",
		start->vmid, start->vmid);
}

static int check_one(const struct start *start, const struct plan_device *planned,
		     struct findings *findings)
{
	const struct pci_device *device = &planned->device;

	if (device->bridge)
		return finding_add(findings, CHECK_DEVICE_BRIDGE, device->name,
				   "%s asks for it, and it is a PCI bridge (class %06x).",
				   planned->source, device->class_code);
	if (has_no_group(planned))
		return add_no_group(start, planned, findings);
	if (planned->stuck)
		return finding_add(findings, CHECK_DEVICE_STUCK, device->name,
				   "Its driver_override cannot be read in time%s%s.",
				   device->driver ? "; its driver is " : "",
				   device->driver ? device->driver : "");
	if (!planned->sibling || !start->settings.refuse_siblings)
		return 0;
	if (finding_add(findings, CHECK_GROUP_SIBLINGS, device->name,
			"It is in IOMMU group %d with a device the VM wants.",
			device->iommu_group) < 0)
		return -ENOMEM;
	return finding_advise(findings,
			      "Let the VM have it too: \"siblings\": \"take\" in "
			      "/etc/pve/pve-vfio/%u.json, or name it in the configuration.",
			      start->vmid);
}

int check_device(const struct start *start, struct findings *findings, struct error *err)
{
	const struct plan_device *devices = start->plan.devices;

	for (size_t i = 0; i < start->plan.device_count; i++) {
		const struct pci_device *device = &devices[i].device;

		if (check_one(start, &devices[i], findings) < 0)
			return error_set_memory(err);
		/* once a card */
		if ((i == 0 || !pci_same_slot(device->address, devices[i - 1].device.address)) &&
		    check_removable(start, device, findings) < 0)
			return error_set_memory(err);
	}
	return 0;
}
