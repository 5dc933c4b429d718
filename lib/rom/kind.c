/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rom: what a file is that is not an option ROM. Looks at a few places, and trusts none. */
#include "rom/kind.h"

#include <string.h>

#include "base/array.h"
#include "base/text.h"
#include "rom/driver.h"

/* Of a mainboard's flash. */
#define FLASH_SIZE_MIN	 ((size_t)128 * 1024)
#define VOLUME_AT_NAME	 0x28
#define DESCRIPTOR	 0x0ff0a55a
#define AMD_FIRMWARE	 0x55aa55aa
#define RESET_VECTOR	 16 /* before the end */
#define FAR_JUMP	 0xea
#define ROM_SEGMENT	 0xf000

#define ACPI_HEADER_SIZE 36

/* So much of a text is looked at. */
#define TEXT_LOOKED_AT 4096

static bool is_blank(struct bytes file)
{
	return bytes_padding(file) == file.size;
}

/* Printable in ASCII or UTF-8; other control characters are in no text. */
static bool is_text(struct bytes file)
{
	size_t size = file.size < TEXT_LOOKED_AT ? file.size : TEXT_LOOKED_AT;

	/* the signature of an option ROM, which has no byte that text has not */
	if (size >= 2 && bytes_u8(file, 0) == 0x55 && bytes_u8(file, 1) == 0xaa)
		return false;
	for (size_t i = 0; i < size; i++) {
		uint8_t c = bytes_u8(file, i);

		if (c == 0x7f || (c < ' ' && !strchr("\t\n\r\f\033", c)) || c == 0)
			return false;
	}
	return size > 0;
}

static bool is_web_page(struct bytes file)
{
	size_t at = 0;

	while (at < file.size && strchr(" \t\r\n", bytes_u8(file, at)) && bytes_u8(file, at))
		at++;
	return bytes_has_text(file, at, "<!DOCTYPE") || bytes_has_text(file, at, "<!doctype") ||
	       bytes_has_text(file, at, "<html") || bytes_has_text(file, at, "<HTML") ||
	       bytes_has_text(file, at, "<?xml");
}

static bool is_archive(struct bytes file)
{
	static const char *const signatures[] = {
		"PK\003\004", "\037\213", "7z\274\257", "Rar!\032\007", "\3757zXZ", "BZh",
	};

	for (size_t i = 0; i < ARRAY_SIZE(signatures); i++)
		if (bytes_has_text(file, 0, signatures[i]))
			return true;
	return false;
}

/* Without the end: that is not there of a file that was only begun. */
static bool starts_as_flash(struct bytes file)
{
	/* where AMD's firmware may be named, from the start of 16 MiB */
	static const size_t amd[] = { 0x20000, 0x820000, 0xc20000, 0xe20000, 0xf20000, 0xfa0000 };

	if (bytes_u32(file, 0) == DESCRIPTOR || bytes_u32(file, 16) == DESCRIPTOR)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(amd); i++)
		if (bytes_u32(file, amd[i]) == AMD_FIRMWARE)
			return true;
	for (size_t at = 0; at < file.size; at += ROM_BLOCK)
		if (bytes_has_text(file, at + VOLUME_AT_NAME, "_FVH") ||
		    bytes_has_text(file, at, "LARCHIVE"))
			return true;
	return false;
}

static bool ends_as_flash(struct bytes file)
{
	struct bytes vector = bytes_from(file, file.size - RESET_VECTOR);

	return bytes_u8(vector, 0) == FAR_JUMP && bytes_u16(vector, 3) == ROM_SEGMENT;
}

enum rom_kind rom_kind_find_large(struct bytes start)
{
	if (starts_as_flash(start))
		return ROM_KIND_FLASH;
	if (is_archive(start))
		return ROM_KIND_ARCHIVE;
	if (bytes_has_text(start, 0, "\177ELF"))
		return ROM_KIND_ELF;
	if (bytes_has_text(start, 0, "MZ"))
		return ROM_KIND_PROGRAM;
	return ROM_KIND_OTHER;
}

/* What cannot be read of a driver may be one all the same. */
static enum rom_kind find_program(struct bytes file)
{
	struct rom_driver driver = { .subsystem = EFI_SUBSYSTEM_BOOT };

	if (!rom_driver_wrap_fault(file, &driver))
		return ROM_KIND_EFI_DRIVER;
	return driver.subsystem == EFI_SUBSYSTEM_BOOT || driver.subsystem == EFI_SUBSYSTEM_RUNTIME
		       ? ROM_KIND_BAD_DRIVER
		       : ROM_KIND_PROGRAM;
}

enum rom_kind rom_kind_find(const struct rom *rom)
{
	struct bytes file = rom->file;

	if (rom->count > 0 && rom->header.size == 0)
		return ROM_KIND_OTHER;
	if (file.size == 0)
		return ROM_KIND_EMPTY;
	if (is_blank(file))
		return ROM_KIND_BLANK;
	if (bytes_has_text(file, 0, "VFCT") && file.size >= ACPI_HEADER_SIZE)
		return ROM_KIND_VFCT;
	if (rom_driver_is_pe(file))
		return find_program(file);
	if (is_web_page(file))
		return ROM_KIND_WEB_PAGE;
	if (is_text(file))
		return ROM_KIND_TEXT;
	if (file.size >= FLASH_SIZE_MIN && ends_as_flash(file))
		return ROM_KIND_FLASH;
	return rom_kind_find_large(file);
}

static const struct {
	const char *name;
	const char *what; /* with the file's name, or what is wrong with it, for %s */
} kinds[] = {
	[ROM_KIND_OTHER] = { NULL, NULL },
	[ROM_KIND_EMPTY] = { "empty", "The file is empty: whatever wrote it read nothing." },
	[ROM_KIND_BLANK] = { "blank",
			     "The file holds one byte all over: that is read from a device that is "
			     "asleep, gone or has no ROM. 'pve-vfio rom dump ADDRESS -o vbios.rom' wakes "
			     "it first." },
	[ROM_KIND_VFCT] = { "vfct",
			    "It is the ACPI table VFCT, which holds video BIOSes of AMD graphics. "
			    "'pve-vfio rom vfct --table %s' lists them; with --device and -o FILE it "
			    "writes one of them to a file." },
	[ROM_KIND_EFI_DRIVER] = { "efi-driver",
				  "It is a UEFI driver, not yet an option ROM. 'pve-vfio rom wrap "
				  "%s --device VVVV:DDDD -o FILE' makes one of it." },
	[ROM_KIND_BAD_DRIVER] = { "bad-efi-driver",
				  "It is a UEFI driver that OVMF would not run: %s." },
	[ROM_KIND_PROGRAM] = { "program",
			       "It is a program (.exe or .efi), not a ROM: perhaps the tool that "
			       "updates or reads one." },
	[ROM_KIND_ELF] = { "elf", "It is a program or library for Linux (ELF), not a ROM." },
	[ROM_KIND_FLASH] = { "flash-image",
			     "It is the flash image of a mainboard, in which the ROM of a graphics "
			     "device is packed. The running machine has it unpacked: 'pve-vfio rom "
			     "dump ADDRESS -o vbios.rom', or for AMD graphics in the processor 'pve-vfio "
			     "rom vfct'." },
	[ROM_KIND_ARCHIVE] = { "archive",
			       "It is an archive: unpack it, and look for the ROM in it." },
	[ROM_KIND_TEXT] = { "text",
			    "It is text, perhaps the error message of the command that was to read "
			    "the ROM: 'head %s' shows it. 'pve-vfio rom dump ADDRESS -o vbios.rom' says "
			    "what is wrong." },
	[ROM_KIND_WEB_PAGE] = { "web-page",
				"It is a web page: the link leads to a page about the file, not to "
				"the file." },
};

const char *rom_kind_name(enum rom_kind kind)
{
	return kinds[kind].name;
}

char *rom_kind_describe(enum rom_kind kind, struct bytes bytes, const char *file,
			const char *address)
{
	const char *what = kinds[kind].what;
	cleanup_text struct text text = { 0 };
	struct rom_driver driver;

	if (!what)
		return NULL;
	if (kind == ROM_KIND_BAD_DRIVER)
		file = rom_driver_wrap_fault(bytes, &driver);
	for (; *what; what++) {
		if (text_starts_with(what, "%s")) {
			text_add(&text, "%s", file ? file : "");
			what++;
		} else if (address && text_starts_with(what, "ADDRESS")) {
			text_add(&text, "%s", address);
			what += strlen("ADDRESS") - 1;
		} else {
			text_add(&text, "%c", *what);
		}
	}
	return text_take(&text);
}
