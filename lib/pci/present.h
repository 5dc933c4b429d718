/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pci: the functions that the machine has, for who looks for a few of them: of hundreds none is parsed
 * or sorted that nobody asks for.
 */
#pragma once

#include "pci/device.h"

/* Started as { 0 }. */
struct pci_present {
	struct text names; /* "\n0000:00:00.0\n0000:01:00.0\n", in any order */
};

/* Reads them all. Does not block. */
int pci_present_read(const struct sysroot *root, struct pci_present *ret,
		     struct error *err) must_check;

/* Adds one, for who knows them. */
void pci_present_add(struct pci_present *present, struct pci_address address);

bool pci_present_has(const struct pci_present *present, struct pci_address address);

/*
 * Adds to `ret` the functions whose addresses begin with `start`, or do so after "0000:", in order of
 * address. 0 or -ENOMEM.
 */
int pci_present_match(const struct pci_present *present, const char *start,
		      struct pci_addresses *ret) must_check;

void pci_present_done(struct pci_present *present);
#define cleanup_pci_present cleanup(pci_present_done)
