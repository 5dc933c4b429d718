/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pci: what else is on a GPU's card: its sound, and a USB controller behind another port of the card's own
 * switch. Wakes no device and waits for no lock.
 */
#pragma once

#include "pci/facts.h"

enum pci_companion {
	PCI_COMPANION_NONE,
	PCI_COMPANION_SOUND,
	PCI_COMPANION_USB, /* in another slot alone: what is in the GPU's own needs no search */
};

/*
 * What `other` is to the GPU. Told by its slot, its maker and its IOMMU group; by the switch that only
 * they are behind (Intel's Arc); and by the link that the kernel makes where one is powered by the other
 * ("consumer:pci:0000:04:00.0", Documentation/ABI/testing/sysfs-devices-consumer; Linux 5.10).
 */
enum pci_companion pci_companion_of(const struct sysroot *root,
				    const struct pci_inventory *inventory,
				    const struct pci_entry *gpu, const struct pci_entry *other);

/* "sound", "USB controller" */
const char *pci_companion_word(enum pci_companion kind);
