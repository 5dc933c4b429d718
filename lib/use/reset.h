/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * use: with whom a function shares its reset, and whether it answers at all.
 */
#pragma once

#include <stdbool.h>

#include "pci/device.h"

/*
 * How far the reset of a function reaches (pci_reset_fn_methods in drivers/pci/pci.c). VFIO resets
 * a whole bus only for a user who holds all of its functions
 * (VFIO_DEVICE_PCI_HOT_RESET in linux/vfio.h).
 */
enum reset_reach {
	RESET_FUNCTION, /* this function alone */
	RESET_BUS,	/* with all others on its bus */
	RESET_NONE,	/* on a root bus, which has no reset */
};

/*
 * Reads `reset_method` (Linux 5.15), of which all but "bus" reset a function alone; before that
 * the file `reset`, which is there when any of them works, counts as one of its own. Takes no
 * lock of the device's.
 */
enum reset_reach reset_reach_read(const struct sysroot *root, const char *address);

/* The other functions on the bus of `address`, bridges included, in order of address. */
int reset_neighbours_find(const struct sysroot *root, struct pci_address address,
			  struct pci_addresses *ret, struct error *err) must_check;

/*
 * The header of its configuration space reads all ones, as the bus does where nobody answers (PCI
 * Local Bus Specification 3.0, 6.1). Of a virtual function, whose ids read ffff, the rest does
 * not. False where there is no such file. Wakes the device from D3cold, which can take a second.
 */
bool device_is_dead(const struct sysroot *root, const char *address);
