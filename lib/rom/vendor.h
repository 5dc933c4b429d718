/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rom: what NVIDIA, AMD and Intel put into or around option ROM images.
 *
 * Sources: linux drivers/gpu/drm/amd/include/atombios.h (ATOM_ROM_HEADER), i915
 * intel_vbt_defs.h (struct vbt_header), nouveau nvkm/subdev/bios/npde.c; NVGI and RFRD have no
 * public description and are only known by their names.
 */
#pragma once

#include "rom/image.h"

/* AMD's ATOM BIOS: the tables that amdgpu and radeon need, in a legacy image. */
struct rom_atom {
	size_t offset; /* of the ROM header in the image */
	uint16_t subsystem_vendor, subsystem_device;
};

/* Whether the image holds one, by the test of amdgpu (check_atom_bios). */
bool rom_atom_find(const struct rom_image *image, struct rom_atom *ret);

/* Intel's video BIOS table, which i915 looks for in a ROM. */
#define VBT_NAME_SIZE 20
struct rom_vbt {
	size_t offset;		      /* in the bytes given */
	char name[VBT_NAME_SIZE + 1]; /* "$VBT BROXTON", printable, blanks at the end cut */
	uint16_t version;
	uint16_t size;
};

bool rom_vbt_find(struct bytes bytes, struct rom_vbt *ret);

/* NVIDIA's addition behind the data structure: the true size and end of an image's part. */
struct rom_npde {
	size_t size;
	bool last;
};

bool rom_npde_find(const struct rom_image *image, struct rom_npde *ret);

/* What the bytes ahead of the first image are: "NVIDIA flash header (NVGI)"; NULL when unknown. */
const char *rom_header_name(struct bytes header);
