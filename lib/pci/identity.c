/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pci: identity. Wakes no device up to read it. */
#include "pci/identity.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

/* Extended capabilities: PCI Express Base Specification 4.0, 7.6.3. Each begins with a header of
 * 4 bytes: id in bits 0 to 15, offset of the next in bits 20 to 31. */
#define EXTENDED_START	  0x100
#define EXTENDED_END	  0x1000
#define CAPABILITY_SERIAL 0x0003

static bool read_u32(int fd, unsigned offset, uint32_t *ret)
{
	unsigned char bytes[4];

	if (pread(fd, bytes, sizeof(bytes), offset) != (ssize_t)sizeof(bytes))
		return false;
	*ret = (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
	       (uint32_t)bytes[3] << 24;
	return true;
}

static bool find_serial(int fd, unsigned *ret)
{
	unsigned offset = EXTENDED_START;

	/* A capability takes 8 bytes or more, so a longer chain is a loop. */
	for (unsigned left = (EXTENDED_END - EXTENDED_START) / 8; left > 0; left--) {
		uint32_t header;

		if (!read_u32(fd, offset, &header) || header == 0 || header == UINT32_MAX)
			return false;
		if ((header & 0xffff) == CAPABILITY_SERIAL) {
			*ret = offset;
			return true;
		}
		offset = header >> 20 & 0xffc;
		if (offset < EXTENDED_START)
			return false;
	}
	return false;
}

static void read_serial(const struct sysroot *root, const char *address, struct pci_identity *ret)
{
	cleanup_close int fd = -1;
	char path[SYSROOT_PATH_MAX];
	uint32_t low, high;
	unsigned offset;

	pci_attribute_path(path, address, "config");
	fd = sysroot_openat(root, path, O_RDONLY);
	if (fd < 0 || !find_serial(fd, &offset) || !read_u32(fd, offset + 4, &low) ||
	    !read_u32(fd, offset + 8, &high))
		return;
	/* Written from the highest byte on, as lspci does. */
	ret->serial_offset = offset;
	snprintf(ret->serial, PCI_SERIAL_TEXT, "%02x-%02x-%02x-%02x-%02x-%02x-%02x-%02x",
		 high >> 24, high >> 16 & 0xff, high >> 8 & 0xff, high & 0xff, low >> 24,
		 low >> 16 & 0xff, low >> 8 & 0xff, low & 0xff);
}

void pci_identity_read(const struct sysroot *root, const struct pci_device *device,
		       struct pci_identity *ret)
{
	*ret = (struct pci_identity){
		.vendor = device->vendor,
		.device = device->device,
		.subsystem_vendor = device->subsystem_vendor,
		.subsystem_device = device->subsystem_device,
		.class_code = device->class_code,
	};
	read_serial(root, device->name, ret);
}

bool pci_identity_matches(const struct pci_identity *a, const struct pci_identity *b)
{
	if (a->vendor != b->vendor || a->device != b->device ||
	    a->subsystem_vendor != b->subsystem_vendor ||
	    a->subsystem_device != b->subsystem_device || a->class_code != b->class_code)
		return false;
	return !*a->serial || !*b->serial || strcmp(a->serial, b->serial) == 0;
}
