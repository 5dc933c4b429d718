/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pci: interrupts of a function. Enables none. */
#include "pci/interrupt.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/bytes.h"
#include "base/number.h"

#define CONFIG_MAX	4096
#define INTERRUPTS_PATH "proc/interrupts"
#define INTERRUPTS_MAX	((size_t)32 << 20)

/* PCI Local Bus Specification 3.0, 6.7 and 6.8.2. */
#define STATUS		    0x06
#define STATUS_CAPABILITIES 0x10
#define CAPABILITIES	    0x34
#define CAPABILITY_MSIX	    0x11
#define MSIX_SIZE	    12
#define MSIX_VECTORS_MASK   0x7ff
#define MSIX_BAR_MASK	    0x7u

/* Lines below are what the firmware writes for the old interrupt controller. */
#define LINE_ROUTED 16

static bool find_msix(struct bytes config, struct bytes *ret)
{
	unsigned at = bytes_u8(config, CAPABILITIES) & ~3u;

	if (!(bytes_u16(config, STATUS) & STATUS_CAPABILITIES))
		return false;
	/* A capability takes 4 bytes or more, so a longer chain is a loop. */
	for (unsigned left = 256 / 4; left > 0 && at >= 0x40; left--) {
		if (!bytes_slice(config, at, MSIX_SIZE, ret))
			return false;
		if (bytes_u8(config, at) == CAPABILITY_MSIX)
			return true;
		at = bytes_u8(config, at + 1) & ~3u;
	}
	return false;
}

bool pci_msix_read(const struct sysroot *root, const char *address, struct pci_msix *ret)
{
	cleanup_free char *data = NULL;
	char path[SYSROOT_PATH_MAX];
	struct bytes config = { 0 }, msix;
	uint32_t table, pba;

	pci_attribute_path(path, address, "config");
	if (sysroot_read(root, path, CONFIG_MAX, &data, &config.size) < 0)
		return false;
	config.data = (const uint8_t *)data;
	if (!find_msix(config, &msix))
		return false;
	table = bytes_u32(msix, 4);
	pba = bytes_u32(msix, 8);
	*ret = (struct pci_msix){
		.vectors = (bytes_u16(msix, 2) & MSIX_VECTORS_MASK) + 1u,
		.table_bar = table & MSIX_BAR_MASK,
		.table_offset = table & ~MSIX_BAR_MASK,
		.pba_bar = pba & MSIX_BAR_MASK,
		.pba_offset = pba & ~MSIX_BAR_MASK,
	};
	return ret->table_bar < PCI_BAR_COUNT && ret->pba_bar < PCI_BAR_COUNT;
}

unsigned pci_line_read(const struct sysroot *root, const char *address)
{
	cleanup_strings struct strings messages = { 0 };
	cleanup_free char *value = NULL;
	char path[SYSROOT_PATH_MAX];
	uint32_t line;

	pci_attribute_path(path, address, "msi_irqs");
	if (sysroot_list(root, path, &messages) == 0 && messages.count > 0)
		return 0;
	pci_attribute_path(path, address, "irq");
	if (sysroot_read_attribute(root, path, &value) < 0 || parse_u32(value, &line) < 0)
		return 0;
	return line >= LINE_ROUTED ? line : 0;
}

bool pci_line_is_unmaskable(const struct pci_device *device)
{
	static const struct {
		uint16_t vendor, device;
	} ids[] = {
		{ 0x10ec, 0x8169 }, /* Realtek RTL8169 */
		{ 0x1425, 0x0030 }, /* Chelsio T310 */
		{ 0x15b3, 0x1002 }, /* Mellanox ConnectX-2 */
		{ 0x15b3, 0x1003 }, /* ConnectX-3 */
		{ 0x15b3, 0x1007 }, /* ConnectX-3 Pro */
		{ 0x15b3, 0x6340 }, { 0x15b3, 0x634a }, { 0x15b3, 0x6354 }, /* ConnectX */
		{ 0x15b3, 0x6368 }, { 0x15b3, 0x6372 }, { 0x15b3, 0x6732 },
		{ 0x15b3, 0x673c }, { 0x15b3, 0x6746 }, { 0x15b3, 0x6750 },
		{ 0x15b3, 0x675a }, { 0x15b3, 0x6764 }, { 0x1814, 0x0601 }, /* Ralink RT2800 */
		{ 0x1b7c, 0x0004 },					    /* Ceton InfiniTV4 */
	};

	for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
		if (ids[i].vendor == device->vendor && ids[i].device == device->device)
			return true;
	return false;
}

/* "16: 0 7  IR-IO-APIC  16-fasteoi  ehci_hcd:usb1, i801_smbus": what comes after the kind. */
static char *find_handlers(char *row)
{
	char *at = strchr(row, ':') + 1;

	at += strspn(at, " \t0123456789");
	if (!strstr(at, "IO-APIC"))
		return NULL;
	for (size_t i = 0; i < 2; i++) {
		at += strcspn(at, " \t");
		at += strspn(at, " \t");
	}
	return at;
}

/* The row of a line, which the kernel writes without a name but with its number first. */
static bool is_row_of(const char *row, unsigned line)
{
	size_t blank = strspn(row, " \t"), digits = strspn(row + blank, "0123456789");
	uint64_t number;

	return row[blank + digits] == ':' &&
	       parse_number(row + blank, digits, 10, UINT32_MAX, &number) == 0 && number == line;
}

int pci_line_users(const struct sysroot *root, unsigned line, struct strings *ret)
{
	cleanup_free char *interrupts = NULL;
	char *rest, *row, *name;
	size_t size;
	int r = sysroot_read(root, INTERRUPTS_PATH, INTERRUPTS_MAX, &interrupts, &size);

	if (r < 0)
		return r;
	rest = interrupts;
	while ((row = strsep(&rest, "\n"))) {
		if (!is_row_of(row, line))
			continue;
		row = find_handlers(row);
		while (row && (name = strsep(&row, ","))) {
			name += strspn(name, " ");
			if (*name && strings_add(ret, name) < 0)
				return -ENOMEM;
		}
		break;
	}
	return 0;
}
