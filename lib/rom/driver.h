/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rom: the UEFI driver in an EFI image, and an EFI image made of a driver.
 *
 * Sources: edk2 MdePkg/Library/BasePeCoffLib/BasePeCoff.c PeCoffLoaderGetPeHeader() (what a driver
 * must have to be loaded), PciBusDxe/PciOptionRomSupport.c LocalLoadFile2() and
 * MdeModulePkg/Library/BaseUefiDecompressLib UefiDecompressGetInfo() (what an image must have),
 * BaseTools/Source/C/EfiRom/EfiRom.c ProcessEfiFile() (how an image is made), OvmfPkgX64.dsc
 * (EbcDxe: byte code runs too). What is said of OVMF was tried in VMs.
 */
#pragma once

#include "rom/image.h"

/* PE: subsystems and machines. */
#define EFI_SUBSYSTEM_APPLICATION 0x0a
#define EFI_SUBSYSTEM_BOOT	  0x0b
#define EFI_SUBSYSTEM_RUNTIME	  0x0c
#define EFI_MACHINE_X64		  0x8664
#define EFI_MACHINE_BYTE_CODE	  0x0ebc

/* A ROM whose BAR is not larger is none to OVMF: edk2 PciOptionRomSupport.c GetOpRomInfo(). */
#define ROM_OVMF_MIN ((size_t)2048)

struct rom_driver {
	uint16_t machine, subsystem;
};

/* Reads a driver's headers. Returns NULL, or why no firmware would load it, a part of a sentence. */
const char *rom_driver_read(struct bytes file, struct rom_driver *ret);

/* Whether there is a PE file at all, whatever is wrong with it. */
bool rom_driver_is_pe(struct bytes file);

/*
 * Why a driver is not worth an option ROM, a part of a sentence; NULL: rom_driver_wrap() takes it.
 * `ret` is set where there are headers at all.
 */
const char *rom_driver_wrap_fault(struct bytes file, struct rom_driver *ret);

/*
 * Why OVMF would not start the driver in an EFI image, a part of a sentence; NULL: it would, as far
 * as the headers tell. The machine is that of the driver, where that is not compressed.
 */
const char *rom_driver_fault(const struct rom_image *image, uint16_t *ret_machine);

/*
 * Whether there is no more of the driver than a DOS header that leads nowhere: an image that was made
 * to represent a driver. Its headers have no fault then, since there are none.
 */
bool rom_driver_is_stub(const struct rom_image *image);

/*
 * Makes an option ROM of one EFI image out of a driver, byte for byte as EfiRom does; one that OVMF
 * would take for too small gets padding after it. The caller frees *ret_data. -EBADMSG when it is not a driver that OVMF runs, -EFBIG, -ENOMEM.
 */
int rom_driver_wrap(struct bytes driver, uint16_t vendor, uint16_t device, uint8_t **ret_data,
		    size_t *ret_size, struct error *err) must_check;
