/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rom: remarks on an option ROM. One for each kind of oddness, not one for each image. */
#include "rom/remark.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/number.h"
#include "rom/vendor.h"

#define VENDOR_AMD	     0x1002
#define VENDOR_INTEL	     0x8086
#define DEVICE_INTEL_GENERIC 0x0406
#define CLASS_AUDIO	     0x0403

/* So many images whose ids are odd are spoken of: a file can hold thousands. */
#define IDS_MAX 4

/* What a remark is made from, and where it goes. */
struct remarking {
	const struct rom *rom;
	const struct rom_target *target;
	struct rom_judgement *judgement;
	bool failed;
};

static void remark(struct remarking *remarking, enum rom_remark_id id, char *text)
{
	struct rom_judgement *judgement = remarking->judgement;

	if (!text || array_reserve(&judgement->remarks, judgement->remark_count,
				   sizeof(*judgement->remarks)) < 0) {
		free(text);
		remarking->failed = true;
		return;
	}
	judgement->remarks[judgement->remark_count++] =
		(struct rom_remark){ .id = id, .text = text };
}

/* Names the repair for the last remark, if it can be done and `id` is what it is for. */
static void remark_repair(struct remarking *remarking, unsigned steps, enum rom_end end)
{
	struct rom_judgement *judgement = remarking->judgement;
	const struct rom_repair repair = { .steps = steps };
	cleanup_rom_fix struct rom_fix fix = { 0 };

	if (remarking->failed || rom_fix_start(remarking->rom->file, &fix, NULL) < 0 ||
	    rom_fix_apply(&fix, &repair, NULL) < 0)
		return;
	if (fix.rom.end == end && fix.rom.reach_count >= remarking->rom->reach_count)
		judgement->remarks[judgement->remark_count - 1].repair = repair;
}

/* Whether `found` is what one gets who reads the hexadecimal `meant` as a decimal number. */
static bool is_decimal_slip(uint16_t found, uint16_t meant)
{
	char digits[8];
	uint64_t value;

	snprintf(digits, sizeof(digits), "%04x", meant);
	return found != meant &&
	       parse_number(digits, strlen(digits), 10, UINT16_MAX, &value) == 0 && value == found;
}

static bool is_any(uint16_t id)
{
	return id == 0x0000 || id == 0xffff;
}

static bool has_own_ids(const struct rom_image *image, const struct rom_target *target)
{
	return image->vendor == target->vendor && image->device == target->device;
}

/* Ids that mean any device, of one maker at least. */
static bool means_any(const struct rom_image *image, const struct rom_target *target)
{
	return is_any(image->vendor) || (image->vendor == target->vendor && is_any(image->device));
}

static bool lists(const struct rom_image *image, const struct rom_target *target)
{
	return image->vendor == target->vendor && rom_image_lists_device(image, target->device);
}

static const struct rom_sibling *find_sibling(const struct rom_image *image,
					      const struct rom_target *target)
{
	for (size_t i = 0; i < target->sibling_count; i++)
		if (image->vendor == target->siblings[i].vendor &&
		    image->device == target->siblings[i].device)
			return &target->siblings[i];
	return NULL;
}

static bool is_generic(const struct rom_image *image)
{
	return image->vendor == VENDOR_INTEL && image->device == DEVICE_INTEL_GENERIC;
}

/* The vendor's id as EfiRom writes it when it is typed without 0x; 0 for none. */
static uint16_t find_decimal_vendor(const struct rom_image *image)
{
	static const uint16_t vendors[] = { VENDOR_AMD, VENDOR_INTEL, 0x1022 };

	for (size_t i = 0; i < ARRAY_SIZE(vendors); i++)
		if (is_decimal_slip(image->vendor, vendors[i]))
			return vendors[i];
	return 0;
}

bool rom_ids_mean(const struct rom_image *image, const struct rom_target *target)
{
	uint16_t vendor = find_decimal_vendor(image);

	if (means_any(image, target) || lists(image, target) || find_sibling(image, target))
		return true;
	if (vendor == target->vendor)
		return image->device == target->device ||
		       is_decimal_slip(image->device, target->device);
	return image->vendor == target->vendor &&
	       (is_decimal_slip(image->device, target->device) ||
		(is_generic(image) && target->vendor == VENDOR_INTEL));
}

/* EfiRom takes its numbers as decimal unless they start with 0x. */
static bool remark_decimal(struct remarking *remarking, const struct rom_image *image)
{
	const struct rom_target *target = remarking->target;
	uint16_t meant = find_decimal_vendor(image);

	if (meant) {
		remark(remarking, ROM_REMARK_DECIMAL,
		       text_format("The vendor id %04x is the hexadecimal %04x read as a decimal "
				   "number, and so may be the device id %04x (%04u).",
				   image->vendor, meant, image->device, image->device));
		return true;
	}
	if (target && is_decimal_slip(image->device, target->device)) {
		remark(remarking, ROM_REMARK_DECIMAL,
		       text_format("The device id %04x is the hexadecimal %04x read as a decimal "
				   "number.",
				   image->device, target->device));
		return true;
	}
	return false;
}

/* Another function of the slot, most often the audio function beside a display. */
static bool remark_function(struct remarking *remarking, const struct rom_image *image)
{
	const struct rom_sibling *sibling =
		remarking->target ? find_sibling(image, remarking->target) : NULL;

	if (!sibling)
		return false;
	remark(remarking, ROM_REMARK_FUNCTION,
	       text_format("%04x:%04x is %s of the same slot.", image->vendor, image->device,
			   sibling->class_code >> 8 == CLASS_AUDIO ? "the audio function"
								   : "another function"));
	return true;
}

static bool remark_generic(struct remarking *remarking, const struct rom_image *image)
{
	if (!is_generic(image))
		return false;
	remark(remarking, ROM_REMARK_GENERIC,
	       text_format(
		       "8086:0406 means a whole family in Intel's video BIOS; SeaBIOS needs the "
		       "id of the device there."));
	return true;
}

static bool remark_any(struct remarking *remarking, const struct rom_image *image)
{
	if (!remarking->target || !means_any(image, remarking->target))
		return false;
	remark(remarking, ROM_REMARK_ANY,
	       text_format("%04x:%04x in the image at 0x%zx means any device%s.", image->vendor,
			   image->device, image->offset,
			   is_any(image->vendor) ? "" : " of the vendor"));
	return true;
}

static bool remark_model(struct remarking *remarking, const struct rom_image *image)
{
	const struct rom_target *target = remarking->target;

	if (!target)
		return false;
	remark(remarking, ROM_REMARK_MODEL,
	       text_format("The image at 0x%zx is for %04x:%04x, another %s.", image->offset,
			   image->vendor, image->device,
			   image->vendor == target->vendor ? "model of the same vendor"
							   : "vendor's device"));
	return true;
}

/* The types of which an image is for the target, so that the others of the type are for others. */
struct fitting {
	bool code[UINT8_MAX + 1];
};

static struct fitting find_fitting(const struct remarking *remarking)
{
	const struct rom_target *target = remarking->target;
	struct fitting fitting = { 0 };

	for (size_t i = 0; target && i < remarking->rom->reach_count; i++) {
		const struct rom_image *image = &remarking->rom->images[i];

		if (image->has_pcir && (has_own_ids(image, target) || lists(image, target)))
			fitting.code[image->code] = true;
	}
	return fitting;
}

/* One remark on ids that are not the device's: the best explanation of them. */
static void remark_ids(struct remarking *remarking)
{
	static bool (*const explanations[])(struct remarking *, const struct rom_image *) = {
		remark_decimal, remark_function, remark_generic, remark_any, remark_model,
	};
	struct fitting fitting = find_fitting(remarking);
	const struct rom_image *before = NULL;
	size_t count = 0;

	for (size_t i = 0; i < remarking->rom->reach_count && count < IDS_MAX; i++) {
		const struct rom_image *image = &remarking->rom->images[i];
		bool repeats = before && before->vendor == image->vendor &&
			       before->device == image->device;

		if (!image->has_pcir || fitting.code[image->code] || repeats)
			continue;
		before = image;
		for (size_t j = 0; j < ARRAY_SIZE(explanations); j++) {
			if (explanations[j](remarking, image)) {
				count++;
				break;
			}
		}
	}
}

/*
 * A lone legacy image. The BIOS keeps a copy of that part of a ROM at 0xc0000, and writes into it; the
 * VFCT has it alone, too.
 */
static bool remark_shadow(struct remarking *remarking)
{
	const struct rom *rom = remarking->rom;
	const struct rom_image *image = rom->images;
	bool display = image->class_code >> 16 == 0x03;
	struct rom_atom atom;

	if (rom->reach_count != 1 || image->code != ROM_CODE_X86 || !image->has_pcir ||
	    image->missing > 0 || rom->end == ROM_END_NO_LENGTH || rom->unreached)
		return false;
	if (image->last && (image->sum == 0 || !display))
		return false;
	remark(remarking, ROM_REMARK_SHADOW,
	       text_format(
		       "It is a legacy image alone%s: %s. An EFI image is missing%s. To get the "
		       "whole ROM, boot the machine on another display and read it with "
		       "'pve-vfio rom dump ADDRESS -o vbios.rom'.",
		       image->last ? ", with a wrong checksum"
				   : ", which says that another follows",
		       display ? "the copy in memory at 0xc0000 that the machine's BIOS has "
				 "run, an image out of a VFCT, or half a ROM"
			       : "half a ROM",
		       rom_atom_find(image, &atom) ? "; amdgpu in the guest needs none" : ""));
	return !image->last;
}

static void remark_end(struct remarking *remarking)
{
	const struct rom *rom = remarking->rom;
	const struct rom_image *image = &rom->images[rom->reach_count - 1];
	bool half = remark_shadow(remarking);

	for (size_t i = 0; i < rom->reach_count; i++) {
		const struct rom_image *cut = &rom->images[i];

		if (cut->data.size < cut->size)
			remark(remarking, ROM_REMARK_TRUNCATED,
			       text_format("It is cut short: the image at 0x%zx is %zu bytes long, "
					   "and only %zu are there. Nothing repairs that: read the "
					   "ROM again ('pve-vfio rom dump ADDRESS -o vbios.rom').",
					   cut->offset, cut->size, cut->data.size));
	}
	if (rom->unreached) {
		remark(remarking, ROM_REMARK_UNREACHED,
		       text_format("Another image is at 0x%zx, but nobody gets there: the one at "
				   "0x%zx %s.",
				   rom->unreached, image->offset,
				   image->last ? "says that it is the last" : "leads elsewhere"));
	}
	if (image->has_pcir && !image->last && !half && image->missing == 0 && image->size > 0) {
		remark(remarking, ROM_REMARK_NOT_LAST,
		       text_format("The image at 0x%zx does not say that it is the last, and no "
				   "image follows. QEMU's guests cope.",
				   image->offset));
		if (!rom->unreached)
			remark_repair(remarking, ROM_STEP_LAST, ROM_END_LAST);
	}
}

static void remark_trailer(struct remarking *remarking)
{
	struct bytes trailer = remarking->rom->trailer;

	if (trailer.size == 0)
		return;
	if (bytes_padding(trailer) == trailer.size)
		remark(remarking, ROM_REMARK_TRAILER,
		       text_format("%zu bytes of padding (%02x) follow the last image; they do no "
				   "harm.",
				   trailer.size, bytes_u8(trailer, 0)));
	else
		remark(remarking, ROM_REMARK_TRAILER,
		       text_format(
			       "%zu bytes of other data follow the last image; firmware does not "
			       "look there.",
			       trailer.size));
}

/* The flash of a card that has no EFI image, or a dump of a part of it. */
static void remark_legacy_only(struct remarking *remarking)
{
	const struct rom *rom = remarking->rom;
	const char *name = rom_header_name(rom->header);

	if (!name || rom_first(rom, ROM_CODE_EFI))
		return;
	remark(remarking, ROM_REMARK_LEGACY_ONLY,
	       text_format(
		       "After the %s comes a legacy image only: SeaBIOS runs that without the "
		       "header, and OVMF needs an EFI image, which the card's own ROM may have: "
		       "'pve-vfio rom dump ADDRESS -o vbios.rom'.",
		       name));
}

int rom_remarks_add(const struct rom *rom, const struct rom_target *target,
		    struct rom_judgement *judgement)
{
	struct remarking remarking = { rom, target, judgement, false };

	remark_ids(&remarking);
	remark_legacy_only(&remarking);
	remark_end(&remarking);
	remark_trailer(&remarking);
	return remarking.failed ? -ENOMEM : 0;
}

const char *rom_remark_name(enum rom_remark_id id)
{
	static const char *const names[] = {
		[ROM_REMARK_DECIMAL] = "decimal-id",
		[ROM_REMARK_FUNCTION] = "other-function",
		[ROM_REMARK_MODEL] = "other-model",
		[ROM_REMARK_GENERIC] = "generic-id",
		[ROM_REMARK_ANY] = "any-device",
		[ROM_REMARK_SHADOW] = "shadow-copy",
		[ROM_REMARK_TRUNCATED] = "truncated",
		[ROM_REMARK_NOT_LAST] = "no-last-image",
		[ROM_REMARK_UNREACHED] = "unreached-image",
		[ROM_REMARK_TRAILER] = "trailing-data",
		[ROM_REMARK_LEGACY_ONLY] = "legacy-only",
	};

	return names[id];
}
