/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pci: addresses. Looks nothing up. */
#include "pci/address.h"

#include <errno.h>
#include <string.h>

#include "base/number.h"

/* Parses `least` to `most` hexadecimal digits up to `end`, which is stepped over. */
static int parse_part(const char **text, size_t least, size_t most, char end, uint64_t max,
		      uint64_t *ret)
{
	const char *stop = strchr(*text, end);
	size_t digits = stop ? (size_t)(stop - *text) : 0;
	int r;

	/* sysfs fills up to the least number of digits, and no further. */
	if (digits < least || digits > most || (digits > least && **text == '0'))
		return -EINVAL;
	r = parse_number(*text, digits, 16, max, ret);
	if (r < 0)
		return -EINVAL;
	*text = end ? stop + 1 : stop;
	return 0;
}

int pci_address_parse(const char *text, struct pci_address *ret)
{
	uint64_t domain, bus, device, function;

	if (parse_part(&text, 4, 8, ':', UINT32_MAX, &domain) < 0 ||
	    parse_part(&text, 2, 2, ':', 0xff, &bus) < 0 ||
	    parse_part(&text, 2, 2, '.', 0x1f, &device) < 0 ||
	    parse_part(&text, 1, 1, '\0', 7, &function) < 0)
		return -EINVAL;
	*ret = (struct pci_address){
		.domain = (uint32_t)domain,
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

bool pci_address_equal(struct pci_address a, struct pci_address b)
{
	return pci_address_compare(a, b) == 0;
}
