/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rom: the lines of a VM that give it devices and ROMs. Reads ROM files, and nothing else. */
#include "rom/line.h"

#include "pci/facts.h"

#define CLASS_VGA 0x0300

enum rom_displays rom_lines_before(const struct rom_lines *lines, size_t number)
{
	if (lines->emulated_vga)
		return ROM_DISPLAYS_VGA;
	for (size_t i = 0; i < lines->count; i++) {
		const struct rom_line *line = &lines->items[i];
		bool own = i == number;

		/* of several VGA devices the first; any VGA device before a display that is none */
		if (line->present && !own && line->class_code >> 8 == CLASS_VGA &&
		    (i < number || lines->items[number].class_code >> 8 != CLASS_VGA))
			return ROM_DISPLAYS_VGA;
	}
	return ROM_DISPLAYS_NONE;
}

static bool has_driver(const struct sysroot *root, const struct rom_line *line)
{
	cleanup_rom_judgement struct rom_judgement judgement = { 0 };
	cleanup_rom struct rom rom = { 0 };
	cleanup_free char *data = NULL;
	size_t size;

	return sysroot_read_file(root, line->romfile, ROM_SIZE_MAX, &data, &size) == 0 &&
	       rom_parse((struct bytes){ (const uint8_t *)data, size }, &rom, NULL) == 0 &&
	       rom_judge(&rom, NULL, &judgement, NULL) == 0 && !judgement.cut &&
	       judgement.verdicts[ROM_READER_OVMF].works;
}

size_t rom_lines_find_driver(const struct sysroot *root, const struct rom_lines *lines,
			     size_t number)
{
	for (size_t i = 0; i < lines->count; i++) {
		const struct rom_line *line = &lines->items[i];

		if (i != number && line->present && line->romfile &&
		    pci_same_slot(line->address, lines->items[number].address) &&
		    has_driver(root, line))
			return i;
	}
	return lines->count;
}
