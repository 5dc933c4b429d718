/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup: for whom pve-vfio rom judges a ROM: a device, a firmware, a VM. Reads only. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "pve/config.h"
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

static int read_target(const struct rom_command *command, const char *device,
		       struct rom_audience *audience, struct error *err)
{
	struct rom_target *target = &audience->target;
	struct pci_address address;
	bool is_address;

	if (rom_device_parse(device, &address, &target->vendor, &target->device, &is_address) < 0)
		return rom_usage_error("'%s' is no device: neither an address nor VVVV:DDDD",
				       device);
	audience->has_target = true;
	if (is_address && rom_target_read(command->root, address, target, err) < 0)
		return STATUS_FAILED;
	return STATUS_DONE;
}

/* The device of a hostpci line; a mapping names none before the VM starts. */
static int read_hostpci(const struct rom_command *command, const struct vm_config *config,
			struct rom_audience *audience, struct error *err)
{
	const struct vm_hostpci *line;
	uint32_t number;

	if (!rom_option_number(command, OPTION_HOSTPCI, HOSTPCI_COUNT - 1, &number))
		return STATUS_USAGE;
	line = &config->hostpci[number];
	if (!line->present) {
		error_set(err, -ENOENT, "%s has no valid hostpci%u", config->path, number);
		return STATUS_FAILED;
	}
	if (line->hostpci.host.count == 0)
		return STATUS_DONE;
	return read_target(command, line->hostpci.host.items[0], audience, err);
}

static int read_vm(const struct rom_command *command, struct rom_audience *audience,
		   struct error *err)
{
	cleanup_vm_config struct vm_config config = { 0 };
	uint32_t vmid;

	if (!rom_option_number(command, OPTION_VMID, UINT32_MAX, &vmid))
		return STATUS_USAGE;
	if (vm_config_read(command->root, NULL, vmid, &config, err) < 0 ||
	    read_firmware(&config, &audience->firmware, err) < 0)
		return STATUS_FAILED;
	return command->given[OPTION_HOSTPCI] ? read_hostpci(command, &config, audience, err)
					      : STATUS_DONE;
}

int rom_audience_read(const struct rom_command *command, struct rom_audience *ret,
		      struct error *err)
{
	const char *bios = command->given[OPTION_BIOS];
	const char *device = command->given[OPTION_DEVICE];
	int status = STATUS_DONE;

	*ret = (struct rom_audience){ .firmware = ROM_READER_COUNT };
	if (command->given[OPTION_VMID])
		status = read_vm(command, ret, err);
	else if (command->given[OPTION_HOSTPCI])
		return rom_usage_error("--hostpci needs --vmid");
	if (status == STATUS_DONE && bios && parse_firmware(bios, &ret->firmware) < 0)
		return rom_usage_error("--bios takes ovmf or seabios, not '%s'", bios);
	return status == STATUS_DONE && device ? read_target(command, device, ret, err) : status;
}

bool rom_audience_has(const struct rom_audience *audience, enum rom_reader reader)
{
	if (audience->firmware == ROM_READER_COUNT)
		return true;
	return (reader != ROM_READER_SEABIOS && reader != ROM_READER_OVMF) ||
	       reader == audience->firmware;
}

void rom_judgement_print(const struct rom_audience *audience, const struct rom_judgement *judgement)
{
	for (enum rom_reader reader = 0; reader < ROM_READER_COUNT; reader++) {
		const struct rom_verdict *verdict = &judgement->verdicts[reader];
		cleanup_free char *start = NULL;

		if (!rom_audience_has(audience, reader))
			continue;
		start = text_format("%-12s%-12s", rom_reader_name(reader),
				    rom_reader_verdict(reader, verdict->works));
		print_wrapped(start ? start : "", 24, verdict->why);
	}
	if (judgement->remark_count > 0)
		putchar('\n');
	for (size_t i = 0; i < judgement->remark_count; i++)
		print_wrapped("- ", 2, judgement->remarks[i].text);
}
