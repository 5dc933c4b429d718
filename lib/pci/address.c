/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pci: addresses. Looks nothing up. */
#include "pci/address.h"

#include <errno.h>
#include <stddef.h>

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Steps over `least` to `most` hexadecimal digits and `end`. By hand: a machine has hundreds of these. */
static bool parse_part(const char **text, size_t least, size_t most, char end, uint32_t *ret)
{
	const char *at = *text;
	uint32_t value = 0;
	size_t digits = 0;
	int digit;

	while (digits < most && (digit = hex_value(at[digits])) >= 0) {
		value = value << 4 | (uint32_t)digit;
		digits++;
	}
	/* sysfs fills up to the least number of digits, and no further. */
	if (digits < least || at[digits] != end || (digits > least && *at == '0'))
		return false;
	*text = at + digits + (end ? 1 : 0);
	*ret = value;
	return true;
}

int pci_address_parse(const char *text, struct pci_address *ret)
{
	uint32_t domain, bus, device, function;

	if (!parse_part(&text, 4, 8, ':', &domain) || !parse_part(&text, 2, 2, ':', &bus) ||
	    !parse_part(&text, 2, 2, '.', &device) || device > 0x1f ||
	    !parse_part(&text, 1, 1, '\0', &function) || function > 7)
		return -EINVAL;
	*ret = (struct pci_address){
		.domain = domain,
		.bus = (uint8_t)bus,
		.device = (uint8_t)device,
		.function = (uint8_t)function,
	};
	return 0;
}

static char *put_hex(char *at, uint32_t value, unsigned digits)
{
	while (digits-- > 0)
		*at++ = "0123456789abcdef"[value >> (4 * digits) & 0xf];
	return at;
}

/* Not by snprintf(): a start formats every address of the machine once for each hostpci line. */
const char *pci_address_format(struct pci_address address, char buffer[PCI_ADDRESS_TEXT])
{
	unsigned digits = 4;
	char *at;

	while (digits < 8 && address.domain >> (4 * digits) != 0)
		digits++;
	at = put_hex(buffer, address.domain, digits);
	*at++ = ':';
	at = put_hex(at, address.bus, 2);
	*at++ = ':';
	at = put_hex(at, address.device, 2);
	*at++ = '.';
	at = put_hex(at, address.function & 7u, 1);
	*at = '\0';
	return buffer;
}

int pci_address_compare(struct pci_address a, struct pci_address b)
{
	if (a.domain != b.domain)
		return a.domain < b.domain ? -1 : 1;
	if (a.bus != b.bus)
		return a.bus - b.bus;
	if (a.device != b.device)
		return a.device - b.device;
	return a.function - b.function;
}
