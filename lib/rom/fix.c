/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rom: repairing an option ROM. Changes no byte that it was not asked to, and reports each one. */
#include "rom/fix.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "rom/vendor.h"

/* Where a checksum can be balanced. */
#define BALANCE_AMD	 0x21
#define BALANCE_COMMON	 0x06
#define PCIR_AT_REVISION 0x0c
#define PCIR_AT_RESERVED 0x16

#define PCIR_SIZE	 0x18

/* x86: a near jump is 3 bytes long and leaves the 4th byte of the entry free. */
#define JUMP_NEAR     0xe9

#define VENDOR_NVIDIA 0x10de

/* So many equal bytes at the end of an image are padding; before NVIDIA's balance two are enough. */
#define PADDING_MIN	   16
#define PADDING_MIN_NVIDIA 2

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
	*ret = TAKE_STRUCT(fix);
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
	if (now->reach_count < before->reach_count)
		return false;
	for (size_t i = 0; i < before->reach_count; i++)
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
	fix->rom = TAKE_STRUCT(rom);
	return 0;
}

static void store(uint8_t *at, size_t size, uint16_t number)
{
	for (size_t i = 0; i < size; i++)
		at[i] = (uint8_t)(number >> (8 * i));
}

/*
 * Puts a little-endian number of `size` bytes at `offset`, which the caller knows to be inside. Then
 * the description is old: finish() makes it anew once for all that a step has put.
 */
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

	if (change.before == after)
		return 0;
	if (array_reserve(&fix->changes, fix->change_count, sizeof(change)) < 0)
		return error_set_memory(err);
	store(fix->data + offset, size, after);
	fix->changes[fix->change_count++] = change;
	return 0;
}

/* Ends a step whose puts came to `r`: it is done, or what it has put is taken back. */
static int finish(struct rom_fix *fix, size_t changes_before, int r, struct error *err)
{
	if (r == 0 && fix->change_count > changes_before)
		r = parse_again(fix, err);
	while (r < 0 && fix->change_count > changes_before) {
		const struct rom_change *change = &fix->changes[--fix->change_count];

		store(fix->data + change->offset, change->size, change->before);
	}
	return r;
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
	size_t before = fix->change_count;

	return finish(fix, before, put_id(fix, number, PCIR_AT_VENDOR, vendor, "vendor id", err),
		      err);
}

int rom_fix_device(struct rom_fix *fix, size_t number, uint16_t device, struct error *err)
{
	size_t before = fix->change_count;

	return finish(fix, before, put_id(fix, number, PCIR_AT_DEVICE, device, "device id", err),
		      err);
}

/* The ids of every image. */
static int fix_all_ids(struct rom_fix *fix, const struct rom_repair *repair, struct error *err)
{
	size_t before = fix->change_count;
	int r = 0;

	for (size_t i = 0; i < fix->rom.reach_count && r == 0; i++) {
		if (repair->steps & ROM_STEP_VENDOR)
			r = put_id(fix, i, PCIR_AT_VENDOR, repair->vendor, "vendor id", err);
		if (r == 0 && repair->steps & ROM_STEP_DEVICE)
			r = put_id(fix, i, PCIR_AT_DEVICE, repair->device, "device id", err);
	}
	return finish(fix, before, r, err);
}

static int put_last(struct rom_fix *fix, const struct rom_image *image, bool last,
		    struct error *err)
{
	size_t offset = image->offset + image->pcir + PCIR_AT_INDICATOR;
	uint8_t others;

	if (!image->has_pcir)
		return error_set(
			err, -EINVAL,
			"the image at 0x%zx has no PCI data structure, and so no last flag",
			image->offset);
	others = fix->data[offset] & (uint8_t)~PCIR_LAST;
	return put(fix, offset, 1, last ? others | PCIR_LAST : others, "last image flag", err);
}

/* Whether an image of everybody's starts there: NVIDIA's own are not reached by a flag. */
static bool read_common_image(struct bytes file, size_t offset, struct rom_image *ret)
{
	return rom_image_read(file, offset, ret) && ret->has_pcir &&
	       ret->code < ROM_CODE_NVIDIA_NBSI;
}

/* Takes the flag from those images that others follow directly. */
static int clear_early_last(struct rom_fix *fix, struct error *err)
{
	struct rom_image image = fix->rom.images[fix->rom.chain_count - 1], next;
	size_t before = fix->change_count;
	int r = 0;

	if (fix->rom.end != ROM_END_LAST || fix->rom.count != fix->rom.chain_count)
		return 0;
	while (r == 0 && image.data.size > 0 &&
	       read_common_image(fix->rom.file, image.offset + image.data.size, &next)) {
		if (image.last)
			r = put_last(fix, &image, false, err);
		image = next;
	}
	return finish(fix, before, r, err);
}

int rom_fix_last(struct rom_fix *fix, struct error *err)
{
	size_t before;
	int r = clear_early_last(fix, err);

	if (r < 0)
		return r;
	before = fix->change_count;
	return finish(fix, before,
		      put_last(fix, &fix->rom.images[fix->rom.reach_count - 1], true, err), err);
}

/* How many of the bytes at the end are what NVIDIA fills up with: ff, or 8b c0 over and over. */
static size_t count_filler(struct bytes bytes)
{
	size_t count = 0;
	uint8_t last, other;

	if (bytes.size == 0)
		return 0;
	last = bytes_u8(bytes, bytes.size - 1);
	other = last == 0x8b ? 0xc0 : 0x8b;
	if (last == 0xff || last == 0x00)
		return bytes_padding(bytes);
	if (last != 0x8b && last != 0xc0)
		return 0;
	while (count < bytes.size &&
	       bytes_u8(bytes, bytes.size - 1 - count) == (count % 2 == 0 ? last : other))
		count++;
	return count;
}

/*
 * Whether the last byte of what is summed up is one that nothing else is in. It must still be so
 * when it is used: what counts is what comes before it.
 */
static bool is_last_free(const struct rom_image *image, struct bytes own)
{
	struct bytes before = bytes_clip(own, 0, own.size ? own.size - 1 : 0);
	size_t filler = count_filler(before);
	uint8_t last = bytes_u8(own, before.size);

	if (filler >= PADDING_MIN)
		return true;
	return image->vendor == VENDOR_NVIDIA && filler >= PADDING_MIN_NVIDIA && last != 0xff &&
	       last != 0x8b && last != 0xc0;
}

/* The offset in the image of the byte to balance with; 0 when none is known to be free. */
static size_t find_balance(const struct rom_image *image, struct bytes summed)
{
	/* what is summed up may reach into the next image */
	struct bytes own = bytes_clip(summed, 0, image->size), pcir = { 0 };
	struct rom_atom atom;

	if (rom_atom_find(image, &atom))
		return BALANCE_AMD;
	if (bytes_u8(summed, ROM_AT_ENTRY) == JUMP_NEAR)
		return BALANCE_COMMON;
	if (is_last_free(image, own))
		return own.size - 1;
	if (image->has_pcir && bytes_slice(own, image->pcir, PCIR_SIZE, &pcir) &&
	    bytes_u8(pcir, PCIR_AT_REVISION) == 0 && bytes_u8(pcir, PCIR_AT_RESERVED + 1) == 0)
		return image->pcir + PCIR_AT_RESERVED;
	return 0;
}

/* Makes up for `sum`, which is that of the image as it is now. */
static int put_balance(struct rom_fix *fix, const struct rom_image *image, uint8_t sum,
		       struct error *err)
{
	struct bytes file = { fix->data, fix->size }, summed = { 0 };
	size_t offset;

	if (image->missing > 0 ||
	    !bytes_slice(file, image->offset, rom_image_summed(image), &summed))
		return error_set(err, -EINVAL,
				 "the image at 0x%zx is cut short: no checksum makes it whole",
				 image->offset);
	offset = find_balance(image, summed);
	if (offset == 0)
		return error_set(err, -ENOSPC,
				 "the image at 0x%zx has no byte that is known to be free for its "
				 "checksum",
				 image->offset);
	return put(fix, image->offset + offset, 1, (uint8_t)(bytes_u8(summed, offset) - sum),
		   "checksum", err);
}

static bool has_sum(const struct rom *rom, size_t number)
{
	const struct rom_image *image = &rom->images[number];

	return image->code == ROM_CODE_X86 && number < rom->reach_count;
}

int rom_fix_checksum(struct rom_fix *fix, size_t number, struct error *err)
{
	const struct rom_image *image = &fix->rom.images[number];
	size_t before = fix->change_count;

	if (!has_sum(&fix->rom, number) || (image->sum == 0 && image->missing == 0))
		return 0;
	return finish(fix, before, put_balance(fix, image, image->sum, err), err);
}

/* The sums of blocks; an image starts with one of its own. */
struct blocks {
	uint8_t *sums;
	size_t count, start; /* of the first block in the file */
};

static void blocks_done(struct blocks *blocks)
{
	free(blocks->sums);
}
#define cleanup_blocks cleanup(blocks_done)

/* Follows changes from `first` on. */
static void blocks_add(struct blocks *blocks, const struct rom_fix *fix, size_t first, bool back)
{
	for (size_t i = first; i < fix->change_count; i++) {
		const struct rom_change *change = &fix->changes[i];

		for (size_t k = 0; k < change->size; k++) {
			size_t block = (change->offset + k - blocks->start) / ROM_BLOCK;
			uint8_t more =
				(uint8_t)((change->after >> (8 * k)) - (change->before >> (8 * k)));

			if (block < blocks->count)
				blocks->sums[block] =
					(uint8_t)(blocks->sums[block] + (back ? -more : more));
		}
	}
}

static int blocks_start(const struct rom_fix *fix, struct blocks *ret)
{
	struct bytes file = bytes_from(fix->rom.file, fix->rom.header.size);

	ret->start = fix->rom.header.size;
	ret->count = (file.size + ROM_BLOCK - 1) / ROM_BLOCK;
	ret->sums = calloc(ret->count + 1, 1);
	if (!ret->sums)
		return -ENOMEM;
	for (size_t i = 0; i < ret->count; i++)
		ret->sums[i] = bytes_sum(bytes_clip(file, i * ROM_BLOCK, ROM_BLOCK));
	return 0;
}

static uint8_t blocks_sum(const struct blocks *blocks, const struct rom_image *image)
{
	size_t first = (image->offset - blocks->start) / ROM_BLOCK;
	size_t end = first + rom_image_summed(image) / ROM_BLOCK;
	uint8_t sum = 0;

	for (size_t i = first; i < end && i < blocks->count; i++)
		sum = (uint8_t)(sum + blocks->sums[i]);
	return sum;
}

/*
 * Balances the images from the last to the first: what is summed up may reach into later images,
 * never into earlier ones. `all`: also those that were wrong before.
 */
static int fix_sums(struct rom_fix *fix, bool all, struct error *err)
{
	cleanup_blocks struct blocks now = { 0 }, was = { 0 };
	size_t before = fix->change_count, seen = before;
	int r = 0;

	if (blocks_start(fix, &now) < 0 || blocks_start(fix, &was) < 0)
		return error_set_memory(err);
	blocks_add(&was, fix, 0, true);
	for (size_t i = fix->rom.reach_count; i-- > 0 && r == 0;) {
		const struct rom_image *image = &fix->rom.images[i];
		uint8_t sum;

		if (!has_sum(&fix->rom, i) || (!all && image->missing > 0))
			continue;
		sum = blocks_sum(&now, image);
		if (image->missing == 0 && (sum == 0 || (!all && blocks_sum(&was, image) != 0)))
			continue;
		r = put_balance(fix, image, sum, err);
		blocks_add(&now, fix, seen, false);
		seen = fix->change_count;
	}
	return finish(fix, before, r, err);
}

int rom_fix_keep_sums(struct rom_fix *fix, struct error *err)
{
	return fix_sums(fix, false, err);
}

/* Where the trailer starts, without what a BIOS takes for a part of the last image. */
static size_t find_end(const struct rom *rom)
{
	size_t end = rom->file.size - rom->trailer.size;

	for (size_t i = 0; i < rom->reach_count; i++) {
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
	if (fix->rom.images[fix->rom.reach_count - 1].size == 0)
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
	cleanup_rom struct rom rom = { 0 };
	uint8_t *grown;
	int r;

	if (wanted == size)
		return 0;
	for (size_t i = 0; i < fix->rom.reach_count; i++)
		if (fix->rom.images[i].missing > 0)
			return error_set(err, -EINVAL,
					 "the image at 0x%zx is cut short: padding would only hide "
					 "that",
					 fix->rom.images[i].offset);
	grown = malloc(wanted);
	if (!grown)
		return error_set_memory(err);
	memcpy(grown, fix->data, size);
	memset(grown + size, 0xff, wanted - size);
	/* where the file ends within the header of an image, the padding would make it one */
	r = rom_parse((struct bytes){ grown, wanted }, &rom, err);
	if (r == 0 && (!has_all_images(&rom, &fix->rom) || rom.count != fix->rom.count))
		r = error_set(err, -EINVAL,
			      "the file is cut short at its end: padding would only hide that");
	if (r < 0) {
		free(grown);
		return r;
	}
	rom_done(&fix->rom);
	fix->rom = TAKE_STRUCT(rom);
	free(fix->data);
	fix->data = grown;
	fix->size = wanted;
	fix->padded += wanted - size;
	return 0;
}

/* ---- several steps at once */

static int step_strip_header(struct rom_fix *fix, const struct rom_repair *repair,
			     struct error *err)
{
	(void)repair;
	return rom_fix_strip_header(fix, err);
}

static int step_last(struct rom_fix *fix, const struct rom_repair *repair, struct error *err)
{
	(void)repair;
	return rom_fix_last(fix, err);
}

static int step_checksum(struct rom_fix *fix, const struct rom_repair *repair, struct error *err)
{
	(void)repair;
	return fix_sums(fix, true, err);
}

static int step_trim(struct rom_fix *fix, const struct rom_repair *repair, struct error *err)
{
	(void)repair;
	return rom_fix_trim(fix, err);
}

static int step_pad(struct rom_fix *fix, const struct rom_repair *repair, struct error *err)
{
	(void)repair;
	return rom_fix_pad(fix, err);
}

/* The steps in their order: checksums come after what they cover. */
static const struct {
	unsigned steps;
	int (*apply)(struct rom_fix *fix, const struct rom_repair *repair, struct error *err);
} step_rows[] = {
	{ ROM_STEP_STRIP_HEADER, step_strip_header },
	{ ROM_STEP_LAST, step_last },
	{ ROM_STEP_VENDOR | ROM_STEP_DEVICE, fix_all_ids },
	{ ROM_STEP_CHECKSUM, step_checksum },
	{ ROM_STEP_TRIM, step_trim },
	{ ROM_STEP_PAD, step_pad },
};

int rom_fix_apply(struct rom_fix *fix, const struct rom_repair *repair, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(step_rows); i++) {
		int r = 0;

		if (repair->steps & step_rows[i].steps)
			r = step_rows[i].apply(fix, repair, err);
		if (r < 0)
			return r;
	}
	return rom_fix_keep_sums(fix, err);
}

char *rom_repair_options(const struct rom_repair *repair)
{
	static const struct {
		unsigned step;
		const char *option;
	} names[] = {
		{ ROM_STEP_STRIP_HEADER, "--strip-header" },
		{ ROM_STEP_LAST, "--last" },
		{ ROM_STEP_VENDOR, "--vendor" },
		{ ROM_STEP_DEVICE, "--device" },
		{ ROM_STEP_CHECKSUM, "--checksum" },
		{ ROM_STEP_TRIM, "--trim" },
		{ ROM_STEP_PAD, "--pad" },
	};
	cleanup_text struct text text = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (!(repair->steps & names[i].step))
			continue;
		text_add(&text, "%s%s", text.size > 0 ? " " : "", names[i].option);
		if (names[i].step == ROM_STEP_VENDOR || names[i].step == ROM_STEP_DEVICE)
			text_add(&text, " %04x",
				 names[i].step == ROM_STEP_VENDOR ? repair->vendor
								  : repair->device);
	}
	return text_take(&text);
}
