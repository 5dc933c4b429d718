/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup: for whom pve-vfio rom judges a ROM: a device, a firmware, a VM. Reads only. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "check/check.h"
#include "setup/rom/rom.h"

static int parse_firmware(const char *name, enum rom_reader *ret)
{
	if (strcmp(name, "ovmf") == 0)
		*ret = ROM_READER_OVMF;
	else if (strcmp(name, "seabios") == 0)
		*ret = ROM_READER_SEABIOS;
	else
		return -EINVAL;
	return 0;
}

/* The firmware of a VM: SeaBIOS unless its configuration says otherwise. */
static int read_firmware(const struct vm_config *config, enum rom_reader *ret, struct error *err)
{
	const char *bios = vm_config_get(config, "bios");

	return parse_firmware(bios ? bios : "seabios", ret) < 0
		       ? error_set(err, -EINVAL, "%s: unknown firmware '%s'", config->path, bios)
		       : 0;
}

static int read_target(const struct command *command, const char *device,
		       struct rom_audience *audience, struct error *err)
{
	struct rom_target *target = &audience->target;
	struct pci_address address;
	bool is_address;

	if (rom_device_parse(device, &address, &target->vendor, &target->device, &is_address) < 0)
		return usage_error(err, command,
				   "'%s' is not a device: neither an address nor VVVV:DDDD",
				   device);
	audience->has_target = true;
	return is_address ? rom_target_read(&command->root, address, target, err) : 0;
}

/* The lines of the VM with an address; a mapping names no device before the VM starts. */
static void read_lines(const struct command *command, const struct vm_config *config,
		       struct rom_line lines[HOSTPCI_COUNT],
		       char paths[HOSTPCI_COUNT][SYSROOT_PATH_MAX])
{
	for (unsigned i = 0; i < HOSTPCI_COUNT; i++) {
		const struct hostpci *hostpci = &config->hostpci[i].hostpci;
		struct rom_line *line = &lines[i];
		struct rom_target target = { 0 };
		uint16_t ignored;
		bool is_address;

		if (!config->hostpci[i].present || hostpci->host.count == 0 ||
		    rom_device_parse(hostpci->host.items[0], &line->address, &ignored, &ignored,
				     &is_address) < 0 ||
		    !is_address)
			continue;
		line->present = true;
		if (rom_target_read(&command->root, line->address, &target, NULL) == 0)
			line->class_code = target.class_code;
		if (!hostpci->romfile)
			continue;
		snprintf(paths[i], SYSROOT_PATH_MAX, "usr/share/kvm/%s", hostpci->romfile);
		line->romfile = paths[i];
	}
}

/* The device of a hostpci line, and what the others have to do with it. */
static int read_hostpci(const struct command *command, const struct vm_config *config,
			struct rom_audience *audience, struct error *err)
{
	char paths[HOSTPCI_COUNT][SYSROOT_PATH_MAX] = { 0 };
	struct rom_line items[HOSTPCI_COUNT] = { 0 };
	const struct rom_lines lines = { items, HOSTPCI_COUNT, check_has_emulated_vga(config) };
	const struct vm_hostpci *line;
	uint32_t number;
	int r = rom_option_number(command, "--hostpci", HOSTPCI_COUNT - 1, &number, err);

	if (r < 0)
		return r;
	line = &config->hostpci[number];
	if (!line->present)
		return error_set(err, -ENOENT, "%s has no valid hostpci%u", config->path, number);
	if (line->hostpci.host.count == 0)
		return 0;
	r = read_target(command, line->hostpci.host.items[0], audience, err);
	if (r < 0)
		return r;
	read_lines(command, config, items, paths);
	audience->target.before = rom_lines_before(&lines, number);
	if (audience->firmware == ROM_READER_OVMF)
		audience->driver_line = rom_lines_find_driver(&command->root, &lines, number);
	return 0;
}

static int read_vm(const struct command *command, struct rom_audience *audience, struct error *err)
{
	cleanup_vm_config struct vm_config config = { 0 };
	uint32_t vmid;
	int r = rom_option_number(command, "--vmid", UINT32_MAX, &vmid, err);

	if (r == 0)
		r = vm_config_read(&command->root, NULL, vmid, &config, err);
	if (r == 0)
		r = read_firmware(&config, &audience->firmware, err);
	if (r < 0 || !command_value(command, "--hostpci"))
		return r;
	return read_hostpci(command, &config, audience, err);
}

int rom_audience_read(const struct command *command, struct rom_audience *ret, struct error *err)
{
	const char *bios = command_value(command, "--bios");
	const char *device = command_value(command, "--device");
	int r = 0;

	*ret = (struct rom_audience){ .firmware = ROM_READER_COUNT, .driver_line = HOSTPCI_COUNT };
	if (command_value(command, "--vmid"))
		r = read_vm(command, ret, err);
	else if (command_value(command, "--hostpci"))
		return usage_error(err, command, "--hostpci needs --vmid");
	if (r == 0 && bios && parse_firmware(bios, &ret->firmware) < 0)
		return usage_error(err, command, "--bios takes ovmf or seabios, not '%s'", bios);
	return r == 0 && device ? read_target(command, device, ret, err) : r;
}

bool rom_audience_has(const struct rom_audience *audience, enum rom_reader reader)
{
	if (audience->firmware == ROM_READER_COUNT)
		return true;
	return (reader != ROM_READER_SEABIOS && reader != ROM_READER_OVMF) ||
	       reader == audience->firmware;
}

/*
 * AMD graphics in the processor have two files: the video BIOS for the guest's driver on the one
 * function, the UEFI driver on the other.
 */
static bool has_driver_elsewhere(const struct rom_audience *audience,
				 const struct rom_judgement *judgement)
{
	return audience->driver_line < HOSTPCI_COUNT &&
	       judgement->verdicts[ROM_READER_DRIVER].works &&
	       !judgement->verdicts[ROM_READER_OVMF].works;
}

bool rom_audience_is_served(const struct rom_audience *audience,
			    const struct rom_judgement *judgement)
{
	if (rom_judgement_is_hopeless(judgement, audience->firmware))
		return false;
	return audience->firmware == ROM_READER_COUNT ||
	       judgement->verdicts[audience->firmware].works ||
	       has_driver_elsewhere(audience, judgement);
}

/* Commands are not wrapped: they are to be copied. */
static void print_repairs(const struct rom_audience *audience,
			  const struct rom_judgement *judgement, const char *path)
{
	for (enum rom_reader reader = 0; reader < ROM_READER_COUNT; reader++) {
		cleanup_free char *command =
			rom_fix_command(path, &judgement->verdicts[reader].repair);

		if (command && rom_audience_has(audience, reader))
			printf("\n%s %s after this:\n  %s\n", rom_reader_name(reader),
			       rom_reader_verdict(reader, true), command);
	}
}

static void print_remarks(const struct rom_judgement *judgement, const char *path)
{
	if (judgement->remark_count > 0)
		putchar('\n');
	for (size_t i = 0; i < judgement->remark_count; i++) {
		const struct rom_remark *remark = &judgement->remarks[i];
		cleanup_free char *command = rom_fix_command(path, &remark->repair);

		print_wrapped("- ", 2, remark->text);
		if (command)
			printf("  This makes it right:\n  %s\n", command);
	}
}

void rom_judgement_print(const struct rom_audience *audience, const struct rom *rom,
			 const struct rom_judgement *judgement, const char *path)
{
	cleanup_free char *word = rom_shell_word(path), *what = NULL;

	if (word)
		what = rom_kind_describe(judgement->kind, rom->file, word, NULL);
	if (what) {
		print_wrapped("", 0, what);
		putchar('\n');
	}
	for (enum rom_reader reader = 0; reader < ROM_READER_COUNT; reader++) {
		const struct rom_verdict *verdict = &judgement->verdicts[reader];
		cleanup_free char *start = NULL;

		if (!rom_audience_has(audience, reader))
			continue;
		start = text_format("%-12s%-12s", rom_reader_name(reader),
				    rom_reader_verdict(reader, verdict->works));
		print_wrapped(start ? start : "", 24, verdict->why);
	}
	if (has_driver_elsewhere(audience, judgement))
		printf("\nThat is right: OVMF's driver is in the romfile of hostpci%zu.\n",
		       audience->driver_line);
	print_remarks(judgement, path);
	print_repairs(audience, judgement, path);
}
