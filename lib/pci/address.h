/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pci: where a function is: domain, bus, device, function, written dddd:bb:dd.f as in sysfs.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* "dddddddd:bb:dd.f" and the NUL; a domain above ffff (VMD has 10000) takes more than four. */
#define PCI_ADDRESS_TEXT 20

struct pci_address {
	uint32_t domain;
	uint8_t bus;
	uint8_t device;
	uint8_t function;
};

/* Parses a full address of sysfs, lower or upper case. -EINVAL for anything else. */
int pci_address_parse(const char *text, struct pci_address *ret);

/* Formats into `buffer` as sysfs does and returns it. */
const char *pci_address_format(struct pci_address address, char buffer[PCI_ADDRESS_TEXT]);

/* Orders as a person and PVE do: domain, bus, device, function. <0, 0, >0. */
int pci_address_compare(struct pci_address a, struct pci_address b);

static inline bool pci_address_equal(struct pci_address a, struct pci_address b)
{
	return a.domain == b.domain && a.bus == b.bus && a.device == b.device &&
	       a.function == b.function;
}
