/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rom: repairing an option ROM. The bytes given are never touched: what is repaired is a copy, and
 * every byte that comes out different is told.
 *
 * Sources for where an image keeps the byte that balances its checksum: AMD's at 0x21 (seen in
 * its own tools and ROMs); QEMU pci_patch_ids(), SeaBIOS scripts/buildrom.py, iPXE and rom-fixer
 * at 6; edk2 EfiRom at the end. EFI images have no checksum, and 6 is in their signature.
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
int rom_fix_start(struct bytes file, struct rom_fix *ret, struct error *err);
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
int rom_fix_last(struct rom_fix *fix, struct error *err);

/*
 * Balances the sum of an x86 image; others are left alone. -ENOSPC when no byte of the image is
 * known to be free for it, -EINVAL when it is cut short.
 */
int rom_fix_checksum(struct rom_fix *fix, size_t number, struct error *err);

/* Takes away what is behind the last image, padding or not. -EINVAL if its length is not known. */
int rom_fix_trim(struct rom_fix *fix, struct error *err);

/* Adds ff up to the next power of two, which is the size of the BAR. */
int rom_fix_pad(struct rom_fix *fix, struct error *err);
