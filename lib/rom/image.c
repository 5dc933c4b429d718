/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rom: the images of an option ROM. Believes no length and no pointer in it. */
#include "rom/image.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/cleanup.h"

#define IMAGE_HEADER_SIZE 0x1a
#define PCIR_SIZE_MIN	  0x18
#define PCIR_SIZE_LISTS	  0x1c /* revision 3 */
#define PNP_POINTER	  0x1a

/* "NV", and what some of NVIDIA's parts start with: nvkm/subdev/bios/pcir.c, image.c */
#define SIGNATURE_PCI	     0xaa55
#define SIGNATURE_NVIDIA_NV  0x4e56
#define SIGNATURE_NVIDIA_OLD 0xbb77

#define EFI_SIGNATURE	     0x0ef1

static bool has_image_signature(struct bytes image)
{
	struct bytes header = { 0 };

	return bytes_slice(image, 0, IMAGE_HEADER_SIZE, &header) &&
	       bytes_u16(header, 0) == SIGNATURE_PCI;
}

/* The data structure whose name is one of `names`; false where there is none. */
static bool find_pcir(struct bytes image, const char *const names[], struct bytes *ret)
{
	size_t offset = bytes_u16(image, ROM_AT_PCIR);

	if (offset == 0 || !bytes_slice(image, offset, PCIR_SIZE_MIN, ret))
		return false;
	for (; *names; names++)
		if (bytes_has_text(*ret, 0, *names))
			return true;
	return false;
}

static const char *const pcir_names[] = { "PCIR", NULL };

static bool is_pci_image(struct bytes image)
{
	struct bytes pcir = { 0 };

	return has_image_signature(image) && find_pcir(image, pcir_names, &pcir);
}

/* The list is 16 bit numbers, ended by one that is 0 (PCI Firmware 3.3, 5.1.2). */
static struct bytes find_devices(struct bytes image, size_t pcir)
{
	size_t offset = bytes_u16(bytes_from(image, pcir), 8), size = 0;
	struct bytes list;

	if (offset == 0)
		return (struct bytes){ 0 };
	list = bytes_from(image, pcir + offset);
	while (bytes_u16(list, size) != 0)
		size += 2;
	return bytes_clip(list, 0, size);
}

static void read_x86(struct rom_image *image, struct bytes rest)
{
	image->legacy_size = ROM_BLOCK * bytes_u8(image->data, ROM_AT_LEGACY_SIZE);
	if (image->legacy_size > rest.size && image->legacy_size > image->size)
		image->missing = image->legacy_size - rest.size;
	image->pnp = bytes_has_text(image->data, bytes_u16(image->data, PNP_POINTER), "$PnP");
}

static struct rom_efi read_efi(struct bytes image)
{
	return (struct rom_efi){
		.signature = bytes_u32(image, 4) == EFI_SIGNATURE,
		.size = (uint32_t)(ROM_BLOCK * bytes_u16(image, 2)),
		.subsystem = bytes_u16(image, 8),
		.machine = bytes_u16(image, 0x0a),
		.compression = bytes_u16(image, 0x0c),
		.offset = bytes_u16(image, 0x16),
	};
}

/* Reads the fields of the data structure, which is known to be there. */
static void read_pcir(struct rom_image *image, struct bytes rest, struct bytes pcir)
{
	image->has_pcir = true;
	image->pcir = bytes_u16(rest, ROM_AT_PCIR);
	image->vendor = bytes_u16(pcir, PCIR_AT_VENDOR);
	image->device = bytes_u16(pcir, PCIR_AT_DEVICE);
	image->pcir_revision = bytes_u8(pcir, 0x0c);
	image->class_code = bytes_u32(pcir, 0x0c) >> 8;
	image->size = ROM_BLOCK * bytes_u16(pcir, PCIR_AT_LENGTH);
	image->revision = bytes_u16(pcir, 0x12);
	image->code = bytes_u8(pcir, 0x14);
	image->last = bytes_u8(pcir, PCIR_AT_INDICATOR) & PCIR_LAST;
	image->data = bytes_clip(rest, 0, image->size);
	if (image->pcir_revision >= 3 && bytes_u16(pcir, 0x0a) >= PCIR_SIZE_LISTS)
		image->devices = find_devices(image->data, image->pcir);
}

bool rom_image_read(struct bytes file, size_t offset, struct rom_image *ret)
{
	struct rom_image image = { .offset = offset };
	struct bytes rest = bytes_from(file, offset), pcir = { 0 };

	if (!has_image_signature(rest))
		return false;
	if (find_pcir(rest, pcir_names, &pcir)) {
		read_pcir(&image, rest, pcir);
	} else {
		image.size = ROM_BLOCK * bytes_u8(rest, ROM_AT_LEGACY_SIZE);
		image.data = bytes_clip(rest, 0, image.size);
	}
	image.missing = image.size - image.data.size;
	if (image.code == ROM_CODE_X86)
		read_x86(&image, rest);
	else if (image.code == ROM_CODE_EFI)
		image.efi = read_efi(image.data);
	*ret = image;
	return true;
}

/*
 * NVIDIA goes on after the image that is the last to everybody else, with images whose data
 * structure is called NPDS or RGIS.
 */
static bool read_private_image(struct bytes file, size_t offset, struct rom_image *ret)
{
	static const char *const names[] = { "NPDS", "RGIS", "PCIR", NULL };
	struct rom_image image = { .offset = offset, .private = true };
	struct bytes rest = bytes_from(file, offset), pcir = { 0 };
	uint16_t signature = bytes_u16(rest, 0);

	if (signature != SIGNATURE_NVIDIA_NV && signature != SIGNATURE_NVIDIA_OLD &&
	    signature != SIGNATURE_PCI)
		return false;
	if (!find_pcir(rest, names, &pcir))
		return false;
	if (signature == SIGNATURE_PCI && bytes_u8(pcir, 0x14) < ROM_CODE_NVIDIA_NBSI)
		return false;
	read_pcir(&image, rest, pcir);
	*ret = image;
	return true;
}

static int add_image(struct rom *rom, const struct rom_image *image)
{
	if (array_reserve(&rom->images, rom->count, sizeof(*image)) < 0)
		return -ENOMEM;
	rom->images[rom->count++] = *image;
	return 0;
}

static enum rom_end end_of_chain(const struct rom_image *image, size_t left)
{
	if (image->size == 0)
		return ROM_END_NO_LENGTH;
	if (image->size > left)
		return ROM_END_TRUNCATED;
	if (!image->has_pcir)
		return ROM_END_NO_PCIR;
	if (image->last)
		return ROM_END_LAST;
	return image->size == left ? ROM_END_FILE : ROM_END_NO_IMAGE;
}

/* Follows the chain from `*offset` on, and leaves there where it has ended. */
static int walk_chain(struct rom *rom, size_t *offset)
{
	struct rom_image image;

	while (rom_image_read(rom->file, *offset, &image)) {
		size_t left = rom->file.size - *offset;

		if (add_image(rom, &image) < 0)
			return -ENOMEM;
		rom->end = end_of_chain(&image, left);
		*offset += image.data.size;
		if (rom->end != ROM_END_NO_IMAGE)
			break;
	}
	rom->chain_count = rom->reach_count = rom->count;
	return 0;
}

/*
 * edk2 goes on from block to block where no image follows one that is not the last, until an image
 * is: then from there. It stops for good at a data structure that it does not take.
 */
static int walk_gap(struct rom *rom, size_t *offset)
{
	size_t at = *offset;
	struct rom_image image;

	if (rom->end != ROM_END_NO_IMAGE)
		return 0;
	while (at < rom->file.size) {
		if (bytes_u16(bytes_from(rom->file, at), 0) != SIGNATURE_PCI) {
			at += ROM_BLOCK;
			continue;
		}
		if (!rom_image_read(rom->file, at, &image) || !image.has_pcir ||
		    image.pcir % PCIR_ALIGN != 0)
			break;
		image.gap = at - *offset;
		if (add_image(rom, &image) < 0)
			return -ENOMEM;
		*offset = at += image.data.size;
		if (image.last || image.size == 0)
			break;
	}
	rom->reach_count = rom->count;
	return 0;
}

static int walk_private(struct rom *rom, size_t *offset)
{
	struct rom_image image;

	if (rom->end != ROM_END_LAST)
		return 0;
	while (read_private_image(rom->file, *offset, &image) && image.data.size > 0) {
		if (add_image(rom, &image) < 0)
			return -ENOMEM;
		*offset += image.data.size;
	}
	return 0;
}

/* Where from `offset` on an image with a data structure starts; the file's size when none does. */
static size_t find_image(struct bytes file, size_t offset)
{
	while (offset < file.size && !is_pci_image(bytes_from(file, offset)))
		offset++;
	return offset;
}

size_t rom_image_summed(const struct rom_image *image)
{
	return image->legacy_size ? image->legacy_size : image->size;
}

/*
 * The sums of what a BIOS checks, from those of the blocks: what it checks may reach over many
 * images, and the file is not to be read again for each.
 */
static int sum_images(struct rom *rom)
{
	struct bytes file = bytes_from(rom->file, rom->header.size);
	size_t blocks = (file.size + ROM_BLOCK - 1) / ROM_BLOCK;
	cleanup_free uint8_t *before = calloc(blocks + 1, 1); /* the sum of all before a block */

	if (!before)
		return -ENOMEM;
	for (size_t i = 0; i < blocks; i++)
		before[i + 1] = (uint8_t)(before[i] +
					  bytes_sum(bytes_clip(file, i * ROM_BLOCK, ROM_BLOCK)));
	for (size_t i = 0; i < rom->reach_count; i++) {
		struct rom_image *image = &rom->images[i];
		size_t first = (image->offset - rom->header.size) / ROM_BLOCK;
		size_t count = rom_image_summed(image) / ROM_BLOCK;

		if (image->code != ROM_CODE_X86)
			continue;
		if (count > blocks - first)
			count = blocks - first;
		image->sum = (uint8_t)(before[first + count] - before[first]);
	}
	return 0;
}

int rom_parse(struct bytes file, struct rom *ret, struct error *err)
{
	cleanup_rom struct rom rom = { .file = file };
	size_t offset = 0, unreached;

	/* An ISA ROM is believed only at the very start: 55 AA alone is found in any noise. */
	if (!has_image_signature(file))
		offset = find_image(file, 0);
	if (offset < file.size)
		rom.header = bytes_clip(file, 0, offset);
	else
		offset = 0;
	if (walk_chain(&rom, &offset) < 0 || walk_gap(&rom, &offset) < 0 ||
	    walk_private(&rom, &offset) < 0 || sum_images(&rom) < 0)
		return error_set_memory(err);
	rom.trailer = bytes_from(file, offset);
	if (rom.count > 0) {
		unreached = find_image(file, offset);
		rom.unreached = unreached < file.size ? unreached : 0;
	}
	*ret = TAKE_STRUCT(rom);
	return 0;
}

void rom_done(struct rom *rom)
{
	free(rom->images);
	*rom = (struct rom){ 0 };
}

bool rom_is_cut(const struct rom *rom)
{
	for (size_t i = 0; i < rom->reach_count; i++)
		if (rom->images[i].size > rom->images[i].data.size)
			return true;
	return false;
}

const struct rom_image *rom_first(const struct rom *rom, enum rom_code code)
{
	for (size_t i = 0; i < rom->chain_count; i++)
		if (rom->images[i].code == code)
			return &rom->images[i];
	return NULL;
}

bool rom_image_lists_device(const struct rom_image *image, uint16_t device)
{
	for (size_t at = 0; at + 1 < image->devices.size; at += 2)
		if (bytes_u16(image->devices, at) == device)
			return true;
	return false;
}

/* A number of a specification and what people call it. */
struct name {
	uint16_t number;
	const char *name;
};

static const char *find_name(const struct name *names, uint16_t number)
{
	for (; names->name; names++)
		if (names->number == number)
			return names->name;
	return NULL;
}

const char *rom_code_name(const struct rom_image *image, char buffer[ROM_CODE_TEXT])
{
	static const struct name names[] = {
		{ ROM_CODE_X86, "x86" },
		{ ROM_CODE_OPEN_FIRMWARE, "Open Firmware" },
		{ ROM_CODE_HP_PA, "HP PA-RISC" },
		{ ROM_CODE_EFI, "EFI" },
		{ ROM_CODE_NVIDIA_NBSI, "NVIDIA NBSI" },
		{ ROM_CODE_NVIDIA_FWSEC, "NVIDIA FWSEC" },
		{ 0, NULL },
	};
	const char *name = find_name(names, image->code);

	if (!image->has_pcir)
		name = "ISA";
	if (name)
		snprintf(buffer, ROM_CODE_TEXT, "%s", name);
	else
		snprintf(buffer, ROM_CODE_TEXT, "type %02x", image->code);
	return buffer;
}

const char *rom_machine_name(uint16_t machine)
{
	static const struct name names[] = {
		{ 0x014c, "IA-32" },	 { 0x0200, "Itanium" },
		{ 0x01c2, "ARM" },	 { 0x0ebc, "EFI byte code" },
		{ 0x5064, "RISC-V 64" }, { 0x8664, "x64" },
		{ 0xaa64, "AArch64" },	 { 0, NULL },
	};

	return find_name(names, machine);
}

const char *rom_subsystem_name(uint16_t subsystem)
{
	static const struct name names[] = {
		{ 0x0a, "application" },
		{ 0x0b, "boot service driver" },
		{ 0x0c, "runtime driver" },
		{ 0, NULL },
	};

	return find_name(names, subsystem);
}

uint64_t rom_bar_size(size_t file_size)
{
	uint64_t size = 1;

	while (size < file_size)
		size *= 2;
	return size;
}
