/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pci: the memory of a function, by its base address registers, and their size where the card can
 * change it (PCI Express 4.0, 7.8.6, Resizable BAR).
 */
#pragma once

#include "pci/device.h"

/* One region; `size` is 0 where there is none, or where it is of I/O ports. Both ends belong to it. */
struct pci_bar {
	uint64_t start, end, size;
};

/*
 * The regions, from the first lines of `resource`: start, end and flags of each
 * (Documentation/PCI/sysfs-pci.rst). A function without the file has none. 0 or -errno.
 */
int pci_bars_read(const struct sysroot *root, const char *address,
		  struct pci_bar bars[PCI_BAR_COUNT]);

/*
 * The sizes a BAR can have: bit N means 2^N MiB (`resourceN_resize`, Linux 6.1, in
 * Documentation/ABI/testing/sysfs-bus-pci). -ENOENT where it cannot be changed. Does not block.
 */
int pci_bar_sizes(const struct sysroot *root, const char *address, unsigned bar, uint64_t *ret);

/*
 * Changes the size of a BAR, in MiB, and sees that it has it. The kernel does so only while no
 * driver has the function, and gives other functions behind the same bridge new places for it.
 * Takes the device's lock: call it in a lane.
 */
int pci_bar_resize(const struct sysroot *root, const char *address, unsigned bar, uint64_t mib,
		   struct error *err) must_check;
