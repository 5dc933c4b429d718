/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rom: UEFI drivers. Reads headers only: what a driver does is not looked into. */
#include "rom/driver.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Offsets in a PE file: of the DOS header, of the PE header, of a section's. */
#define DOS_HEADER_SIZE	     64
#define DOS_AT_PE	     0x3c
#define PE_AT_MACHINE	     4
#define PE_AT_SECTION_COUNT  6
#define PE_AT_OPTIONAL_SIZE  20
#define PE_AT_OPTIONAL	     24
#define PE_AT_HEADERS_SIZE   (PE_AT_OPTIONAL + 60)
#define PE_AT_SUBSYSTEM	     (PE_AT_OPTIONAL + 68)
#define PE_HEADER_SIZE	     264 /* edk2 reads so much, also of a shorter one */
#define PE_MAGIC_32	     0x10b
#define PE_MAGIC_64	     0x20b
#define SECTION_SIZE	     40
#define SECTION_AT_RAW_SIZE  16
#define SECTION_AT_RAW_START 20

/* A PE file whose headers were made smaller. */
#define TE_HEADER_SIZE 40

/* The compressed form: two sizes, and the stream. */
#define STREAM_HEADER_SIZE   8
#define EFI_COMPRESSION_NONE 0
#define EFI_COMPRESSION_EFI  1

/* What EfiRom writes: the header of the image and a data structure of revision 3. */
#define MADE_PCIR	 0x1c
#define MADE_PCIR_SIZE	 0x1c
#define MADE_HEADER_SIZE (MADE_PCIR + MADE_PCIR_SIZE)

static const char pcir_signature[4] = { 'P', 'C', 'I', 'R' };

static struct bytes find_pe(struct bytes file)
{
	return bytes_from(file, bytes_has_text(file, 0, "MZ") ? bytes_u32(file, DOS_AT_PE) : 0);
}

bool rom_driver_is_pe(struct bytes file)
{
	struct bytes pe = find_pe(file);

	return bytes_has_text(file, 0, "MZ") && bytes_has_text(pe, 0, "PE") &&
	       bytes_u16(pe, 2) == 0;
}

/* Whether the file has the last byte of what each section is loaded from. */
static bool has_sections(struct bytes file, struct bytes pe)
{
	size_t count = bytes_u16(pe, PE_AT_SECTION_COUNT);
	size_t at = PE_AT_OPTIONAL + (size_t)bytes_u16(pe, PE_AT_OPTIONAL_SIZE);

	for (size_t i = 0; i < count; i++, at += SECTION_SIZE) {
		struct bytes section = { 0 }, data;
		size_t size;

		if (!bytes_slice(pe, at, SECTION_SIZE, &section))
			return false;
		size = bytes_u32(section, SECTION_AT_RAW_SIZE);
		if (size > 0 &&
		    !bytes_slice(file, bytes_u32(section, SECTION_AT_RAW_START), size, &data))
			return false;
	}
	return true;
}

const char *rom_driver_read(struct bytes file, struct rom_driver *ret)
{
	struct bytes pe = find_pe(file), part;
	uint16_t magic = bytes_u16(pe, PE_AT_OPTIONAL);

	if (file.size >= DOS_HEADER_SIZE && pe.size >= PE_HEADER_SIZE &&
	    bytes_has_text(pe, 0, "VZ")) {
		*ret = (struct rom_driver){ bytes_u16(pe, 2), bytes_u8(pe, 5) };
		return pe.size < TE_HEADER_SIZE ? "its driver is cut short" : NULL;
	}
	if (!bytes_has_text(pe, 0, "PE") || bytes_u16(pe, 2) != 0)
		return "there is no driver in it (no PE header)";
	if (pe.size < PE_HEADER_SIZE)
		return "its driver is cut short";
	if (magic != PE_MAGIC_32 && magic != PE_MAGIC_64)
		return "its driver's PE header is damaged";
	if (!bytes_slice(file, 0, bytes_u32(pe, PE_AT_HEADERS_SIZE), &part) ||
	    !has_sections(file, pe))
		return "its driver is cut short";
	*ret = (struct rom_driver){ bytes_u16(pe, PE_AT_MACHINE), bytes_u16(pe, PE_AT_SUBSYSTEM) };
	return NULL;
}

static const char *find_stream_fault(struct bytes stream)
{
	uint32_t size = bytes_u32(stream, 0);
	struct bytes part;

	if (stream.size < STREAM_HEADER_SIZE || size == 0 || bytes_u32(stream, 4) < PE_HEADER_SIZE)
		return "its compressed driver is empty";
	if (!bytes_slice(stream, STREAM_HEADER_SIZE, size, &part))
		return "its compressed driver is damaged";
	return NULL;
}

static const char *find_machine_fault(uint16_t machine)
{
	return machine == EFI_MACHINE_X64 || machine == EFI_MACHINE_BYTE_CODE
		       ? NULL
		       : "its driver is not for x64";
}

static bool is_driver(uint16_t subsystem)
{
	return subsystem == EFI_SUBSYSTEM_BOOT || subsystem == EFI_SUBSYSTEM_RUNTIME;
}

static struct bytes driver_of(const struct rom_image *image)
{
	const struct rom_efi *efi = &image->efi;

	return efi->offset < efi->size
		       ? bytes_clip(image->data, efi->offset, efi->size - efi->offset)
		       : (struct bytes){ 0 };
}

bool rom_driver_is_stub(const struct rom_image *image)
{
	struct bytes file = driver_of(image);

	return image->efi.compression == EFI_COMPRESSION_NONE && file.size >= DOS_HEADER_SIZE &&
	       bytes_has_text(file, 0, "MZ") && bytes_u32(file, DOS_AT_PE) == 0;
}

/* Why the image's header keeps edk2 from looking at the driver, or NULL. */
static const char *find_header_fault(const struct rom_image *image)
{
	const struct rom_efi *efi = &image->efi;

	if (!efi->signature)
		return "its EFI signature is damaged (rom-fixer writes its checksum there)";
	if (!is_driver(efi->subsystem))
		return "what it holds is not a driver";
	if (efi->compression > EFI_COMPRESSION_EFI)
		return "its compression is not known";
	if (efi->size > image->size || efi->offset >= efi->size)
		return "the sizes in its header contradict each other";
	if (driver_of(image).size < efi->size - efi->offset)
		return "the file is cut short within it";
	return NULL;
}

const char *rom_driver_fault(const struct rom_image *image, uint16_t *ret_machine)
{
	struct rom_driver driver = { image->efi.machine, image->efi.subsystem };
	struct bytes file = driver_of(image);
	const char *fault = find_header_fault(image);

	*ret_machine = driver.machine;
	if (fault)
		return fault;
	if (image->efi.compression == EFI_COMPRESSION_EFI)
		fault = find_stream_fault(file);
	else if (!rom_driver_is_stub(image))
		fault = rom_driver_read(file, &driver);
	if (fault)
		return fault;
	*ret_machine = driver.machine;
	if (driver.subsystem < EFI_SUBSYSTEM_APPLICATION ||
	    driver.subsystem > EFI_SUBSYSTEM_RUNTIME)
		return "what it holds is not a driver";
	return find_machine_fault(driver.machine);
}

const char *rom_driver_wrap_fault(struct bytes file, struct rom_driver *ret)
{
	const char *fault = rom_driver_read(file, ret);

	if (fault)
		return fault;
	if (ret->subsystem == EFI_SUBSYSTEM_APPLICATION)
		return "it is an application, which OVMF does not start from a ROM";
	if (!is_driver(ret->subsystem))
		return "it is a program, not a UEFI driver";
	return find_machine_fault(ret->machine);
}

static void store_u16(uint8_t *at, size_t number)
{
	at[0] = (uint8_t)number;
	at[1] = (uint8_t)(number >> 8);
}

int rom_driver_wrap(struct bytes driver, uint16_t vendor, uint16_t device, uint8_t **ret_data,
		    size_t *ret_size, struct error *err)
{
	size_t blocks = (MADE_HEADER_SIZE + driver.size + ROM_BLOCK - 1) / ROM_BLOCK;
	size_t size = blocks * ROM_BLOCK, start = size - driver.size;
	struct rom_driver kind = { 0 };
	const char *fault = rom_driver_wrap_fault(driver, &kind);
	/* OVMF takes a BAR of 2 KiB for none (GetOpRomInfo()) */
	size_t whole = size > ROM_OVMF_MIN ? size : 2 * ROM_OVMF_MIN;
	uint8_t *data, *pcir;

	if (fault)
		return error_set(err, -EBADMSG, "%s", fault);
	if (blocks > UINT16_MAX || size > ROM_SIZE_MAX)
		return error_set(err, -EFBIG, "%zu bytes are too many for an option ROM",
				 driver.size);
	data = calloc(1, whole);
	if (!data)
		return error_set_memory(err);
	memset(data + size, 0xff, whole - size);
	store_u16(data, 0xaa55);
	store_u16(data + 0x02, blocks);
	store_u16(data + 0x04, 0x0ef1);
	store_u16(data + 0x08, kind.subsystem);
	store_u16(data + 0x0a, kind.machine);
	store_u16(data + 0x16, start);
	store_u16(data + ROM_AT_PCIR, MADE_PCIR);
	pcir = data + MADE_PCIR;
	memcpy(pcir, pcir_signature, sizeof(pcir_signature));
	store_u16(pcir + PCIR_AT_VENDOR, vendor);
	store_u16(pcir + PCIR_AT_DEVICE, device);
	store_u16(pcir + 0x0a, MADE_PCIR_SIZE);
	pcir[0x0c] = 3;
	store_u16(pcir + PCIR_AT_LENGTH, blocks);
	pcir[0x14] = ROM_CODE_EFI;
	pcir[PCIR_AT_INDICATOR] = PCIR_LAST;
	memset(data + MADE_HEADER_SIZE, 0xff, start - MADE_HEADER_SIZE);
	memcpy(data + start, driver.data, driver.size);
	*ret_data = data;
	*ret_size = whole;
	return 0;
}
