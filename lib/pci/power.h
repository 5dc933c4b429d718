/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pci: the power of a function and its link, read so that nothing wakes it. Most attributes of the link
 * are read from configuration space, for which the kernel resumes a function that sleeps (since Linux
 * 6.18, and some stable kernels before: "PCI/sysfs: Ensure devices are powered for config reads"), so
 * they are asked of one alone that is awake anyway.
 */
#pragma once

#include <stdbool.h>

#include "host/sysroot.h"

/* Words of the kernel, "" where there is no such attribute. Started as { 0 }. */
struct pci_power {
	char state[16]; /* "D0", "D3hot", "D3cold", "unknown": power_state, Linux 5.11 */
	char status
		[16]; /* "active", "suspended", "suspending", "resuming", "error", "unsupported" */
	char control[8]; /* "auto", or "on": it is not suspended */
};

/* Of the folder of a function, opened with O_PATH. Does not block. */
void pci_power_read_in(const struct sysroot *root, int folder, struct pci_power *ret);
void pci_power_read(const struct sysroot *root, const char *address, struct pci_power *ret);

/* It is in D0 and neither suspended nor about to be, as far as the kernel says. */
bool pci_power_is_awake(const struct pci_power *power);

/* Its link now, and what it is capable of; 0: not known. */
struct pci_link {
	double speed, speed_most; /* GT/s */
	unsigned width, width_most;
};

/* Of one that is awake. Does not block. */
void pci_link_read_in(const struct sysroot *root, int folder, struct pci_link *ret);
