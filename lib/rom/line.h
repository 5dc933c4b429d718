/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rom: the lines of a VM that give it devices and ROMs, as far as one bears on another.
 *
 * Sources: SeaBIOS src/optionroms.c vgarom_setup() (the first VGA device), qemu-server PCI.pm
 * print_hostpci_devices() (the order of the devices; the emulated display comes before them); edk2's
 * PciBusDxe starts the drivers of a ROM whichever function has it, so that for AMD graphics in the
 * processor the video BIOS is given to the graphics, for the guest's driver, and the UEFI driver to
 * the audio function.
 */
#pragma once

#include "rom/verdict.h"

struct rom_line {
	bool present;
	struct pci_address address; /* its first function, which gets the ROM */
	uint32_t class_code;	    /* 0: not known */
	const char *romfile;	    /* relative to the root; NULL */
};

/* The lines of a VM, by their numbers. Text and names are borrowed. */
struct rom_lines {
	const struct rom_line *items;
	size_t count;
	bool emulated_vga; /* an emulated VGA device comes before them */
};

/* What SeaBIOS finds before the device of a line. */
enum rom_displays rom_lines_before(const struct rom_lines *lines, size_t number);

/*
 * The line, of another function of the slot, whose ROM has a driver that OVMF runs; `count` for none.
 * Reads the ROMs of those lines; what cannot be read has none.
 */
size_t rom_lines_find_driver(const struct sysroot *root, const struct rom_lines *lines,
			     size_t number);
