/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pci: one PCI function as sysfs shows it, and the functions there are.
 * Read with our own sysfs code, since a device can vanish at any moment.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/sysroot.h"
#include "pci/address.h"

/* No IOMMU group: the IOMMU is off, or does not cover this device. */
#define IOMMU_GROUP_NONE (-1)

/* BARs 0 to 5; behind them come the ROM and a bridge's windows (pci_resource_attrs in sysfs). */
#define PCI_BAR_COUNT 6

struct pci_device {
	struct pci_address address;
	char name[PCI_ADDRESS_TEXT]; /* the address as text */
	uint16_t vendor, device;
	uint16_t subsystem_vendor, subsystem_device;
	uint32_t class_code; /* base class, subclass, interface: 0x030000 is VGA */
	bool bridge;	 /* header type 1 or 2 (PCI 3.0, 6.1): not for a VM, skipped in groups */
	bool dead;	 /* its configuration space reads all ones: nobody answers */
	int iommu_group; /* IOMMU_GROUP_NONE, or its number */
	char *driver;	 /* that is bound, or NULL */
};

#define PCI_DEVICES "sys/bus/pci/devices"

/* Writes "sys/bus/pci/devices/ADDRESS/NAME", or the device's folder for an empty NAME. */
void pci_attribute_path(char path[SYSROOT_PATH_MAX], const char *address, const char *name);

/* The function's folder (O_PATH), so that its long path is walked once for many attributes; or -errno. */
int pci_folder_open(const struct sysroot *root, const char *address) must_check;

/* Reads one function. -ENODEV when it is absent; does not block. */
int pci_device_read(const struct sysroot *root, struct pci_address address, struct pci_device *ret,
		    struct error *err) must_check;

/*
 * The same without a look at its configuration space, which would wake a function in D3cold
 * (pci_config_pm_runtime_get() in drivers/pci/pci.c): whether it is a bridge goes by its class, and that
 * it is dead is not seen.
 */
int pci_device_glance(const struct sysroot *root, struct pci_address address,
		      struct pci_device *ret, struct error *err) must_check;

/* Its address and ids alone, which need not be freed. The same. */
int pci_device_identify(const struct sysroot *root, struct pci_address address,
			struct pci_device *ret) must_check;
void pci_device_done(struct pci_device *device);
#define cleanup_pci_device cleanup(pci_device_done)

/* A list of addresses, started as { 0 }. */
struct pci_addresses {
	struct pci_address *items;
	size_t count;
};

int pci_addresses_add(struct pci_addresses *addresses, struct pci_address address);
bool pci_addresses_has(const struct pci_addresses *addresses, struct pci_address address);

/* Of a list that is in order of address. */
bool pci_addresses_sorted_has(const struct pci_addresses *addresses, struct pci_address address);

/* From the item `first` on, in order of address. */
void pci_addresses_sort(struct pci_addresses *addresses, size_t first);
void pci_addresses_done(struct pci_addresses *addresses);
#define cleanup_pci_addresses cleanup(pci_addresses_done)

/* The functions of the machine, in order of address. */
int pci_devices_list(const struct sysroot *root, struct pci_addresses *ret,
		     struct error *err) must_check;

/* The members of an IOMMU group, bridges included, in order of address. */
int iommu_group_members(const struct sysroot *root, int group, struct pci_addresses *ret,
			struct error *err) must_check;
