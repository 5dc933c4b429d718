/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rom: repairing an option ROM. The bytes given are never touched: what is repaired is a copy, and
 * every byte that comes out different is reported. What a repair does once it does not do again, and
 * a checksum that was right stays right, whichever bytes are changed.
 *
 * Where an image keeps the byte that balances its checksum, in the order in which they are tried:
 * - AMD's images with ATOM tables at 0x21 (seen in AMD's own tools and ROMs);
 * - images that start with a near jump at 6: QEMU pci_patch_ids(), SeaBIOS scripts/buildrom.py, iPXE,
 *   rom-fixer;
 * - the last byte of what is summed up, where it comes after padding or is padding: edk2 EfiRom; NVIDIA's
 *   images, whose padding is ff or the filler 8b c0 ('mov eax, eax'), and whose last byte is neither
 *   (53 of 57 ROMs of NVIDIA's cards that people have published);
 * - the low byte of the reserved word at 0x16 of a data structure of revision 0: PCI 2.1 to 2.3,
 *   6.3.1.2; edk2 Pci22.h and SeaBIOS std/optionrom.h call it reserved, and nobody reads it.
 * EFI images have no checksum, and 6 is in their signature.
 */
#pragma once

#include "rom/image.h"

/* Bytes that are different, side by side. Offsets are those of the repaired ROM. */
struct rom_change {
	size_t offset;
	size_t size;		/* 1 or 2 */
	uint16_t before, after; /* little-endian numbers of `size` bytes */
	const char *what;	/* "device id", … */
};

/*
 * A repair. `rom` describes `data` as it is now: it is parsed again after each step. Image numbers
 * are indices of `rom.images` and stay the same through a repair, since none is added or removed.
 */
struct rom_fix {
	uint8_t *data;
	size_t size;
	struct rom rom;
	struct rom_change *changes;
	size_t change_count;
	size_t stripped; /* bytes taken away at the start */
	size_t trimmed;	 /* at the end */
	size_t padded;	 /* bytes of ff added at the end */
};

/* Starts with a copy of `file`. -EBADMSG when there is no option ROM in it, -ENOMEM. */
int rom_fix_start(struct bytes file, struct rom_fix *ret, struct error *err) must_check;
void rom_fix_done(struct rom_fix *fix);
#define cleanup_rom_fix cleanup(rom_fix_done)

/* Whether the result differs from what it was started with. */
bool rom_fix_has_changed(const struct rom_fix *fix);

/*
 * The steps. Each does nothing, successfully, where there is nothing to do. -EINVAL for what the
 * image does not have, such as ids without a data structure; -EBADMSG where the images lie over
 * each other, so that repairing one would break another. What a failed step leaves is sound, but
 * not to be kept.
 */
int rom_fix_strip_header(struct rom_fix *fix, struct error *err);
int rom_fix_vendor(struct rom_fix *fix, size_t number, uint16_t vendor, struct error *err);
int rom_fix_device(struct rom_fix *fix, size_t number, uint16_t device, struct error *err);

/*
 * Makes the last image say that it is the last. One that says so though another image follows it
 * directly does no longer.
 */
int rom_fix_last(struct rom_fix *fix, struct error *err) must_check;

/*
 * Balances the sum of an x86 image; others are left alone. -ENOSPC when no byte of the image is
 * known to be free for it, -EINVAL when it is cut short.
 */
int rom_fix_checksum(struct rom_fix *fix, size_t number, struct error *err);

/*
 * Balances the sums that were right at the start and are no longer; the last step of any repair.
 * Errors as of rom_fix_checksum().
 */
int rom_fix_keep_sums(struct rom_fix *fix, struct error *err) must_check;

/* Takes away what is after the last image, padding or not. -EINVAL if its length is not known. */
int rom_fix_trim(struct rom_fix *fix, struct error *err);

/*
 * Adds ff up to the next power of two, which is the size of the BAR. -EINVAL when the file is cut
 * short: the padding would pass for the bytes that are missing.
 */
int rom_fix_pad(struct rom_fix *fix, struct error *err);

/* ---- several steps at once */

/* In the order in which they are done. */
enum rom_step {
	ROM_STEP_STRIP_HEADER = 1 << 0,
	ROM_STEP_LAST = 1 << 1,
	ROM_STEP_VENDOR = 1 << 2,
	ROM_STEP_DEVICE = 1 << 3,
	ROM_STEP_CHECKSUM = 1 << 4,
	ROM_STEP_TRIM = 1 << 5,
	ROM_STEP_PAD = 1 << 6,
};

/* A repair as it is asked for; the ids are for every image. Started as { 0 }: none. */
struct rom_repair {
	unsigned steps; /* of enum rom_step */
	uint16_t vendor, device;
};

/* Does the steps, and keeps the sums that were right. The time is linear in the file's size. */
int rom_fix_apply(struct rom_fix *fix, const struct rom_repair *repair,
		  struct error *err) must_check;

/* The options of 'rom fix' that ask for the repair: "--vendor 8086 --device 5a85". NULL: no memory. */
char *rom_repair_options(const struct rom_repair *repair);
