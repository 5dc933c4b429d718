/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup: pve-vfio rom wrap. Makes an option ROM of a UEFI driver, as EfiRom does. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "rom/driver.h"
#include "setup/print.h"
#include "setup/rom/rom.h"

/* The ids of the device: they are in the ROM for people and tools, since OVMF compares none. */
static int read_ids(const struct command *command, struct rom_target *ret, struct error *err)
{
	const char *text = command_value(command, "--device");
	struct pci_address address;
	bool is_address;

	if (rom_device_parse(text, &address, &ret->vendor, &ret->device, &is_address) < 0)
		return usage_error(err, command,
				   "'%s' is not a device: neither an address nor VVVV:DDDD", text);
	return is_address ? rom_target_read(&command->root, address, ret, err) : 0;
}

/* What the file is in place of a driver, if that is known. */
static int tell_fault(const struct rom_file *file, const char *fault, struct error *err)
{
	cleanup_rom struct rom rom = { 0 };
	int r = rom_parse(rom_file_bytes(file), &rom, err);

	if (r < 0)
		return r;
	if (rom.count > 0 && rom.header.size == 0)
		return error_set(err, -EINVAL, "'%s' is an option ROM already", file->name);
	if (!rom_driver_is_pe(rom_file_bytes(file)))
		return error_set(err, -EINVAL, "'%s' is not a UEFI driver (.efi)", file->name);
	return error_set(err, -EINVAL, "'%s' makes no option ROM: %s", file->name, fault);
}

int verb_rom_wrap(struct command *command, struct error *err)
{
	const char *output = command_value(command, "-o");
	cleanup_rom_file struct rom_file file = { 0 };
	cleanup_free uint8_t *data = NULL;
	struct rom_target target = { 0 };
	struct rom_driver driver;
	const char *fault;
	size_t size;
	int r;

	if (!output || !command_value(command, "--device"))
		return usage_error(err, command, "it needs --device and -o FILE");
	if (rom_file_is_same(command->argv[0], output))
		return usage_error(err, command, "'%s' is the driver itself", output);
	if (command->json && strcmp(output, "-") == 0)
		return usage_error(err, command,
				   "--json and the ROM cannot both go to standard output");
	r = read_ids(command, &target, err);
	if (r == 0)
		r = rom_file_read(command->argv[0], &file, err);
	if (r < 0)
		return r;
	fault = rom_driver_wrap_fault(rom_file_bytes(&file), &driver);
	if (fault)
		return tell_fault(&file, fault, err);
	r = rom_driver_wrap(rom_file_bytes(&file), target.vendor, target.device, &data, &size, err);
	if (r == 0)
		r = rom_file_write(output, (struct bytes){ data, size }, err);
	if (r < 0)
		return r;
	fprintf(stderr, "%s: %zu bytes, a UEFI driver for %04x:%04x\n", output, size, target.vendor,
		target.device);
	if (!command->json)
		return 0;
	return print_json(json_pack("{s:o, s:I}", "file", json_name(output), "size",
				    (json_int_t)size),
			  err);
}
