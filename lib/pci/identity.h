/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pci: what a device is, whatever its address: adding a card renumbers buses.
 */
#pragma once

#include "pci/device.h"

/* "52-54-00-ff-ff-12-34-56" and the NUL. */
#define PCI_SERIAL_TEXT 24

struct pci_identity {
	uint16_t vendor, device;
	uint16_t subsystem_vendor, subsystem_device;
	uint32_t class_code;
	char serial[PCI_SERIAL_TEXT]; /* PCIe Device Serial Number; empty where there is none */
	unsigned serial_offset;	      /* of its capability in configuration space; 0: none */
};

/*
 * Reads what a device is. The serial number is in extended configuration space (PCI Express
 * Base Specification 4.0, 7.9.3), which only root may read, and a device that is asleep does not
 * show: then it is empty.
 */
void pci_identity_read(const struct sysroot *root, const struct pci_device *device,
		       struct pci_identity *ret);

/* The same device as far as can be determined: a serial number counts where both have one. */
bool pci_identity_matches(const struct pci_identity *a, const struct pci_identity *b);
