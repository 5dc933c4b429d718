/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * use: the virtual functions of a physical one. They go away with the physical function's driver
 * (Documentation/PCI/pci-iov-howto.rst).
 */
#pragma once

#include "pci/device.h"

/*
 * The virtual functions there are now: the links virtfnN in the folder of `address`
 * (Documentation/ABI/testing/sysfs-bus-pci). None for a function that has none, or cannot. 0 or
 * -errno; does not block.
 */
int sriov_functions_find(const struct sysroot *root, const char *address, struct pci_addresses *ret,
			 struct error *err);
