/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rom: getting the ROM of a device that is in the machine.
 *
 * Sources: Documentation/ABI/testing/sysfs-bus-pci (rom), linux drivers/pci/pci-sysfs.c
 * pci_write_rom(), pci_read_rom() (read at 6.1.192 and 6.12.107), drivers/pci/rom.c,
 * drivers/gpu/drm/amd/amdgpu/amdgpu_debugfs.c (amdgpu_vbios).
 */
#pragma once

#include "base/bytes.h"
#include "base/text.h"
#include "pci/device.h"

/* Where a ROM can be read from, in the order in which they are tried. */
enum rom_source {
	ROM_SOURCE_SYSFS,  /* the ROM BAR of the device */
	ROM_SOURCE_AMDGPU, /* what the driver amdgpu works with */
	ROM_SOURCE_VFCT,   /* what the firmware left in an ACPI table */
	ROM_SOURCE_COUNT,
};

/* "sysfs", "amdgpu", "vfct". */
const char *rom_source_name(enum rom_source source);

/* What was read. */
struct rom_dump {
	char *data;
	size_t size;
	enum rom_source source;
	bool shadow;	      /* the copy at 0xc0000, which the BIOS has run and changed */
	struct strings notes; /* sentences: why a source tried before did not do, and the like */
};

void rom_dump_done(struct rom_dump *dump);
#define cleanup_rom_dump cleanup(rom_dump_done)

/*
 * Reads the ROM of a device from `source`; ROM_SOURCE_COUNT: from the first that has an option
 * ROM, the shadow last. What has to be changed for it (the device's power, its decoding, the ROM's
 * own switch) is put back, also after an error. The device is touched in a child process, for at
 * most some seconds: it may hang. Returns 0, or -errno with what to do in `err`.
 */
int rom_read(const struct sysroot *root, const struct pci_device *device, enum rom_source source,
	     struct rom_dump *ret, struct error *err) must_check;
