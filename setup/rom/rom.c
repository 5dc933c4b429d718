/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup: what the verbs of pve-vfio rom take on their command lines. */
#include "setup/rom/rom.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"

bool rom_option_id(const struct command *command, const char *option, uint16_t *ret)
{
	uint32_t id;

	if (parse_hex_u32(command_value(command, option), &id) == 0 && id <= UINT16_MAX) {
		*ret = (uint16_t)id;
		return true;
	}
	usage_error(command, "'%s' of %s is not an id of four hexadecimal digits",
		    command_value(command, option), option);
	return false;
}

bool rom_option_number(const struct command *command, const char *option, uint32_t max,
		       uint32_t *ret)
{
	uint64_t number;
	const char *text = command_value(command, option);

	if (parse_number(text, strlen(text), 10, max, &number) == 0) {
		*ret = (uint32_t)number;
		return true;
	}
	usage_error(command, "'%s' of %s is not a number from 0 to %u", text, option, max);
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
