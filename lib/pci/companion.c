/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pci: what else is on a GPU's card. Knows nothing of VMs. */
#include "pci/companion.h"

#include <stdio.h>

#define CLASS_AUDIO_HDA 0x0403
#define CLASS_USB	0x0c03

/* The bridge above the one above a function; NULL where that is a root port or nothing. */
static const struct pci_entry *find_switch(const struct pci_inventory *inventory,
					   const struct pci_entry *entry)
{
	for (size_t i = 0; i < 2 && entry; i++)
		entry = entry->facts.parent ? pci_inventory_find(inventory, entry->facts.parent)
					    : NULL;
	return entry && entry->facts.parent ? entry : NULL;
}

/* A card with a switch of its maker has its other devices behind other ports of that. */
static bool is_behind_own_switch(const struct pci_inventory *inventory, const struct pci_entry *gpu,
				 const struct pci_entry *other)
{
	const struct pci_entry *upstream = find_switch(inventory, gpu);

	return upstream && upstream->device.vendor == gpu->device.vendor &&
	       other->device.vendor == gpu->device.vendor &&
	       find_switch(inventory, other) == upstream;
}

static bool is_consumer(const struct sysroot *root, const struct pci_device *gpu,
			const struct pci_device *other)
{
	char name[sizeof("consumer:pci:") + PCI_ADDRESS_TEXT], path[SYSROOT_PATH_MAX];

	snprintf(name, sizeof(name), "consumer:pci:%s", other->name);
	pci_attribute_path(path, gpu->name, name);
	return sysroot_exists(root, path);
}

/* A GPU's sound is a function of its maker, or in its group; a board's codec beside it is neither. */
static bool is_in_slot(const struct pci_device *gpu, const struct pci_device *other)
{
	return pci_same_slot(other->address, gpu->address) &&
	       (other->vendor == gpu->vendor ||
		(other->iommu_group != IOMMU_GROUP_NONE && other->iommu_group == gpu->iommu_group));
}

enum pci_companion pci_companion_of(const struct sysroot *root,
				    const struct pci_inventory *inventory,
				    const struct pci_entry *gpu, const struct pci_entry *other)
{
	uint32_t class_code = other->device.class_code >> 8;
	bool beside = pci_same_slot(gpu->device.address, other->device.address);
	bool theirs;

	if (class_code != CLASS_AUDIO_HDA && (class_code != CLASS_USB || beside))
		return PCI_COMPANION_NONE;
	theirs = is_in_slot(&gpu->device, &other->device) ||
		 is_behind_own_switch(inventory, gpu, other) ||
		 is_consumer(root, &gpu->device, &other->device);
	if (!theirs)
		return PCI_COMPANION_NONE;
	return class_code == CLASS_USB ? PCI_COMPANION_USB : PCI_COMPANION_SOUND;
}

const char *pci_companion_word(enum pci_companion kind)
{
	return kind == PCI_COMPANION_USB ? "USB controller" : "sound";
}
