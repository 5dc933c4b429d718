/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: findings, and the table of all checks. Checks nothing itself. */
#include "check/finding.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"

static const struct check_description descriptions[CHECK_COUNT] = {
	[CHECK_CONFIG_LINE_DROPPED] = {
		"config-line-dropped", LEVEL_WARNING,
		"Proxmox VE drops a hostpci line it cannot parse and starts the VM without that "
		"device.",
		"Correct the line with 'qm set'; a value takes no comment behind it.",
	},
	[CHECK_CONFIG_UNKNOWN_KEY] = {
		"config-unknown-key", LEVEL_WARNING,
		"A hostpci line has a key that this version does not know. A newer Proxmox VE may "
		"know it; this one may drop the line and start the VM without the device.",
		"Check the spelling of the key; update pve-vfio if it is a new one.",
	},
	[CHECK_CONFIG_DEVICE_MISSING] = {
		"config-device-missing", LEVEL_ERROR,
		"A hostpci line names no device, or a host address and a mapping both: Proxmox VE "
		"refuses the start.",
		"Give the line either host=ADDRESS or mapping=NAME, or delete it.",
	},
	[CHECK_CONFIG_DEVICE_TWICE] = {
		"config-device-twice", LEVEL_ERROR,
		"The configuration assigns a device more than once: Proxmox VE refuses the start.",
		"Name each device once; an address without a function means all its functions.",
	},
	[CHECK_DEVICE_ABSENT] = {
		"device-absent", LEVEL_ERROR,
		"The configuration names an address at which there is no device.",
		"Look the device up with 'lspci -D' (another card can renumber buses) and correct "
		"the address, or delete the line.",
	},
	[CHECK_DEVICE_BRIDGE] = {
		"device-bridge", LEVEL_ERROR,
		"A PCI bridge cannot be given to a VM.",
		"Pass the devices behind the bridge instead.",
	},
	[CHECK_DEVICE_STUCK] = {
		"device-stuck", LEVEL_ERROR,
		"The kernel holds the device's lock: a driver's probe or remove does not end.",
		"See 'journalctl -k' and 'ps -eo pid,stat,wchan:32,args' for processes in state D; "
		"most often only a reboot of the host helps.",
	},
	[CHECK_DEVICE_OWNED] = {
		"device-owned", LEVEL_ERROR,
		"Another VM has the device, or one of its IOMMU group.",
		"Stop the other VM, or give the device to one of the two only. If the other VM "
		"does not run, 'pve-vfio restore VMID' gives its devices back.",
	},
	[CHECK_DEVICE_HELD] = {
		"device-held", LEVEL_ERROR,
		"A process has the device's IOMMU group open.",
		"End that process; it is most often another VM's QEMU.",
	},
	[CHECK_IOMMU_OFF] = {
		"iommu-off", LEVEL_ERROR,
		"The device is in no IOMMU group: the IOMMU is off, and VFIO needs it.",
		"Switch VT-d (Intel) or AMD-Vi / IOMMU (AMD) on in the firmware; on an Intel "
		"machine with a kernel before 6.8 boot with intel_iommu=on.",
	},
	[CHECK_ROMFILE] = {
		"romfile", LEVEL_ERROR,
		"A romfile= is missing, empty or unreadable: QEMU would not start.",
		"Put the file into /usr/share/kvm, or take romfile= out of the line.",
	},
};

const struct check_description *check_describe(enum check_id id)
{
	return &descriptions[id];
}

const char *check_level_name(enum check_level level)
{
	static const char *const names[] = {
		[LEVEL_ERROR] = "error",
		[LEVEL_WARNING] = "warning",
		[LEVEL_INFO] = "info",
	};

	return names[level];
}

int finding_add(struct findings *findings, enum check_id id, const char *subject,
		const char *evidence, ...)
{
	struct finding finding = { .id = id, .subject = strdup(subject) };
	va_list arguments;

	va_start(arguments, evidence);
	if (vasprintf(&finding.evidence, evidence, arguments) < 0)
		finding.evidence = NULL;
	va_end(arguments);
	if (!finding.subject || !finding.evidence ||
	    array_reserve(&findings->items, findings->count, sizeof(finding)) < 0) {
		free(finding.subject);
		free(finding.evidence);
		return -ENOMEM;
	}
	findings->items[findings->count++] = finding;
	return 0;
}

size_t findings_count(const struct findings *findings, enum check_level level)
{
	size_t count = 0;

	for (size_t i = 0; i < findings->count; i++)
		count += descriptions[findings->items[i].id].level == level;
	return count;
}

void findings_done(struct findings *findings)
{
	for (size_t i = 0; i < findings->count; i++) {
		free(findings->items[i].subject);
		free(findings->items[i].evidence);
	}
	free(findings->items);
	*findings = (struct findings){ 0 };
}
