/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pve: who has parts of a function. Removes none. */
#include "pve/vgpu.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/array.h"
#include "pve/qemu.h"
#include "pve/reservation.h"
#include "use/mdev.h"
#include "use/sriov.h"

/* "when unsure": a VM whose process cannot be found runs. */
static bool runs(const struct sysroot *root, uint32_t vmid)
{
	struct task qemu = { 0 };

	return qemu_find(root, vmid, &qemu, NULL) < 0 || qemu.pid;
}

/* Takes the strings, also where it fails. */
static int add_use(struct vgpu_uses *uses, struct vgpu_use use)
{
	if (!use.name || !use.removal ||
	    array_reserve(&uses->items, uses->count, sizeof(use)) < 0) {
		free(use.name);
		free(use.type);
		free(use.removal);
		return -ENOMEM;
	}
	uses->items[uses->count++] = use;
	return 0;
}

static int add_instances(const struct sysroot *root, const char *address, struct vgpu_uses *uses)
{
	cleanup_mdev_instances struct mdev_instances instances = { 0 };
	int r = mdev_instances_read(root, address, &instances);

	for (size_t i = 0; i < instances.count && r == 0; i++) {
		const struct mdev_instance *instance = &instances.items[i];

		r = add_use(uses, (struct vgpu_use){
					  .name = strdup(instance->uuid),
					  .type = instance->type ? strdup(instance->type) : NULL,
					  .vmid = instance->vmid,
					  .index = instance->index,
					  .running = instance->vmid && runs(root, instance->vmid),
					  .removal = mdev_removal(instance->uuid),
				  });
	}
	return r == -ENOMEM ? r : 0;
}

/* The last reservation of a function, whether it is still good or not: its VM has had it. */
static uint32_t reserved_for(const struct reservations *reservations, const char *address)
{
	for (size_t i = 0; i < reservations->count; i++)
		if (strcmp(reservations->items[i].id, address) == 0)
			return reservations->items[i].vmid;
	return 0;
}

static int add_function(const struct sysroot *root, const char *address, const char *current,
			const struct reservations *reservations, struct vgpu_uses *uses)
{
	uint32_t vmid = reserved_for(reservations, address);

	return add_use(uses,
		       (struct vgpu_use){
			       .name = strdup(address),
			       .type = strdup(current),
			       .vmid = vmid,
			       .running = vmid && runs(root, vmid),
			       .removal = text_format("echo 0 > /sys/bus/pci/devices/%s/nvidia/"
						      "current_vgpu_type",
						      address),
		       });
}

/* The functions of the GPU that `address` belongs to, itself among them. */
static int find_functions(const struct sysroot *root, const char *address,
			  struct pci_addresses *functions)
{
	cleanup_free char *physical = NULL;
	char path[SYSROOT_PATH_MAX];
	struct pci_address own;
	int r;

	pci_attribute_path(path, address, "physfn");
	if (sysroot_link_name(root, path, &physical) < 0)
		physical = strdup(address);
	if (!physical)
		return -ENOMEM;
	r = sriov_functions_find(root, physical, functions, NULL);
	if (r == 0 && pci_address_parse(address, &own) == 0 && !pci_addresses_has(functions, own))
		r = pci_addresses_add(functions, own);
	return r == -ENOMEM ? r : 0;
}

static int add_functions(const struct sysroot *root, const char *address, unsigned deadline_ms,
			 struct vgpu_uses *uses)
{
	cleanup_reservations struct reservations reservations = { 0 };
	cleanup_pci_addresses struct pci_addresses functions = { 0 };
	int r = find_functions(root, address, &functions);

	if (r < 0)
		return r;
	(void)reservations_read(root, &reservations, NULL);
	for (size_t i = 0; i < functions.count && r == 0; i++) {
		cleanup_free char *current = NULL;
		char name[PCI_ADDRESS_TEXT];

		pci_address_format(functions.items[i], name);
		if (mdev_current_read_bounded(root, name, deadline_ms, &current) < 0)
			break;
		if (current)
			r = add_function(root, name, current, &reservations, uses);
	}
	return r;
}

int vgpu_uses_find(const struct sysroot *root, const char *address, unsigned deadline_ms,
		   struct vgpu_uses *ret)
{
	cleanup_vgpu_uses struct vgpu_uses uses = { 0 };
	int r = add_instances(root, address, &uses);

	if (r == 0 && mdev_support(root, address) == MDEV_NVIDIA)
		r = add_functions(root, address, deadline_ms, &uses);
	if (r < 0)
		return r;
	*ret = TAKE_STRUCT(uses);
	return 0;
}

void vgpu_uses_done(struct vgpu_uses *uses)
{
	for (size_t i = 0; i < uses->count; i++) {
		free(uses->items[i].name);
		free(uses->items[i].type);
		free(uses->items[i].removal);
	}
	free(uses->items);
	*uses = (struct vgpu_uses){ 0 };
}

bool vgpu_use_is_left(const struct vgpu_use *use)
{
	return use->vmid && !use->running;
}

char *vgpu_use_words(const struct vgpu_use *use)
{
	const char *type = use->type ? use->type : "its type cannot be read";

	if (!use->vmid)
		return text_format("somebody has made %s (%s)", use->name, type);
	return text_format("VM %u, which %s, has %s (%s)", use->vmid,
			   use->running ? "runs" : "does not run", use->name, type);
}
