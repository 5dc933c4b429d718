/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pci: the device that a person means by a word: an address with or without its function, a class
 * ("gpu"), or a part of its name.
 */
#pragma once

#include "pci/name.h"

/* Started as { 0 }. */
struct pci_selection {
	struct pci_addresses functions; /* in order of address, one at least */
	bool whole; /* they are all functions of the slot, and belong together */
};

/*
 * AMD graphics in a processor: their slot holds the PSP, USB controllers and the sound of the board
 * too, which are of vendor 1022.
 */
bool pci_is_apu(const struct sysroot *root, const struct pci_device *device);

/*
 * Whether the word fits a device of that name: a class ("gpu"), its driver, its ids ("10de",
 * "10de:2484"), or a part of its name.
 */
bool pci_word_fits(const struct pci_device *device, const char *name, const char *word);

/*
 * Finds it. A display takes the other functions of its slot along (audio, USB-C); of an APU it
 * takes its own audio alone. An address with a function means that function and no more.
 * -ENODEV, with the words to choose from, for what is not there; -ENOTUNIQ, with a list, for what
 * means several devices.
 */
int pci_select(const struct sysroot *root, struct pci_names *names,
	       const struct pci_addresses *present, const char *word, struct pci_selection *ret,
	       struct error *err) must_check;

/*
 * Adds the functions that a word means which is not an address, each for a device of its own: what
 * pci_select() lists. 0 or -ENOMEM.
 */
int pci_meant(const struct sysroot *root, struct pci_names *names,
	      const struct pci_addresses *present, const char *word,
	      struct pci_addresses *ret) must_check;

void pci_selection_done(struct pci_selection *selection);
#define cleanup_pci_selection cleanup(pci_selection_done)
