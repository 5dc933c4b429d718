/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rom: what people take for an option ROM and is something else, by how it begins.
 *
 * Sources: ACPI 6.5, 5.2.6 (tables); edk2 Include/Pi/PiFirmwareVolume.h (_FVH at 0x28 of a volume);
 * coreboot's ifdtool (flash descriptor), amdfwtool (embedded firmware structure) and CBFS; the PC's
 * reset vector, a far jump to segment f000 16 bytes before the end of the flash; gzip, ZIP, 7z, RAR
 * and xz by their signatures.
 */
#pragma once

#include "rom/image.h"

enum rom_kind {
	ROM_KIND_OTHER, /* an option ROM, or nothing that is known here */
	ROM_KIND_EMPTY,
	ROM_KIND_BLANK, /* one byte, 00 or ff, all over */
	ROM_KIND_VFCT,
	ROM_KIND_EFI_DRIVER,
	ROM_KIND_BAD_DRIVER, /* of UEFI, and no use in a VM */
	ROM_KIND_PROGRAM,    /* for Windows, DOS or UEFI, but not a driver of UEFI */
	ROM_KIND_ELF,
	ROM_KIND_FLASH, /* of a mainboard */
	ROM_KIND_ARCHIVE,
	ROM_KIND_TEXT,
	ROM_KIND_WEB_PAGE,
};

/* What the file is if it does not start with an option ROM; ROM_KIND_OTHER if it does. */
enum rom_kind rom_kind_find(const struct rom *rom);

/* The same for the start of a file that is too large to be an option ROM. */
enum rom_kind rom_kind_find_large(struct bytes start);

/* "vfct", "efi-driver", …; NULL for ROM_KIND_OTHER. */
const char *rom_kind_name(enum rom_kind kind);

/*
 * A sentence or two that say what it is and which command helps. For the commands: `file` is its name
 * as a shell takes it, `address` the device's; NULL where that is not known. NULL for ROM_KIND_OTHER
 * and without memory.
 */
char *rom_kind_describe(enum rom_kind kind, struct bytes bytes, const char *file,
			const char *address);
