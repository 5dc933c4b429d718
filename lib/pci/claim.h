/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pci: which kernel modules would claim a function: the lines "alias pci:…" of
 * /lib/modules/RELEASE/modules.alias (modules.alias is written by depmod(8), the form of an alias
 * by do_pci_entry() in the kernel's scripts/mod/file2alias.c).
 */
#pragma once

#include "base/text.h"
#include "pci/facts.h"

/* The modules for each function of an inventory, in the same order, each list in order of file. */
struct pci_claims {
	struct strings *items;
	size_t count;
	bool known; /* false: the file cannot be read, and nothing is known */
};

/*
 * Matches the content of modules.alias (`data` is taken apart in place) against all functions.
 * 0 or -ENOMEM.
 */
int pci_claims_parse(char *data, const struct pci_inventory *inventory, struct pci_claims *ret);

/* Reads the file of the running kernel. Lacking it is not an error. 0 or -ENOMEM. Does not block. */
int pci_claims_read(const struct sysroot *root, const struct pci_inventory *inventory,
		    struct pci_claims *ret);
void pci_claims_done(struct pci_claims *claims);
#define cleanup_pci_claims cleanup(pci_claims_done)

/*
 * Adds the modules that would claim a device which has another driver, and not VFIO's: nouveau where
 * nvidia has the card. To keep such a module away is on purpose. 0 or -ENOMEM. Does not block.
 */
int pci_claims_replaced(const struct sysroot *root, const struct pci_claims *claims,
			const struct pci_inventory *inventory, struct strings *ret);

/* The same of a machine that was not read yet; one that cannot be read has none. */
int pci_modules_replaced(const struct sysroot *root, struct strings *ret);
