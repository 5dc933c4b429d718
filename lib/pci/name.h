/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pci: what people call a device, from pci.ids through libpci. The list is read at the first name that is
 * printed, and each name is looked up once.
 */
#pragma once

#include "pci/device.h"

/* Started as { 0 }. */
struct pci_names {
	char *list; /* NULL: cannot be read, names are ids */
	bool opened;
	const char *vendor;	      /* its line in the list that was found last, or NULL */
	struct pci_known_name *known; /* that were asked for */
	size_t count;
};

void pci_names_done(struct pci_names *names);
#define cleanup_pci_names cleanup(pci_names_done)

/*
 * Vendor and device as people say it: of "NVIDIA Corporation" and "GA104 [GeForce RTX 3070]" it is
 * "NVIDIA GeForce RTX 3070"; "[10de:2484]" where pci.ids does not know it. The caller frees it; NULL without memory.
 */
char *pci_name(struct pci_names *names, const struct sysroot *root,
	       const struct pci_device *device);

/* A class as pci.ids calls it: "VGA compatible controller"; "class 030000" where it does not. */
char *pci_class_name(struct pci_names *names, const struct sysroot *root, uint32_t class_code);
