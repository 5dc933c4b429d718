/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pci: what sysfs shows of a function beyond what it is: where it hangs, how it can be reset, its
 * power, its memory, its virtual functions. Wakes no device and waits for no lock.
 */
#pragma once

#include "pci/device.h"

/* The regions of a function with their ROM: six BARs and the ROM's (PCI 3.0, 6.2.5). */
#define PCI_REGION_COUNT 7
#define PCI_REGION_ROM	 6

struct pci_region {
	uint64_t start, size; /* size 0: none */
	bool prefetchable;
	bool wide; /* a 64-bit BAR */
};

/* Strings are owned, and NULL where sysfs has no such file. Started as { 0 }. */
struct pci_facts {
	char *folder;	     /* below /sys: "devices/pci0000:00/0000:00:01.0/0000:01:00.0" */
	char *parent;	     /* the bridge's address, or NULL on a root bus */
	char *reset_methods; /* "flr bus": Linux 5.15 */
	bool has_reset;	     /* one works: the file `reset` is there */
	char *power;	     /* "D0", "D3cold": Linux 5.11 */
	char *module;	     /* that brings its driver; NULL also for a built-in one */
	char *physical;	     /* the physical function of this virtual one */
	unsigned functions;  /* virtual functions now, and the most there can be */
	unsigned functions_most;
	bool boot_display; /* the firmware's first display: boot_vga */
	bool has_rom;	   /* a ROM BAR: the file `rom` is there */
	struct pci_region regions[PCI_REGION_COUNT];
};

/* Its regions alone, of `resource`; what is not there is left empty. Does not block. */
void pci_regions_read(const struct sysroot *root, const char *address,
		      struct pci_region regions[PCI_REGION_COUNT]);

/*
 * Reads all of it (Documentation/ABI/testing/sysfs-bus-pci). What is not there is left empty.
 * 0 or -ENOMEM. Does not block.
 */
int pci_facts_read(const struct sysroot *root, const char *address, struct pci_facts *ret);
void pci_facts_done(struct pci_facts *facts);
#define cleanup_pci_facts cleanup(pci_facts_done)

/* One function with its facts. */
struct pci_entry {
	struct pci_device device;
	struct pci_facts facts;
	/* Numbers of items: the first of its IOMMU group, and the one after this or GROUP_END. */
	size_t group_first, group_next;
};

#define GROUP_END SIZE_MAX

/* All functions of the machine, in order of address. Started as { 0 }. */
struct pci_inventory {
	struct pci_entry *items;
	size_t count;
};

/* Reads them; one that goes away meanwhile is left out. 0 or -errno. Does not block. */
int pci_inventory_read(const struct sysroot *root, struct pci_inventory *ret,
		       struct error *err) must_check;
void pci_inventory_done(struct pci_inventory *inventory);
#define cleanup_pci_inventory cleanup(pci_inventory_done)

/* The function at an address, or NULL. */
const struct pci_entry *pci_inventory_find(const struct pci_inventory *inventory,
					   const char *address);

/* A display controller: base class 03 (PCI Code and ID Assignment, 1.4). */
bool pci_is_display(const struct pci_device *device);

/* A display controller that has outputs: not one of class 0302, a 3D controller. */
bool pci_has_outputs(const struct pci_device *device);

/* A display controller, or a GPU that is made as an accelerator alone (class 12: AMD Instinct). */
bool pci_is_gpu(const struct pci_device *device);

/*
 * The display of a server's management controller (ASPEED, Matrox G200), which shows the node's own
 * console: nobody passes it.
 */
bool pci_is_console_chip(const struct pci_device *device);

/* A virtual function (SR-IOV): it has the link `physfn`. Does not block. */
bool pci_is_virtual(const struct sysroot *root, const char *address);

/* Both are functions of one device. */
bool pci_same_slot(struct pci_address a, struct pci_address b);
