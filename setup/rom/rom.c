/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup: pve-vfio rom. Reads the command line of the sub-verbs and runs one. */
#include "setup/rom/rom.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"

static const struct {
	const char *name;
	bool takes_value;
} options[] = {
	[OPTION_BIOS] = { "--bios", true },
	[OPTION_CHECKSUM] = { "--checksum", false },
	[OPTION_DEVICE] = { "--device", true },
	[OPTION_HOSTPCI] = { "--hostpci", true },
	[OPTION_IN_PLACE] = { "--in-place", false },
	[OPTION_LAST] = { "--last", false },
	[OPTION_LIST] = { "--list", false },
	[OPTION_OUTPUT] = { "-o", true },
	[OPTION_PAD] = { "--pad", false },
	[OPTION_REPLACE] = { "--replace", false },
	[OPTION_SOURCE] = { "--source", true },
	[OPTION_STRIP_HEADER] = { "--strip-header", false },
	[OPTION_TABLE] = { "--table", true },
	[OPTION_TRIM] = { "--trim", false },
	[OPTION_VENDOR] = { "--vendor", true },
	[OPTION_VMID] = { "--vmid", true },
};

#define BIT(option) (1u << (option))

static const struct sub_verb {
	const char *name;
	const char *arguments;
	size_t least, most;
	bool json;
	unsigned options;
	int (*run)(const struct rom_command *command, struct error *err);
	const char *what;
} sub_verbs[] = {
	{ "show", "FILE", 1, 1, true, 0, rom_show, "what is in an option ROM" },
	{ "check",
	  "FILE [--device ADDRESS|VVVV:DDDD] [--bios ovmf|seabios]\n"
	  "                     [--vmid VMID [--hostpci N]]",
	  1, 1, true,
	  BIT(OPTION_DEVICE) | BIT(OPTION_BIOS) | BIT(OPTION_VMID) | BIT(OPTION_HOSTPCI), rom_check,
	  "what QEMU, the VM's firmware and a driver there will do with it" },
	{ "dump", "ADDRESS -o FILE [--source sysfs|amdgpu|vfct]", 1, 1, true,
	  BIT(OPTION_OUTPUT) | BIT(OPTION_SOURCE), rom_dump, "read the ROM of a device" },
	{ "vfct", "[--list] [--device ADDRESS|VVVV:DDDD -o FILE] [--table FILE]", 0, 0, true,
	  BIT(OPTION_LIST) | BIT(OPTION_DEVICE) | BIT(OPTION_OUTPUT) | BIT(OPTION_TABLE), rom_vfct,
	  "the video BIOS that AMD's firmware keeps in an ACPI table" },
	{ "fix",
	  "FILE -o FILE|--in-place [--strip-header] [--vendor VVVV]\n"
	  "                   [--device DDDD] [--last] [--checksum] [--trim] [--pad]",
	  1, 1, true,
	  BIT(OPTION_OUTPUT) | BIT(OPTION_IN_PLACE) | BIT(OPTION_STRIP_HEADER) |
		  BIT(OPTION_VENDOR) | BIT(OPTION_DEVICE) | BIT(OPTION_LAST) |
		  BIT(OPTION_CHECKSUM) | BIT(OPTION_TRIM) | BIT(OPTION_PAD),
	  rom_fix, "repair one; asks when it is not told what" },
	{ "wrap", "DRIVER.efi --device ADDRESS|VVVV:DDDD -o FILE", 1, 1, false,
	  BIT(OPTION_DEVICE) | BIT(OPTION_OUTPUT), rom_wrap,
	  "make an option ROM of a UEFI driver" },
	{ "install", "FILE [NAME] [--vmid VMID --hostpci N] [--replace]", 1, 2, false,
	  BIT(OPTION_VMID) | BIT(OPTION_HOSTPCI) | BIT(OPTION_REPLACE), rom_install,
	  "put one where QEMU finds it, and give it to a VM" },
};

#define SUB_VERB_COUNT (sizeof(sub_verbs) / sizeof(*sub_verbs))

static int print_usage(FILE *stream)
{
	fputs("Usage:\n", stream);
	for (size_t i = 0; i < SUB_VERB_COUNT; i++)
		fprintf(stream, "  pve-vfio rom %s %s\n      %s\n", sub_verbs[i].name,
			sub_verbs[i].arguments, sub_verbs[i].what);
	return STATUS_USAGE;
}

int rom_usage_error(const char *format, ...)
{
	va_list arguments;

	fputs("pve-vfio rom: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputs("; 'pve-vfio rom' prints the usage\n", stderr);
	return STATUS_USAGE;
}

bool rom_option_id(const struct rom_command *command, enum rom_option option, uint16_t *ret)
{
	uint32_t id;

	if (parse_hex_u32(command->given[option], &id) == 0 && id <= UINT16_MAX) {
		*ret = (uint16_t)id;
		return true;
	}
	rom_usage_error("'%s' of %s is not an id of four hexadecimal digits",
			command->given[option], options[option].name);
	return false;
}

bool rom_option_number(const struct rom_command *command, enum rom_option option, uint32_t max,
		       uint32_t *ret)
{
	uint64_t number;
	const char *text = command->given[option];

	if (parse_number(text, strlen(text), 10, max, &number) == 0) {
		*ret = (uint32_t)number;
		return true;
	}
	rom_usage_error("'%s' of %s is not a number from 0 to %u", text, options[option].name, max);
	return false;
}

static bool parse_ids(const char *text, uint16_t *ret_vendor, uint16_t *ret_device)
{
	uint64_t vendor, device;

	if (strlen(text) != 9 || text[4] != ':' ||
	    parse_number(text, 4, 16, UINT16_MAX, &vendor) < 0 ||
	    parse_number(text + 5, 4, 16, UINT16_MAX, &device) < 0)
		return false;
	*ret_vendor = (uint16_t)vendor;
	*ret_device = (uint16_t)device;
	return true;
}

int rom_device_parse(const char *text, struct pci_address *ret_address, uint16_t *ret_vendor,
		     uint16_t *ret_device, bool *ret_is_address)
{
	cleanup_free char *full = NULL;
	const char *colon = strchr(text, ':');

	*ret_is_address = !parse_ids(text, ret_vendor, ret_device);
	if (!*ret_is_address)
		return 0;
	/* lspci leaves the domain 0 out, and Proxmox VE the function for a whole device */
	full = text_format("%s%s%s", colon && strchr(colon + 1, ':') ? "" : "0000:", text,
			   strchr(text, '.') ? "" : ".0");
	if (!full)
		return -ENOMEM;
	return pci_address_parse(full, ret_address);
}

/* The option of that name that the sub-verb knows, or OPTION_COUNT. */
static enum rom_option find_option(const struct sub_verb *verb, const char *name)
{
	enum rom_option option = 0;

	while (option < OPTION_COUNT &&
	       (strcmp(options[option].name, name) != 0 || !(verb->options & BIT(option))))
		option++;
	return option;
}

/* Sorts the words behind the sub-verb; a status other than STATUS_DONE after a usage error. */
static int parse_words(const struct sub_verb *verb, const struct command *command,
		       struct rom_command *ret)
{
	for (int at = 1; at < command->argc; at++) {
		const char *word = command->argv[at];
		enum rom_option option = find_option(verb, word);

		if (option != OPTION_COUNT) {
			ret->given[option] = "";
			if (!options[option].takes_value)
				continue;
			if (++at == command->argc)
				return rom_usage_error("%s needs a value", word);
			ret->given[option] = command->argv[at];
		} else if (text_starts_with(word, "-") && strcmp(word, "-") != 0) {
			return rom_usage_error("'%s' has no option '%s'", verb->name, word);
		} else if (ret->word_count == verb->most) {
			return rom_usage_error("'%s' is one word too many", word);
		} else {
			ret->words[ret->word_count++] = word;
		}
	}
	if (ret->word_count < verb->least)
		return rom_usage_error("'%s' needs more words", verb->name);
	return STATUS_DONE;
}

int verb_rom(struct command *command, struct error *err)
{
	struct rom_command own = { .root = &command->root, .json = command->json };

	if (command->argc == 0)
		return print_usage(stderr);
	for (size_t i = 0; i < SUB_VERB_COUNT; i++) {
		const struct sub_verb *verb = &sub_verbs[i];

		if (strcmp(verb->name, command->argv[0]) != 0)
			continue;
		if (command->json && !verb->json)
			return rom_usage_error("'%s' does not know --json", verb->name);
		if (parse_words(verb, command, &own) != STATUS_DONE)
			return STATUS_USAGE;
		return verb->run(&own, err);
	}
	return rom_usage_error("there is no '%s'", command->argv[0]);
}
