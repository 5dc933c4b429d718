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

/* The same, and whether `address` is a virtual function itself: one look for both. */
int sriov_links_find(const struct sysroot *root, const char *address, struct pci_addresses *ret,
		     bool *ret_virtual, struct error *err);

/* Where a virtual function belongs. */
struct sriov_place {
	char physical[PCI_ADDRESS_TEXT];
	unsigned number; /* from 0: that of the link virtfnN */
};

/* The place of the function `address`. -ENODEV: it is not a virtual one. Does not block. */
int sriov_place_find(const struct sysroot *root, const char *address,
		     struct sriov_place *ret) must_check;

/* A virtual function that is not there, as one of a physical function that is. */
struct sriov_absent {
	char physical[PCI_ADDRESS_TEXT];
	unsigned number; /* it would be the Nth, from 1 */
	unsigned most;	 /* that the physical function can have: sriov_totalvfs */
	unsigned now;	 /* that it has */
};

/*
 * The physical function that `address` would be a virtual function of, of those there are: by
 * sriov_offset and sriov_stride (PCI Express base specification, SR-IOV: First VF Offset, VF
 * Stride). false when there is none. Does not block: sriov_numvfs is not read.
 */
bool sriov_absent_find(const struct sysroot *root, struct pci_address address,
		       struct sriov_absent *ret);
