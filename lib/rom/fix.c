/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rom: repairing an option ROM. Changes no byte that it was not asked to, and tells each one. */
#include "rom/fix.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "rom/vendor.h"

/* Where a checksum can be balanced. */
#define BALANCE_AMD    0x21
#define BALANCE_COMMON 0x06

/* x86: a near jump is 3 bytes long and leaves the 4th byte of the entry free. */
#define JUMP_NEAR 0xe9

/* So many equal bytes at the end of an image are padding. */
#define PADDING_MIN 16

int rom_fix_start(struct bytes file, struct rom_fix *ret, struct error *err)
{
	cleanup_rom_fix struct rom_fix fix = { 0 };
	int r;

	fix.data = malloc(file.size + 1);
	if (!fix.data)
		return error_set_memory(err);
	if (file.size > 0)
		memcpy(fix.data, file.data, file.size);
	fix.size = file.size;
	r = rom_parse((struct bytes){ fix.data, fix.size }, &fix.rom, err);
	if (r < 0)
		return r;
	if (fix.rom.count == 0)
		return error_set(err, -EBADMSG, "there is no option ROM in the file");
	*ret = fix;
	fix = (struct rom_fix){ 0 };
	return 0;
}

void rom_fix_done(struct rom_fix *fix)
{
	rom_done(&fix->rom);
	free(fix->data);
	free(fix->changes);
	*fix = (struct rom_fix){ 0 };
}

bool rom_fix_has_changed(const struct rom_fix *fix)
{
	return fix->change_count > 0 || fix->stripped > 0 || fix->trimmed > 0 || fix->padded > 0;
}

/* Whether every image is still there, with its data structure. */
static bool has_all_images(const struct rom *now, const struct rom *before)
{
	if (now->chain_count < before->chain_count)
		return false;
	for (size_t i = 0; i < before->chain_count; i++)
		if (now->images[i].has_pcir != before->images[i].has_pcir)
			return false;
	return true;
}

/* The description of the bytes follows the bytes. A step never costs an image. */
static int parse_again(struct rom_fix *fix, struct error *err)
{
	cleanup_rom struct rom rom = { 0 };
	int r = rom_parse((struct bytes){ fix->data, fix->size }, &rom, err);

	if (r < 0)
		return r;
	if (!has_all_images(&rom, &fix->rom))
		return error_set(err, -EBADMSG,
				 "the images lie over each other: changing one breaks another");
	rom_done(&fix->rom);
	fix->rom = rom;
	rom = (struct rom){ 0 };
	return 0;
}

static void store(uint8_t *at, size_t size, uint16_t number)
{
	for (size_t i = 0; i < size; i++)
		at[i] = (uint8_t)(number >> (8 * i));
}

/* Puts a little-endian number of `size` bytes at `offset`, which the caller knows to be inside. */
static int put(struct rom_fix *fix, size_t offset, size_t size, uint16_t after, const char *what,
	       struct error *err)
{
	struct bytes old = { fix->data + offset, size };
	struct rom_change change = {
		.offset = offset,
		.size = size,
		.before = size == 1 ? bytes_u8(old, 0) : bytes_u16(old, 0),
		.after = after,
		.what = what,
	};
	int r;

	if (change.before == after)
		return 0;
	if (array_reserve(&fix->changes, fix->change_count, sizeof(change)) < 0)
		return error_set_memory(err);
	store(fix->data + offset, size, after);
	r = parse_again(fix, err);
	if (r < 0) {
		store(fix->data + offset, size, change.before);
		return r;
	}
	fix->changes[fix->change_count++] = change;
	return 0;
}

int rom_fix_strip_header(struct rom_fix *fix, struct error *err)
{
	size_t size = fix->rom.header.size;

	if (size == 0)
		return 0;
	memmove(fix->data, fix->data + size, fix->size - size);
	fix->size -= size;
	fix->stripped += size;
	for (size_t i = 0; i < fix->change_count; i++)
		fix->changes[i].offset -= size;
	return parse_again(fix, err);
}

static int put_id(struct rom_fix *fix, size_t number, size_t field, uint16_t id, const char *what,
		  struct error *err)
{
	const struct rom_image *image = &fix->rom.images[number];

	if (!image->has_pcir)
		return error_set(err, -EINVAL,
				 "the image at 0x%zx has no PCI data structure, and so no ids",
				 image->offset);
	return put(fix, image->offset + image->pcir + field, 2, id, what, err);
}

int rom_fix_vendor(struct rom_fix *fix, size_t number, uint16_t vendor, struct error *err)
{
	return put_id(fix, number, PCIR_AT_VENDOR, vendor, "vendor id", err);
}

int rom_fix_device(struct rom_fix *fix, size_t number, uint16_t device, struct error *err)
{
	return put_id(fix, number, PCIR_AT_DEVICE, device, "device id", err);
}

static int put_last(struct rom_fix *fix, bool last, struct error *err)
{
	const struct rom_image *image = &fix->rom.images[fix->rom.chain_count - 1];
	size_t offset = image->offset + image->pcir + PCIR_AT_INDICATOR;
	uint8_t others = fix->data[offset] & (uint8_t)~PCIR_LAST;

	if (!image->has_pcir)
		return error_set(
			err, -EINVAL,
			"the image at 0x%zx has no PCI data structure, and so no last flag",
			image->offset);
	return put(fix, offset, 1, last ? others | PCIR_LAST : others, "last image flag", err);
}

int rom_fix_last(struct rom_fix *fix, struct error *err)
{
	const struct rom *rom = &fix->rom;

	/* Each round reaches at least one image more. */
	while (rom->end == ROM_END_LAST && rom->count == rom->chain_count && rom->unreached &&
	       rom->unreached == fix->size - rom->trailer.size) {
		int r = put_last(fix, false, err);

		if (r < 0)
			return r;
	}
	return put_last(fix, true, err);
}

/* What a BIOS sums up: as the image's byte 2 says, else as its data structure. */
static size_t summed_size(const struct rom_image *image)
{
	return image->legacy_size ? image->legacy_size : image->size;
}

/* The offset in the image of the byte to balance with; 0 when none is known to be free. */
static size_t find_balance(const struct rom_image *image, struct bytes summed)
{
	/* what is summed up may reach into the next image */
	struct bytes own = bytes_clip(summed, 0, image->size);
	struct rom_atom atom;

	if (rom_atom_find(image, &atom))
		return BALANCE_AMD;
	if (bytes_u8(summed, ROM_AT_ENTRY) == JUMP_NEAR)
		return BALANCE_COMMON;
	if (bytes_padding(own) >= PADDING_MIN)
		return own.size - 1;
	return 0;
}

int rom_fix_checksum(struct rom_fix *fix, size_t number, struct error *err)
{
	const struct rom_image *image = &fix->rom.images[number];
	struct bytes summed = { 0 };
	size_t offset;

	if (image->code != ROM_CODE_X86 || image->private || image->sum == 0)
		return 0;
	if (!bytes_slice(fix->rom.file, image->offset, summed_size(image), &summed))
		return error_set(err, -EINVAL,
				 "the image at 0x%zx is cut short: no checksum makes it whole",
				 image->offset);
	offset = find_balance(image, summed);
	if (offset == 0)
		return error_set(err, -ENOSPC,
				 "the image at 0x%zx has no byte that is known to be free for its "
				 "checksum",
				 image->offset);
	return put(fix, image->offset + offset, 1, (uint8_t)(bytes_u8(summed, offset) - image->sum),
		   "checksum", err);
}

/* Where the trailer starts, without what a BIOS takes for a part of the last image. */
static size_t find_end(const struct rom *rom)
{
	size_t end = rom->file.size - rom->trailer.size;

	for (size_t i = 0; i < rom->chain_count; i++) {
		const struct rom_image *image = &rom->images[i];

		if (image->legacy_size > image->size && image->offset + image->legacy_size > end)
			end = image->offset + image->legacy_size;
	}
	return end < rom->file.size ? end : rom->file.size;
}

int rom_fix_trim(struct rom_fix *fix, struct error *err)
{
	size_t size = fix->size - find_end(&fix->rom);
	int r;

	if (size == 0)
		return 0;
	if (fix->rom.end == ROM_END_NO_LENGTH)
		return error_set(
			err, -EINVAL,
			"an image gives its length as 0: there is no telling where it ends");
	fix->size -= size;
	r = parse_again(fix, err);
	if (r < 0) {
		fix->size += size;
		return r;
	}
	fix->trimmed += size;
	return 0;
}

int rom_fix_pad(struct rom_fix *fix, struct error *err)
{
	size_t size = fix->size, wanted = (size_t)rom_bar_size(size);
	uint8_t *old = fix->data, *grown;
	int r;

	if (wanted == size)
		return 0;
	grown = malloc(wanted);
	if (!grown)
		return error_set_memory(err);
	memcpy(grown, old, size);
	memset(grown + size, 0xff, wanted - size);
	fix->data = grown;
	fix->size = wanted;
	r = parse_again(fix, err);
	if (r < 0) {
		fix->data = old;
		fix->size = size;
		free(grown);
		return r;
	}
	free(old);
	fix->padded += wanted - size;
	return 0;
}
