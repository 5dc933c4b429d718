/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: findings, and the table of all checks. Checks nothing itself. */
#include "check/finding.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/text.h"

/* A volume group can have hundreds of volumes. */
#define EVIDENCE_MAX 6

static const struct check_description descriptions[] = {
	[CHECK_CONFIG_LINE_DROPPED] = {
		"config-line-dropped", LEVEL_WARNING,
		"Proxmox VE drops a line of the VM's configuration that it cannot parse: it starts "
		"the VM without that device, or as if the setting were not there.",
		"Correct the line with 'qm set'; a value has no comment after it, and one with a "
		"format no quotes.",
	},
	[CHECK_CONFIG_UNKNOWN_KEY] = {
		"config-unknown-key", LEVEL_WARNING,
		"A hostpci line has a key that pve-vfio does not know, and it cannot be determined "
		"whether this node's Proxmox VE does; if not, it drops the line and starts the VM "
		"without the device.",
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
	[CHECK_CONFIG_MDEV_MANY] = {
		"config-mdev-many", LEVEL_ERROR,
		"A mediated device is asked of more than one device: Proxmox VE refuses the start.",
		"Give a line with mdev= the address of one function.",
	},
	[CHECK_CONFIG_NEEDS_Q35] = {
		"config-needs-q35", LEVEL_ERROR,
		"pcie=1 needs the q35 machine type: Proxmox VE refuses the start.",
		"Set 'qm set VMID --machine q35' (Windows then finds new hardware), or take pcie=1 "
		"out of the line.",
	},
	[CHECK_CONFIG_LEGACY_IGD] = {
		"config-legacy-igd", LEVEL_ERROR,
		"legacy-igd=1 comes with rules, and Proxmox VE refuses the start where one is "
		"broken.",
		"See 'qm help set' on legacy-igd: one device, at an address that ends in 02.0, vga: "
		"none, no q35 machine, no x-vga, mdev or rombar=0.",
	},
	[CHECK_ARGS_VANISH] = {
		"args-vanish", LEVEL_WARNING,
		"'args' has an unbalanced quote or a final backslash: Proxmox VE then passes none of "
		"it to QEMU, and the VM starts without its devices.",
		"Correct the quoting with 'qm set VMID --args'.",
	},
	[CHECK_ARGS_UNCLEAR] = {
		"args-unclear", LEVEL_WARNING,
		"'args' has a VFIO device that cannot be determined; it is not taken from the host.",
		"Give the device by host=ADDRESS or sysfsdev=PATH.",
	},
	[CHECK_ARGS_TIMEOUT] = {
		"args-timeout", LEVEL_WARNING,
		"The VM has devices in 'args' alone. Proxmox VE gives only a VM with hostpci lines "
		"more time to start, and pinning its memory may take longer than that.",
		"Use a hostpci line where one will do.",
	},
	[CHECK_SETTINGS_FOREIGN] = {
		"settings-foreign", LEVEL_WARNING,
		"The settings file is of an earlier VM that had this number: nothing of it applies to "
		"this one.",
		"Delete the file. If it is meant for this VM, take its member \"vm\" out, if it has one, "
		"and save it again.",
	},
	[CHECK_MAPPING_LINE_DROPPED] = {
		"mapping-line-dropped", LEVEL_WARNING,
		"Proxmox VE drops a line of the resource mappings it cannot parse.",
		"Correct the mapping under Datacenter, Resource Mappings.",
	},
	[CHECK_MAPPING_MISSING] = {
		"mapping-missing", LEVEL_ERROR,
		"A resource mapping does not exist, or has no device on this node: Proxmox VE "
		"refuses the start.",
		"Add a device of this node to the mapping under Datacenter, Resource Mappings.",
	},
	[CHECK_MAPPING_WRONG] = {
		"mapping-wrong", LEVEL_ERROR,
		"A resource mapping describes another device than the one that is there: Proxmox VE "
		"refuses the start, also if it would use another device of the mapping.",
		"Look whether a card was added or moved; then correct the mapping under Datacenter, "
		"Resource Mappings.",
	},
	[CHECK_MAPPING_MDEV] = {
		"mapping-mdev", LEVEL_WARNING,
		"A resource mapping is for mediated devices (mdev) and its device has none, or the "
		"other way round: Proxmox VE refuses the start from qemu-server 8.3.9 on.",
		"Correct 'Use with Mediated Devices' of the mapping under Datacenter, Resource "
		"Mappings, before you upgrade.",
	},
	[CHECK_MAPPING_BUSY] = {
		"mapping-busy", LEVEL_ERROR,
		"All devices of a resource mapping on this node are in use.",
		"Stop one of the VMs that have them ('pve-vfio status'), or add a device to the "
		"mapping.",
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
		"Name the devices that are below the bridge; 'pve-vfio devices' lists them.",
	},
	[CHECK_DEVICE_REMOVABLE] = {
		"device-removable", LEVEL_INFO,
		"The device is on an external port (Thunderbolt, USB4, ExpressCard): it is there only "
		"while it is plugged in and authorized, and another port may give it another address.",
		"Have it plugged in before the VM starts, and shut the VM down before it is pulled.",
	},
	[CHECK_DEVICE_STUCK] = {
		"device-stuck", LEVEL_ERROR,
		"The kernel holds the device's lock: a driver's probe or remove does not end.",
		"See 'journalctl -k' and 'ps -eo pid,stat,wchan:32,args' for processes in state D; "
		"most often only a reboot of the host helps.",
	},
	[CHECK_DEVICE_CHANGED] = {
		"device-changed", LEVEL_ERROR,
		"Another device is at the address than when the VM first had it: adding a card can "
		"renumber buses, and the VM would get the wrong device.",
		"Correct the address in the VM's configuration. If the new device is meant, remove "
		"the address from 'pins' in /etc/pve/pve-vfio/VMID.json.",
	},
	[CHECK_GUEST_GIVES_WAY] = {
		"guest-gives-way", LEVEL_INFO,
		"A VM or a container that runs has the device, and gives way to the start, as "
		"'displace' in the VM's settings allows.",
		"To have the start refused in its place take it out of 'displace'.",
	},
	[CHECK_DEVICE_OWNED] = {
		"device-owned", LEVEL_ERROR,
		"Another VM has the device, or one of its IOMMU group.",
		"Stop the other VM, or give the device to one of the two only. If the other VM "
		"does not run, 'pve-vfio restore VMID' gives its devices back.",
	},
	[CHECK_DEVICE_HELD] = {
		"device-held", LEVEL_ERROR,
		"Another VM's QEMU, or another process, has the device open through VFIO.",
		"Shut that VM down ('qm shutdown VMID').",
	},
	[CHECK_DEVICE_RESERVED] = {
		"device-reserved", LEVEL_ERROR,
		"Proxmox VE has reserved the device for another VM, and refuses the start.",
		"Stop the other VM, or give the device to one of the two only.",
	},
	[CHECK_IOMMU_OFF] = {
		"iommu-off", LEVEL_ERROR,
		"The device is in no IOMMU group: the IOMMU is off, and VFIO needs it.",
		"Switch VT-d (Intel) or AMD-Vi / IOMMU (AMD) on in the firmware; on an Intel "
		"machine with a kernel before 6.8 boot with intel_iommu=on.",
	},
	[CHECK_GROUP_SIBLINGS] = {
		"group-siblings", LEVEL_ERROR,
		"The setting \"siblings\": \"refuse\" is on, and the IOMMU group has a device the "
		"configuration does not name: the VM cannot have one without the other.",
		"Name the device in the configuration too, or set \"siblings\": \"take\".",
	},
	[CHECK_GROUP_RESERVED] = {
		"group-reserved", LEVEL_ERROR,
		"The firmware has reserved memory for the device, or for another of its IOMMU group "
		"(RMRR on Intel's, a unity map on AMD's machines), and this kernel gives no such "
		"device to a VM.",
		"Look for a firmware update or a setting of the maker; 'pve-vfio doctor' names what "
		"has helped on machines of this kind.",
	},
	[CHECK_VIOMMU_GROUP] = {
		"viommu-group", LEVEL_ERROR,
		"The VM has an IOMMU of its own, and gets several functions of one IOMMU group of the "
		"host: QEMU cannot give them different address spaces, and does not start.",
		"Take 'viommu' out of the machine setting, or pass one function of the group alone.",
	},
	[CHECK_INTX_SHARED] = {
		"intx-shared", LEVEL_ERROR,
		"The device cannot mask its interrupt line, so VFIO wants that line for it alone; "
		"others are on it, and QEMU does not start.",
		"Put the card into a slot with another line, or do without the others on it.",
	},
	[CHECK_MSIX_INVALID] = {
		"msix-invalid", LEVEL_ERROR,
		"The device's MSI-X table or its pending bits overlap or lie beyond their BAR, and QEMU "
		"does not start with it.",
		"Have QEMU move the table: the option x-msix-relocation of its vfio-pci, by '-set' in "
		"'args'.",
	},
	[CHECK_ROMFILE] = {
		"romfile", LEVEL_ERROR,
		"A romfile= is missing, empty or unreadable: QEMU would not start.",
		"Put the file into /usr/share/kvm, or take romfile= out of the line.",
	},
	[CHECK_ROMFILE_OUTSIDE] = {
		"romfile-outside", LEVEL_WARNING,
		"A romfile= leads out of /usr/share/kvm, where option ROMs belong.",
		"Move the file into /usr/share/kvm and give its name alone.",
	},
	[CHECK_ROMFILE_IGNORED] = {
		"romfile-ignored", LEVEL_WARNING,
		"The VM's firmware does not run the option ROM of a romfile=: no picture before a "
		"driver of the guest is there.",
		"See 'pve-vfio rom check'; 'pve-vfio rom fix' repairs what can be repaired.",
	},
	[CHECK_STORAGE_IN_USE] = {
		"storage-in-use", LEVEL_ERROR,
		"The host uses a disk that hangs on the device: its file systems would be lost under "
		"it, or host and VM would write to the same disk.",
		"Unmount it, switch its swap off ('swapoff'), its volume groups ('vgchange -an') or its "
		"array ('mdadm --stop'), export its pool ('zpool export'); and see "
		"that the host does not take the disk up again at boot (/etc/fstab, global_filter in "
		"lvm.conf).",
	},
	[CHECK_NETWORK_IN_USE] = {
		"network-in-use", LEVEL_ERROR,
		"The host uses a network interface of the device: it, its VMs or its cluster would "
		"lose that network.",
		"Take the interface out of its bridge or bond and its addresses away, in the node's "
		"network settings (/etc/network/interfaces), then 'ifreload -a'. If the node is "
		"managed over it, give it another way first.",
	},
	[CHECK_USB_STORAGE_IN_USE] = {
		"usb-storage-in-use", LEVEL_ERROR,
		"The host uses a disk that is plugged into this USB controller.",
		"Unmount the disk, or plug it into a port of another controller ('lsusb -t').",
	},
	[CHECK_USB_KEYBOARD] = {
		"usb-keyboard", LEVEL_INFO,
		"The only keyboards of the host hang on USB controllers that the VM gets.",
		"Nothing, if the node can be reached over the network; else plug a keyboard into "
		"another controller.",
	},
	[CHECK_NODE_IN_USE] = {
		"node-in-use", LEVEL_ERROR,
		"A process of the host has a node of the device open. While it has, the driver may "
		"not let go of the device, or may take the host down with it.",
		"Shut the VM ('qm shutdown VMID') or the container ('pct shutdown VMID') down; have a "
		"service stopped while the VM runs: \"stop_units\": [\"NAME.service\"] in "
		"/etc/pve/pve-vfio/VMID.json; end any other process.",
	},
	[CHECK_NVSWITCH_LEFT] = {
		"nvswitch-left", LEVEL_ERROR,
		"GPUs of an HGX board go to the VM, and the NVSwitches that join them stay with the "
		"host: whether its fabric manager is to be stopped cannot be determined from that.",
		"Pass the switches too, or hold the GPUs from boot and set FABRIC_MODE=1, or name the "
		"fabric manager in \"stop_units\".",
	},
	[CHECK_MAC_TAKEN] = {
		"mac-taken", LEVEL_ERROR,
		"The settings want a MAC address for a virtual function that somebody else has: two "
		"cards with one address on a network lose each other's packets.",
		"Give the function another \"mac\" in /etc/pve/pve-vfio/VMID.json.",
	},
	[CHECK_PHYSICAL_DOWN] = {
		"physical-down", LEVEL_WARNING,
		"The network interface of a virtual function's physical function is down. The guest has "
		"no link with most cards then; the drivers igbvf and ixgbevf make up an address.",
		"Bring the interface up before the start, and at each boot by 'auto' in "
		"/etc/network/interfaces.",
	},
	[CHECK_SRIOV_IN_USE] = {
		"sriov-in-use", LEVEL_ERROR,
		"Virtual functions of this physical function are in use; they go away with its "
		"driver.",
		"Stop what uses the virtual functions, or pass one of them in place of the physical "
		"function.",
	},
	[CHECK_MDEV_IN_USE] = {
		"mdev-in-use", LEVEL_ERROR,
		"A running VM has a mediated device (vGPU) of this function; it goes away with the "
		"function's driver.",
		"Shut that VM down ('qm shutdown VMID'), or give this VM a mediated device too.",
	},
	[CHECK_VGPU_BOUND] = {
		"vgpu-bound", LEVEL_ERROR,
		"A line asks for a mediated device of a function that this start gives to the VM "
		"as a whole, or that comes along with its IOMMU group: the bind ends all its "
		"mediated devices.",
		"Decide: the whole function, or parts of it. Take one of the lines out.",
	},
	[CHECK_VGPU_TYPE] = {
		"vgpu-type", LEVEL_ERROR,
		"A line asks for a type of mediated device that its function does not offer: Proxmox "
		"VE cannot make it, and the start fails.",
		"Choose a type that 'pve-vfio devices' lists for the function. If it lists none, the "
		"driver that shares it is not loaded, or the function is not the one to name.",
	},
	[CHECK_VGPU_FULL] = {
		"vgpu-none-left", LEVEL_ERROR,
		"No mediated device or vGPU of the type is left: Proxmox VE cannot make another, and "
		"the start fails.",
		"Stop a VM that has one, or choose a smaller type; 'pve-vfio devices' lists what is "
		"left.",
	},
	[CHECK_VGPU_LEFT] = {
		"vgpu-left", LEVEL_WARNING,
		"A run of this VM that failed has left its mediated device.",
		"Remove it: 'echo 1 > /sys/bus/mdev/devices/UUID/remove'.",
	},
	[CHECK_CONTAINER_USES] = {
		"container-uses", LEVEL_ERROR,
		"The configuration of a running container gives it a device node of this device.",
		"Shut the container down ('pct shutdown VMID'), or take the device out of it in its "
		"settings.",
	},
	[CHECK_CONTAINER_LISTS] = {
		"container-lists", LEVEL_WARNING,
		"A container may use this device: it does not run, or it is given all nodes of the "
		"kind.",
		"Let the container name the one node it uses ('dev0: /dev/dri/renderD128'); do not "
		"start both at a time.",
	},
	[CHECK_MEMORY_SHORT] = {
		"memory-short", LEVEL_WARNING,
		"VFIO pins all of the VM's memory, and not that much is available: the start may "
		"fail, or other processes may be killed.",
		"Give the VM less memory, stop other VMs, or lower the limit of the ZFS cache "
		"(zfs_arc_max).",
	},
	[CHECK_BALLOON_SET] = {
		"balloon-set", LEVEL_WARNING,
		"Ballooning is of no use with passed-through devices: all memory is pinned, and QEMU "
		"gives none back.",
		"Switch it off ('qm set VMID --balloon 0').",
	},
	[CHECK_OVMF_WINDOW] = {
		"ovmf-window", LEVEL_WARNING,
		"The large BARs of the devices do not fit into the window that OVMF makes for them: "
		"one of the devices gets no memory, and its driver fails in the guest.",
		"Show the guest the host's address width ('qm set VMID --cpu host'), or set the window "
		"by 'args': -fw_cfg name=opt/ovmf/X-PciMmio64Mb,string=MIB.",
	},
	[CHECK_IOMMU_WIDTH] = {
		"iommu-width", LEVEL_INFO,
		"OVMF puts large BARs where the host's IOMMU does not reach: the start says "
		"'VFIO_MAP_DMA failed: Invalid argument' or 'vfio_container_dma_map(...) = -22'. The "
		"devices work; they cannot reach each other's memory directly.",
		"Nothing, or the IOMMU's width as that of the guest's processor: phys-bits=39 in its "
		"cpu setting.",
	},
	[CHECK_VM_SUSPENDED] = {
		"vm-suspended", LEVEL_WARNING,
		"The VM is suspended to disk: its start restores its memory as it was, in which its "
		"devices are in a state that they are not in now, or are not at all.",
		"Delete that state ('qm set VMID --delete vmstate'): the guest then boots, as after a "
		"power cut.",
	},
	[CHECK_VARIANT_DRIVER] = {
		"variant-driver", LEVEL_INFO,
		"The kernel has a VFIO driver made for this device, which can do more (such as "
		"migration); Proxmox VE replaces it by vfio-pci unless the line says driver=keep.",
		"If you want it: add driver=keep to the line and set \"driver\": \"auto\" in "
		"/etc/pve/pve-vfio/VMID.json.",
	},
	[CHECK_FRAMEBUFFER_HELD] = {
		"framebuffer-held", LEVEL_WARNING,
		"The firmware's framebuffer lies in the device's memory and stays there: the VM's "
		"driver may not get it ('BAR 0: can't reserve').",
		"Let another card be the first in the firmware's settings, or let the device's own "
		"driver take it before the VM does.",
	},
	[CHECK_CONSOLE_CHIP] = {
		"console-chip", LEVEL_WARNING,
		"The device is the display of a server's management controller (ASPEED, Matrox G200): "
		"it shows the node's own console, also remotely, and cannot draw in 3D.",
		"Give the VM a GPU: 'pve-vfio devices gpu' lists them.",
	},
	[CHECK_DEVICE_DEAD] = {
		"device-dead", LEVEL_ERROR,
		"The device does not answer: its configuration space reads all ones. It hangs, or it "
		"does not come back from D3cold.",
		"Switch the machine off for a moment; a reboot alone may not do. If it comes again, "
		"keep the device awake: \"d3cold\": false and \"power\": \"on\" in the VM's settings.",
	},
	[CHECK_NO_RESET] = {
		"no-reset", LEVEL_WARNING,
		"The kernel knows no way to reset this device: a second start may find it in the state "
		"the first has left.",
		"If the VM's second start fails, reboot the node between two starts.",
	},
	[CHECK_BUS_RESET_SHARED] = {
		"bus-reset-shared", LEVEL_WARNING,
		"The device can only be reset together with others that the VM does not get, so it is "
		"not reset at all.",
		"Pass the others too, or put the card into another slot.",
	},
	[CHECK_KNOWN_TROUBLE] = {
		"known-trouble", LEVEL_WARNING,
		"Others have reported a trouble with this device, kernel and configuration. The level "
		"is the trouble's own; the list is below.",
		"As the finding says.",
	},
};
TABLE_FOLLOWS(descriptions, CHECK_COUNT);

const struct check_description *check_describe(enum check_id id)
{
	return &descriptions[id];
}

int check_id_parse(const char *name, enum check_id *ret)
{
	for (size_t i = 0; i < CHECK_COUNT; i++) {
		if (strcmp(descriptions[i].id, name) == 0) {
			*ret = (enum check_id)i;
			return 0;
		}
	}
	return -EINVAL;
}

const char *check_id_nearest(const char *name)
{
	const char *names[CHECK_COUNT];

	for (size_t i = 0; i < CHECK_COUNT; i++)
		names[i] = descriptions[i].id;
	return text_nearest(name, names, CHECK_COUNT);
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
	struct finding finding = {
		.id = id,
		.level = descriptions[id].level,
		.subject = strdup(subject),
	};
	va_list arguments;

	va_start(arguments, evidence);
	finding.evidence = text_format_list(evidence, arguments);
	va_end(arguments);
	if (finding.evidence)
		text_clean(finding.evidence, "");
	if (!finding.subject || !finding.evidence ||
	    array_reserve(&findings->items, findings->count, sizeof(finding)) < 0) {
		free(finding.subject);
		free(finding.evidence);
		return -ENOMEM;
	}
	findings->items[findings->count++] = finding;
	return 0;
}

int finding_advise(struct findings *findings, const char *remedy, ...)
{
	struct finding *last = &findings->items[findings->count - 1];
	va_list arguments;
	char *words;

	va_start(arguments, remedy);
	words = text_format_list(remedy, arguments);
	va_end(arguments);
	if (!words)
		return -ENOMEM;
	text_clean(words, "");
	free(last->remedy);
	last->remedy = words;
	return 0;
}

void finding_set_level(struct findings *findings, enum check_level level)
{
	findings->items[findings->count - 1].level = level;
}

const char *finding_remedy(const struct finding *finding)
{
	return finding->remedy ? finding->remedy : descriptions[finding->id].remedy;
}

int finding_add_list(struct findings *findings, enum check_id id, const char *subject,
		     const struct strings *evidence)
{
	cleanup_text struct text text = { 0 };

	if (evidence->count == 0)
		return 0;
	for (size_t i = 0; i < evidence->count && i < EVIDENCE_MAX; i++)
		text_add(&text, "%s%s", i > 0 ? "; " : "", evidence->items[i]);
	if (evidence->count > EVIDENCE_MAX)
		text_add(&text, "; and %zu more", evidence->count - EVIDENCE_MAX);
	if (text.failed)
		return -ENOMEM;
	return finding_add(findings, id, subject, "%s.", text.data);
}

size_t findings_count(const struct findings *findings, enum check_level level)
{
	size_t count = 0;

	for (size_t i = 0; i < findings->count; i++)
		count += findings->items[i].level == level && !findings->items[i].allowed;
	return count;
}

void findings_done(struct findings *findings)
{
	for (size_t i = 0; i < findings->count; i++) {
		free(findings->items[i].subject);
		free(findings->items[i].evidence);
		free(findings->items[i].remedy);
	}
	free(findings->items);
	*findings = (struct findings){ 0 };
}
