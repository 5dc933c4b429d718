/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rom: vendors' structures. Recognises them, and changes none. */
#include "rom/vendor.h"

#include <string.h>

#include "base/array.h"

/* ATOM_ROM_HEADER: offsets from its start. */
#define ATOM_POINTER	  0x48 /* in the image */
#define ATOM_SIGNATURE	  0x04
#define ATOM_SUBSYSTEM	  0x18
#define ATOM_HEADER_SIZE  0x1c

#define VBT_HEADER_SIZE	  0x20
#define VBT_VERSION	  0x14
#define VBT_SIZE	  0x18

#define NPDE_ALIGN	  16
#define NPDE_SIZE	  0x0b
#define NPDE_AT_LENGTH	  0x08
#define NPDE_AT_INDICATOR 0x0a

bool rom_atom_find(const struct rom_image *image, struct rom_atom *ret)
{
	size_t offset = bytes_u16(image->data, ATOM_POINTER);
	struct bytes header = { 0 };

	if (image->code != ROM_CODE_X86 || offset == 0 ||
	    !bytes_slice(image->data, offset, ATOM_HEADER_SIZE, &header))
		return false;
	if (!bytes_has_text(header, ATOM_SIGNATURE, "ATOM") &&
	    !bytes_has_text(header, ATOM_SIGNATURE, "MOTA"))
		return false;
	*ret = (struct rom_atom){
		.offset = offset,
		.subsystem_vendor = bytes_u16(header, ATOM_SUBSYSTEM),
		.subsystem_device = bytes_u16(header, ATOM_SUBSYSTEM + 2),
	};
	return true;
}

static void copy_name(struct bytes from, char to[VBT_NAME_SIZE + 1])
{
	size_t size = 0;

	for (size_t i = 0; i < VBT_NAME_SIZE; i++) {
		uint8_t c = bytes_u8(from, i);

		if (c < ' ' || c > '~')
			break;
		to[i] = (char)c;
		if (c != ' ')
			size = i + 1;
	}
	to[size] = '\0';
}

/* On multiples of 4, as i915 does; its checksum is wrong on real machines and not looked at. */
bool rom_vbt_find(struct bytes bytes, struct rom_vbt *ret)
{
	struct bytes header = { 0 };

	for (size_t at = 0; bytes_slice(bytes, at, VBT_HEADER_SIZE, &header); at += 4) {
		size_t size = bytes_u16(header, VBT_SIZE);

		if (!bytes_has_text(header, 0, "$VBT") || size < VBT_HEADER_SIZE ||
		    size > bytes.size - at)
			continue;
		ret->offset = at;
		ret->version = bytes_u16(header, VBT_VERSION);
		ret->size = (uint16_t)size;
		copy_name(header, ret->name);
		return true;
	}
	return false;
}

bool rom_npde_find(const struct rom_image *image, struct rom_npde *ret)
{
	size_t offset = image->pcir + bytes_u16(image->data, image->pcir + 0x0a);
	struct bytes npde = { 0 };

	offset = (offset + NPDE_ALIGN - 1) / NPDE_ALIGN * NPDE_ALIGN;
	if (!image->has_pcir || !bytes_slice(image->data, offset, NPDE_SIZE, &npde) ||
	    !bytes_has_text(npde, 0, "NPDE"))
		return false;
	*ret = (struct rom_npde){
		.size = ROM_BLOCK * bytes_u16(npde, NPDE_AT_LENGTH),
		.last = bytes_u8(npde, NPDE_AT_INDICATOR) & PCIR_LAST,
	};
	return true;
}

const char *rom_header_name(struct bytes header)
{
	static const struct {
		const char *signature, *name;
	} headers[] = {
		{ "NVGI", "NVIDIA flash header (NVGI)" },
		{ "RFRD", "NVIDIA flash header (RFRD)" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(headers); i++)
		if (bytes_has_text(header, 0, headers[i].signature))
			return headers[i].name;
	return NULL;
}
