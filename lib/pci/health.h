/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pci: how a function is: its link, its power settings, the errors it has reported, and the sizes
 * its BARs could have.
 */
#pragma once

#include "pci/facts.h"

/* Errors that AER counted (Documentation/ABI/testing/sysfs-bus-pci-devices-aer_stats). */
struct pci_errors {
	bool known; /* the function has the counters */
	uint64_t correctable, nonfatal, fatal;
};

/* Strings are owned, and NULL where sysfs has no such file. Started as { 0 }. */
struct pci_health {
	struct pci_errors errors;
	char *link_speed, *link_speed_most; /* "8.0 GT/s PCIe" */
	char *link_width, *link_width_most; /* "16" */
	char *d3cold_allowed;		    /* "0", "1": Linux 3.6 */
	char *power_control;		    /* "auto", "on" */
	char *numa_node;		    /* "-1" for none */
	/*
	 * Resizable BARs: bit n means 2^n MiB (resourceN_resize, Linux 6.1). 0: not resizable,
	 * or not asked.
	 */
	uint64_t sizes[PCI_REGION_ROM];
};

/*
 * Reads all of it. The sizes are only asked of a function in D0, since the question would wake it.
 * 0 or -errno. Does not block.
 */
int pci_health_read(const struct sysroot *root, const struct pci_entry *entry,
		    struct pci_health *ret);
/* Reads the counters alone; of the function's folder, opened with O_PATH. Wakes nothing. */
void pci_errors_read_in(const struct sysroot *root, int folder, struct pci_errors *ret);
void pci_errors_read(const struct sysroot *root, const char *address, struct pci_errors *ret);
void pci_health_done(struct pci_health *health);
#define cleanup_pci_health cleanup(pci_health_done)

/* The greatest size a BAR could have, in bytes; 0 where it cannot be resized. */
uint64_t pci_region_most(const struct pci_health *health, size_t region);

/* "256 MiB" into the buffer. */
const char *pci_size_words(uint64_t size, char buffer[24]);
