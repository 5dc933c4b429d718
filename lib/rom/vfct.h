/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rom: the ACPI table VFCT, in which AMD's firmware leaves the video BIOS of its graphics devices.
 * All offsets and sizes are bytes.
 *
 * Sources: linux drivers/gpu/drm/amd/include/atombios.h (UEFI_ACPI_VFCT, VFCT_IMAGE_HEADER) and
 * amdgpu_bios.c (how it is searched); ACPI 6.5, 5.2.6 (the header all tables share).
 */
#pragma once

#include <stdbool.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/text.h"
#include "pci/address.h"

/* Where Linux shows the table, relative to the root. Readable by root whatever driver is bound. */
#define VFCT_FILE     "sys/firmware/acpi/tables/VFCT"
#define VFCT_SIZE_MAX ((size_t)16 * 1024 * 1024)

struct vfct_image {
	size_t offset; /* of its data in the table */
	uint32_t bus, device,
		function; /* when the firmware ran: buses may have new numbers since */
	uint16_t vendor_id, device_id;
	uint16_t subsystem_vendor, subsystem_device;
	uint32_t revision;
	struct bytes data; /* the video BIOS, borrowed from the table */
};

/* Why there is no further image. */
enum vfct_end {
	VFCT_END_MARK,	    /* the empty image header that ends most tables */
	VFCT_END_TABLE,	    /* the table ends where the next would start */
	VFCT_END_HEADER,    /* the table ends within a header: the rest is not an image */
	VFCT_END_TRUNCATED, /* an image is longer than what is left of the table */
};

/* A table in memory. The images are borrowed from the bytes it was parsed from. */
struct vfct {
	uint32_t length;  /* as the table says */
	bool checksum_ok; /* over `length`; false too when the file is shorter */
	size_t missing;	  /* the file is shorter than the table by that */
	size_t surplus;	  /* the file is longer than the table by that */
	struct vfct_image *images;
	size_t count;
	enum vfct_end end;
};

/*
 * Finds the images, as amdgpu does: those before a fault are kept, and `end` tells the fault.
 * -EBADMSG when this is no VFCT, or its offset of the first image leads out of it; -ENOMEM.
 */
int vfct_parse(struct bytes table, struct vfct *ret, struct error *err) must_check;
void vfct_done(struct vfct *vfct);
#define cleanup_vfct cleanup(vfct_done)

/* What is wrong with the table, in sentences; none for a right one. 0 or -ENOMEM. */
int vfct_list_faults(const struct vfct *vfct, struct strings *ret);

/* How well an image fits a device. */
enum vfct_match {
	VFCT_MATCH_NONE,
	VFCT_MATCH_ID,	    /* one image has its ids, and another address: buses were renumbered */
	VFCT_MATCH_EXACT,   /* ids and address */
	VFCT_MATCH_SEVERAL, /* several have its ids, and none its address */
};

/*
 * Finds the image of a device. `ret_image` is set for VFCT_MATCH_ID and _EXACT only; the domain
 * is not in the table.
 */
enum vfct_match vfct_find(const struct vfct *vfct, struct pci_address address, uint16_t vendor_id,
			  uint16_t device_id, const struct vfct_image **ret_image);

bool vfct_image_is_at(const struct vfct_image *image, struct pci_address address);
