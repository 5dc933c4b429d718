/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup: pve-vfio rom dump. Writes the ROM of a device to a file, or no file. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "rom/read.h"
#include "setup/print.h"
#include "setup/rom/rom.h"

static int parse_source(const struct command *command, enum rom_source *ret, struct error *err)
{
	const char *name = command_value(command, "--source");

	*ret = ROM_SOURCE_COUNT;
	if (!name)
		return 0;
	for (enum rom_source source = 0; source < ROM_SOURCE_COUNT; source++) {
		if (strcmp(rom_source_name(source), name) == 0) {
			*ret = source;
			return 0;
		}
	}
	return usage_error(err, command, "--source takes sysfs, amdgpu or vfct, not '%s'", name);
}

/* "x86 8086:0406, EFI 8086:0406" */
static char *describe_images(const struct rom_dump *dump)
{
	cleanup_text struct text text = { 0 };
	cleanup_rom struct rom rom = { 0 };
	char code[ROM_CODE_TEXT];

	if (rom_parse((struct bytes){ (const uint8_t *)dump->data, dump->size }, &rom, NULL) < 0)
		return NULL;
	for (size_t i = 0; i < rom.count; i++)
		text_add(&text, "%s%s %04x:%04x", i ? ", " : "",
			 rom_code_name(&rom.images[i], code), rom.images[i].vendor,
			 rom.images[i].device);
	return text_take(&text);
}

/* To standard error: standard output may be where the ROM goes. */
static void print_text(const struct rom_dump *dump, const char *path)
{
	cleanup_free char *images = describe_images(dump);

	for (size_t i = 0; i < dump->notes.count; i++)
		print_sentence(STDERR_FILENO, "pve-vfio: ", "  ", "%s", dump->notes.items[i]);
	fprintf(stderr, "%s: %zu bytes from %s: %s\n", path, dump->size,
		rom_source_name(dump->source), images ? images : "");
	if (dump->shadow)
		print_sentence(
			STDERR_FILENO, "pve-vfio: ", "  ",
			"this is the copy in memory at 0xc0000, which the machine's BIOS has "
			"run and changed. Look at it with 'pve-vfio rom check'; the ROM itself "
			"can be read when the machine is booted with another display.");
}

static int print_dump_json(const struct rom_dump *dump, const struct pci_device *device,
			   const char *path, struct error *err)
{
	json_t *notes = json_array();

	for (size_t i = 0; i < dump->notes.count; i++)
		json_array_append_new(notes, json_string(dump->notes.items[i]));
	return print_json(json_pack("{s:s, s:o, s:I, s:s, s:b, s:o}", "address", device->name,
				    "file", json_name(path), "size", (json_int_t)dump->size,
				    "source", rom_source_name(dump->source), "shadow", dump->shadow,
				    "notes", notes),
			  err);
}

int verb_rom_dump(struct command *command, struct error *err)
{
	cleanup_pci_device struct pci_device device = { 0 };
	const char *path = command_value(command, "-o");
	cleanup_rom_dump struct rom_dump dump = { 0 };
	struct pci_address address;
	enum rom_source source;
	uint16_t ignored;
	bool is_address;
	int r;

	if (!path)
		return usage_error(err, command, "it needs -o FILE");
	if (command->json && strcmp(path, "-") == 0)
		return usage_error(err, command,
				   "--json and the ROM cannot both go to standard output");
	if (rom_device_parse(command->argv[0], &address, &ignored, &ignored, &is_address) < 0 ||
	    !is_address)
		return usage_error(err, command, "'%s' is not the address of a device",
				   command->argv[0]);
	r = parse_source(command, &source, err);
	if (r == 0)
		r = pci_device_read(&command->root, address, &device, err);
	if (r == 0)
		r = rom_read(&command->root, &device, source, &dump, err);
	if (r == 0)
		r = rom_file_write(path, (struct bytes){ (const uint8_t *)dump.data, dump.size },
				   err);
	if (r < 0)
		return r;
	if (command->json)
		return print_dump_json(&dump, &device, path, err);
	print_text(&dump, path);
	return 0;
}
