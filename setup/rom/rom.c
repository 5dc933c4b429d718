/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup: what the verbs of pve-vfio rom take on their command lines. */
#include "setup/rom/rom.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"

int rom_option_id(const struct command *command, const char *option, uint16_t *ret,
		  struct error *err)
{
	const char *text = command_value(command, option);
	uint32_t id;

	if (parse_hex_u32(text, &id) < 0 || id > UINT16_MAX)
		return usage_error(err, command,
				   "'%s' of %s is not an id of four hexadecimal digits", text,
				   option);
	*ret = (uint16_t)id;
	return 0;
}

int rom_option_number(const struct command *command, const char *option, uint32_t max,
		      uint32_t *ret, struct error *err)
{
	const char *text = command_value(command, option);
	uint64_t number;

	if (parse_number(text, strlen(text), 10, max, &number) < 0)
		return usage_error(err, command, "'%s' of %s is not a number from 0 to %u", text,
				   option, max);
	*ret = (uint32_t)number;
	return 0;
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
