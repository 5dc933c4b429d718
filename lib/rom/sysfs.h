/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rom: the attribute `rom` of a PCI device. Reading it takes a switch that is to be turned off
 * again, a device that is awake, and one that answers to memory addresses.
 *
 * Sources: as in rom/read.h; the end of the data is where the kernel's walk of the images ends.
 */
#pragma once

#include "pci/device.h"

/*
 * Reads the ROM into memory the caller frees. Returns 0, or -errno with the cause in `err`:
 * -ENOENT the device has no ROM BAR; -EIO the kernel found no ROM in it; -EACCES not root;
 * -ETIMEDOUT the device or its driver does not answer. All that was changed is put back; where
 * that fails, the error says so, too.
 */
int rom_sysfs_read(const struct sysroot *root, const struct pci_device *device, char **ret_data,
		   size_t *ret_size, struct error *err) must_check;

/*
 * Whether the kernel shows the copy in memory in place of the ROM, as it does for the display the
 * machine was booted with.
 */
bool rom_is_shadowed(const struct sysroot *root, const char *address);
