/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * check: whether Proxmox VE can make the mediated devices and vGPUs that lines ask for: the type is
 * there, instances are left, and nothing else of this start takes their function away.
 */
#include "pve/vgpu.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "check/check.h"
#include "pve/version.h"
#include "use/mdev.h"
#include "use/sriov.h"

/* What speaks against one alternative of a line. In order of how near it is to a start. */
enum obstacle {
	OBSTACLE_NONE,
	OBSTACLE_FULL,	/* no instance is left */
	OBSTACLE_TYPE,	/* it does not offer the type */
	OBSTACLE_BOUND, /* this start gives the function to vfio-pci */
	OBSTACLE_COUNT,
};

/* What the lines looked at so far are going to make. */
struct made {
	char address[PCI_ADDRESS_TEXT];
	const char *type;
};

struct looking {
	const struct start *start;
	struct findings *findings;
	unsigned deadline_ms;
	struct made *made;
	size_t made_count;
};

/* One line that asks for a mediated device. */
struct line {
	char source[SOURCE_MAX];
	unsigned index;
	const struct hostpci *hostpci;
	enum wanted_kind kind;
};

/* The device of the plan that takes `address` from its driver: itself, or its physical function. */
static const struct plan_device *find_bound(const struct start *start, const char *address)
{
	cleanup_free char *physical = NULL;
	char path[SYSROOT_PATH_MAX];

	pci_attribute_path(path, address, "physfn");
	(void)sysroot_link_name(start->root, path, &physical);
	for (size_t i = 0; i < start->plan.device_count; i++) {
		const char *name = start->plan.devices[i].device.name;

		if (strcmp(name, address) == 0 || text_equal(name, physical))
			return &start->plan.devices[i];
	}
	return NULL;
}

static size_t count_made(const struct looking *looking, const char *address, const char *type)
{
	size_t count = 0;

	for (size_t i = 0; i < looking->made_count; i++)
		count += strcmp(looking->made[i].address, address) == 0 &&
			 strcmp(looking->made[i].type, type) == 0;
	return count;
}

static int note_made(struct looking *looking, const char *address, const char *type)
{
	struct made made = { .type = type };

	if (array_reserve(&looking->made, looking->made_count, sizeof(made)) < 0)
		return -ENOMEM;
	snprintf(made.address, sizeof(made.address), "%s", address);
	looking->made[looking->made_count++] = made;
	return 0;
}

/* The mediated device that an earlier run of this VM has left for the line. */
static const struct vgpu_use *find_own(const struct looking *looking, const struct line *line,
				       const struct vgpu_uses *uses)
{
	for (size_t i = 0; i < uses->count; i++)
		if (uses->items[i].vmid == looking->start->vmid &&
		    uses->items[i].index == line->index && strchr(uses->items[i].name, ':') == NULL)
			return &uses->items[i];
	return NULL;
}

/* pci_create_mdev_device() in Mdev.pm takes what is there, if it is of the type, and warns. */
static int tell_own(struct looking *looking, const struct line *line, const struct vgpu_use *own)
{
	bool other = own->type && strcmp(own->type, line->hostpci->mdev) != 0;
	int r;

	if (own->running)
		return 0;
	r = finding_add(looking->findings, CHECK_VGPU_LEFT, line->source,
			"An earlier run of VM %u has left its mediated device %s (%s). %s.",
			own->vmid, own->name, own->type ? own->type : "its type cannot be read",
			other ? "Proxmox VE does not start the VM with one of another type"
			      : "Proxmox VE uses it again");
	if (r == 0 && other)
		finding_set_level(looking->findings, LEVEL_ERROR);
	if (r == 0)
		r = finding_advise(looking->findings, "%s: '%s'.",
				   other ? "Remove it" : "If QEMU then fails with it, remove it",
				   own->removal);
	return r;
}

/* A driver that has no list says nothing about its types. */
static bool has_list(const struct sysroot *root, const char *address)
{
	char path[SYSROOT_PATH_MAX];

	pci_attribute_path(path, address, "nvidia/creatable_vgpu_types");
	return sysroot_exists(root, path);
}

/* An alternative, as its driver tells it. */
static enum obstacle look_at(struct looking *looking, const struct line *line, const char *address)
{
	const char *type = line->hostpci->mdev;
	cleanup_mdev_types struct mdev_types types = { 0 };
	const struct mdev_type *found;

	if (find_bound(looking->start, address))
		return OBSTACLE_BOUND;
	/* What cannot be determined may work. */
	if (mdev_types_read_bounded(looking->start->root, address, looking->deadline_ms, &types) <
	    0)
		return OBSTACLE_NONE;
	found = mdev_types_find(&types, type);
	if (line->kind == WANTED_VGPU)
		return found || types.current || !has_list(looking->start->root, address)
			       ? OBSTACLE_NONE
			       : OBSTACLE_FULL;
	/* NVIDIA's folder has a list of types, but nothing by which Proxmox VE makes another. */
	if (!found || mdev_support(looking->start->root, address) != MDEV_TYPES)
		return OBSTACLE_TYPE;
	return found->available > count_made(looking, address, type) ? OBSTACLE_NONE
								     : OBSTACLE_FULL;
}

/* "VM 501, which runs, has …; VM 102, which does not run, has …" */
static char *list_uses(const struct vgpu_uses *uses, uint32_t vmid)
{
	struct text text = { 0 };

	for (size_t i = 0; i < uses->count; i++) {
		cleanup_free char *words = vgpu_use_words(&uses->items[i]);

		if (uses->items[i].vmid != vmid)
			text_add(&text, "%s%s", text.size ? "; " : "", words ? words : "");
	}
	return text_take(&text);
}

/* Advises against the first that is in the way: what is left of a VM rather than what one uses. */
static int advise_full(struct looking *looking, const struct vgpu_uses *uses)
{
	const struct vgpu_use *running = NULL;

	for (size_t i = 0; i < uses->count; i++) {
		const struct vgpu_use *use = &uses->items[i];

		if (use->vmid == looking->start->vmid)
			continue;
		if (vgpu_use_is_left(use))
			return finding_advise(looking->findings,
					      "Remove what VM %u has left: '%s'.", use->vmid,
					      use->removal);
		if (use->running)
			running = use;
	}
	return !running ? 0
			: finding_advise(
				  looking->findings,
				  "Shut VM %u down first ('qm shutdown %u'), or choose another "
				  "type: 'pve-vfio devices' lists what is left.",
				  running->vmid, running->vmid);
}

/* Proxmox VE asks NVIDIA's library from some version on; it is the driver that answers either. */
static const char *tell_source(const struct looking *looking, const struct line *line)
{
	if (line->kind != WANTED_VGPU)
		return "";
	return pve_rule_holds(looking->start->root, PVE_RULE_NVML)
		       ? " (read from nvidia/creatable_vgpu_types; Proxmox VE asks NVML)"
		       : " (nvidia/creatable_vgpu_types)";
}

static int tell_full(struct looking *looking, const struct line *line, const char *address)
{
	cleanup_vgpu_uses struct vgpu_uses uses = { 0 };
	cleanup_free char *list = NULL;
	int r;

	if (vgpu_uses_find(looking->start->root, address, looking->deadline_ms, &uses) < 0)
		return -ENOMEM;
	list = list_uses(&uses, looking->start->vmid);
	if (!list)
		return -ENOMEM;
	r = finding_add(looking->findings, CHECK_VGPU_FULL, line->source,
			"%s has no '%s' left%s%s%s.", address, line->hostpci->mdev,
			tell_source(looking, line), *list ? ": " : "", list);
	return r < 0 ? r : advise_full(looking, &uses);
}

/* A GPU that shares itself by virtual functions offers nothing as a whole. */
static int advise_type(struct looking *looking, const char *address)
{
	cleanup_pci_addresses struct pci_addresses functions = { 0 };
	char name[PCI_ADDRESS_TEXT], path[SYSROOT_PATH_MAX];

	if (mdev_support(looking->start->root, address) == MDEV_NVIDIA &&
	    !pve_rule_holds(looking->start->root, PVE_RULE_NVIDIA_SYSFS))
		return finding_advise(
			looking->findings,
			"This driver of NVIDIA's makes vGPUs without mediated devices, "
			"as on every kernel from 6.8 on, and Proxmox VE knows that "
			"from qemu-server 8.2.5 on: update it.");
	pci_attribute_path(path, address, "sriov_totalvfs");
	if (!sysroot_exists(looking->start->root, path))
		return 0;
	if (sriov_functions_find(looking->start->root, address, &functions, NULL) == 0 &&
	    functions.count > 0)
		return finding_advise(looking->findings,
				      "Name one of its virtual functions, such as %s.",
				      pci_address_format(functions.items[0], name));
	return finding_advise(
		looking->findings,
		"Its vGPUs are virtual functions, and it has none now. Make them "
		"('systemctl enable --now pve-nvidia-sriov@ALL.service' for NVIDIA's), "
		"and name one of them.");
}

static int tell_type(struct looking *looking, const struct line *line, const char *address)
{
	cleanup_mdev_types struct mdev_types types = { 0 };
	cleanup_text struct text list = { 0 };
	int r;

	if (mdev_support(looking->start->root, address) != MDEV_TYPES) {
		r = finding_add(looking->findings, CHECK_VGPU_TYPE, line->source,
				"%s offers no mediated devices with the driver it has.", address);
		return r < 0 ? r : advise_type(looking, address);
	}
	(void)mdev_types_read_bounded(looking->start->root, address, looking->deadline_ms, &types);
	for (size_t i = 0; i < types.count; i++)
		text_add(&list, "%s%s", i ? ", " : "", types.items[i].id);
	if (list.failed)
		return -ENOMEM;
	return finding_add(looking->findings, CHECK_VGPU_TYPE, line->source,
			   "%s has no type '%s'; it has: %.300s.", address, line->hostpci->mdev,
			   list.size ? list.data : "none");
}

static int tell_bound(struct looking *looking, const struct line *line, const char *address)
{
	const struct plan_device *bound = find_bound(looking->start, address);

	return finding_add(looking->findings, CHECK_VGPU_BOUND, line->source,
			   "It asks for a mediated device of %s, and %s gives %s to %s: that ends "
			   "its mediated devices.",
			   address, bound->source, bound->device.name, bound->vfio.name);
}

static int tell_obstacle(struct looking *looking, const struct line *line, const char *address,
			 enum obstacle obstacle)
{
	switch (obstacle) {
	case OBSTACLE_FULL:
		return tell_full(looking, line, address);
	case OBSTACLE_TYPE:
		return tell_type(looking, line, address);
	case OBSTACLE_BOUND:
		return tell_bound(looking, line, address);
	case OBSTACLE_NONE:
	case OBSTACLE_COUNT:
		break;
	}
	return 0;
}

/*
 * With driver=keep Proxmox VE makes no mediated device, and QEMU opens the one of the line's UUID all
 * the same: prepare_pci_device() and print_hostpci_devices() in PCI.pm.
 */
static int check_kept(struct looking *looking, const struct line *line)
{
	cleanup_free char *uuid =
		text_format("%08u-0000-0000-0000-%012u", line->index, looking->start->vmid);
	cleanup_free char *path = uuid ? text_format("sys/bus/mdev/devices/%s", uuid) : NULL;
	int r;

	if (!path)
		return -ENOMEM;
	if (sysroot_exists(looking->start->root, path))
		return 0;
	r = finding_add(looking->findings, CHECK_VGPU_TYPE, line->source,
			"With driver=keep Proxmox VE makes no mediated device, and QEMU wants %s, "
			"which is not there.",
			uuid);
	return r < 0 ? r
		     : finding_advise(looking->findings,
				      "Take driver=keep out of the line: Proxmox VE binds no "
				      "function for a mediated device.");
}

/*
 * The alternatives of a line, in Proxmox VE's order: it takes the first that works. What an earlier
 * run has left of the line's own is found on whichever it lies.
 */
static int check_line(struct looking *looking, const struct line *line)
{
	const struct wanted *wanted = &looking->start->wanted;
	enum obstacle nearest = OBSTACLE_COUNT;
	const char *type = line->hostpci->mdev;
	char asked[PCI_ADDRESS_TEXT] = "";

	for (size_t i = 0; i < wanted->count; i++) {
		const struct wanted_device *device = &wanted->devices[i];
		cleanup_vgpu_uses struct vgpu_uses uses = { 0 };
		const struct vgpu_use *own;
		char address[PCI_ADDRESS_TEXT];
		enum obstacle obstacle;

		if (strcmp(device->source, line->source) != 0)
			continue;
		pci_address_format(device->address, address);
		if (line->kind == WANTED_MDEV &&
		    vgpu_uses_find(looking->start->root, address, looking->deadline_ms, &uses) < 0)
			return -ENOMEM;
		own = find_own(looking, line, &uses);
		obstacle = look_at(looking, line, address);
		if (own && obstacle != OBSTACLE_BOUND)
			return tell_own(looking, line, own);
		if (obstacle == OBSTACLE_NONE)
			return note_made(looking, address, type);
		if (obstacle < nearest) {
			nearest = obstacle;
			memcpy(asked, address, sizeof(asked));
		}
	}
	return tell_obstacle(looking, line, asked, nearest);
}

/* What PVE makes of the line; false where it is not for a mediated device, or resolved to nothing. */
static bool find_line(const struct start *start, unsigned index, struct line *ret)
{
	*ret = (struct line){ .index = index, .hostpci = &start->config.hostpci[index].hostpci };
	if (!start->config.hostpci[index].present)
		return false;
	snprintf(ret->source, sizeof(ret->source), "hostpci%u", index);
	for (size_t i = 0; i < start->wanted.count; i++) {
		const struct wanted_device *device = &start->wanted.devices[i];

		ret->kind = device->kind;
		if (strcmp(device->source, ret->source) == 0)
			return device->kind == WANTED_MDEV || device->kind == WANTED_VGPU;
	}
	return false;
}

/* PVE prepares the lines in order of their keys as strings: hostpci0, hostpci1, hostpci10, … */
static const unsigned order[HOSTPCI_COUNT] = {
	0, 1, 10, 11, 12, 13, 14, 15, 2, 3, 4, 5, 6, 7, 8, 9
};

int check_vgpu(const struct start *start, struct findings *findings, struct error *err)
{
	struct looking looking = {
		.start = start,
		.findings = findings,
		.deadline_ms = start->settings.deadline_s * 1000,
	};
	int r = 0;

	for (size_t i = 0; i < HOSTPCI_COUNT && r == 0; i++) {
		struct line line;

		if (!find_line(start, order[i], &line))
			continue;
		if (line.kind == WANTED_MDEV && line.hostpci->keep)
			r = check_kept(&looking, &line);
		else
			r = check_line(&looking, &line);
	}
	free(looking.made);
	return r < 0 ? error_set_memory(err) : 0;
}
