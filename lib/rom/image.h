/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rom: the images of an option ROM, found in any bytes at all. All offsets and sizes are bytes.
 *
 * Sources: PCI Firmware Specification 3.3, 5.1 (image chain, data structure), UEFI specification,
 * 14.4.2 (EFI images), edk2 IndustryStandard/Pci22.h and Pci30.h (field names and numbers),
 * nouveau's nvkm/subdev/bios (NVIDIA's continuation of the chain), edk2
 * MdeModulePkg/Bus/Pci/PciBusDxe/PciOptionRomSupport.c LoadOpRomImage() (how OVMF goes on after a
 * gap; seen in a VM).
 */
#pragma once

#include <stdbool.h>

#include "base/bytes.h"
#include "base/error.h"

/* Larger is not an option ROM: the BAR of one decodes at most 16 MiB (PCI 3.0, 6.2.5.2). */
#define ROM_SIZE_MAX ((size_t)16 * 1024 * 1024)

#define ROM_BLOCK    ((size_t)512) /* the unit of every length in a ROM */

/* Offsets within an image. */
#define ROM_AT_LEGACY_SIZE 0x02
#define ROM_AT_ENTRY	   0x03
#define ROM_AT_PCIR	   0x18

/* Offsets within the PCI data structure. */
#define PCIR_AT_VENDOR	  0x04
#define PCIR_AT_DEVICE	  0x06
#define PCIR_AT_LENGTH	  0x10
#define PCIR_AT_INDICATOR 0x15

#define PCIR_LAST	  0x80 /* in the indicator: no image follows */
#define PCIR_ALIGN	  4 /* of the structure in the image: OVMF and new kernels insist on it */

/* Code types of the data structure. NVIDIA's own are what its firmware and drivers use. */
enum rom_code {
	ROM_CODE_X86 = 0x00, /* a legacy (BIOS) image */
	ROM_CODE_OPEN_FIRMWARE = 0x01,
	ROM_CODE_HP_PA = 0x02,
	ROM_CODE_EFI = 0x03,
	ROM_CODE_NVIDIA_NBSI = 0x70,
	ROM_CODE_NVIDIA_FWSEC = 0xe0,
};

/* What an EFI image adds to the header. */
struct rom_efi {
	bool signature;	      /* 0x0ef1 is where it should be */
	uint32_t size;	      /* what is loaded, from the start of the image */
	uint16_t subsystem;   /* PE: 0xb boot service driver, 0xc runtime driver */
	uint16_t machine;     /* PE: 0x8664 x64, 0xaa64 AArch64, … */
	uint16_t compression; /* 0 none, 1 EFI */
	uint16_t offset;      /* of the driver in the image */
};

struct rom_image {
	size_t offset;	   /* of the image in the file */
	size_t size;	   /* as the image says; the next one starts there */
	struct bytes data; /* of `size`, what the file holds */
	bool has_pcir;	   /* without it an ISA ROM: no ids, no type, no successor */
	bool private;	   /* after the last image; only the vendor's own software goes there */
	size_t gap;	   /* bytes before it that belong to no image: only OVMF gets here then */
	/*
	 * How many bytes of it, or of what a BIOS runs of it, the file does not have. Where there
	 * are any, `sum` says nothing.
	 */
	size_t missing;
	size_t pcir; /* offset of the data structure in the image */
	uint8_t pcir_revision;
	uint8_t code; /* enum rom_code */
	uint16_t vendor, device;
	struct bytes devices; /* more device ids, 2 bytes each: revision 3 and newer */
	uint32_t class_code;  /* often 0 in EFI images: says little */
	uint16_t revision;    /* the vendor's own */
	bool last;
	size_t legacy_size; /* of an x86 image: what a BIOS copies, runs and checks; may be 0 */
	uint8_t sum;	    /* of an x86 image: of what a BIOS checks; 0 is right */
	bool pnp;	    /* of an x86 image: it has a PnP header */
	struct rom_efi efi; /* of an EFI image */
};

/* Why there is no further image. */
enum rom_end {
	ROM_END_LAST,	   /* the last image says so */
	ROM_END_FILE,	   /* the file ends where the next should start: no image says it is last */
	ROM_END_NO_IMAGE,  /* something else is where the next should start */
	ROM_END_TRUNCATED, /* the file ends within an image */
	ROM_END_NO_LENGTH, /* an image gives its length as 0 */
	ROM_END_NO_PCIR,   /* an ISA ROM */
};

/*
 * A ROM in memory. `file` is borrowed and must outlive it. What was found is a header (bytes before
 * the first image, which firmware does not skip), the images with their gaps, and a trailer.
 */
struct rom {
	struct bytes file;
	struct bytes header;
	struct rom_image *images;
	size_t count;	      /* 0: there is no option ROM in these bytes */
	size_t chain_count;   /* the images of the chain, which all readers follow */
	size_t reach_count;   /* these, and those after a gap; the private ones come after them */
	enum rom_end end;     /* of the chain */
	struct bytes trailer; /* after the last image */
	/*
	 * Where in the trailer another image starts, which nobody reaches: an earlier image says
	 * it is the last, or gives a wrong length. 0 for none.
	 */
	size_t unreached;
};

/*
 * Finds the images. Never fails for what the bytes are: a file without one has a `count` of 0.
 * Returns 0 or -ENOMEM.
 */
int rom_parse(struct bytes file, struct rom *ret, struct error *err) must_check;
void rom_done(struct rom *rom);
#define cleanup_rom cleanup(rom_done)

/* Whether the file ends before an image does. NVIDIA's own images do not count. */
bool rom_is_cut(const struct rom *rom);

/*
 * Reads the image at `offset` of the file; false, and `ret` untouched, where none starts. Its `sum`
 * is not made.
 */
bool rom_image_read(struct bytes file, size_t offset, struct rom_image *ret);

/* How much of the image a BIOS sums up: what its byte 2 says, else the image. */
size_t rom_image_summed(const struct rom_image *image);

/* The first image of that type in the chain, or NULL. */
const struct rom_image *rom_first(const struct rom *rom, enum rom_code code);

/* Whether the device list of the image names the device. */
bool rom_image_lists_device(const struct rom_image *image, uint16_t device);

/* "x86", "EFI", "Open Firmware", …; "type XX" for others goes into `buffer`, which is returned. */
#define ROM_CODE_TEXT 24
const char *rom_code_name(const struct rom_image *image, char buffer[ROM_CODE_TEXT]);

/* "x64", "AArch64", …; NULL for a machine that is not known here. */
const char *rom_machine_name(uint16_t machine);

/* "boot service driver", …; NULL. */
const char *rom_subsystem_name(uint16_t subsystem);

/* The size of the BAR that QEMU gives a file: the next power of two. */
uint64_t rom_bar_size(size_t file_size);
