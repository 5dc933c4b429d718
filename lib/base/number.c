/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base: numbers from text. Knows no unit and no default. */
#include "base/number.h"

#include <errno.h>
#include <string.h>

static unsigned digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned)(c - 'a') + 10;
	if (c >= 'A' && c <= 'F')
		return (unsigned)(c - 'A') + 10;
	return 16;
}

int parse_number(const char *text, size_t length, unsigned base, uint64_t max, uint64_t *ret)
{
	const uint64_t most = max / base, last = max % base;
	uint64_t value = 0;

	if (length == 0)
		return -EINVAL;
	for (size_t i = 0; i < length; i++) {
		unsigned digit = digit_value(text[i]);

		if (digit >= base)
			return -EINVAL;
		if (value > most || (value == most && digit > last))
			return -ERANGE;
		value = value * base + digit;
	}
	*ret = value;
	return 0;
}

int parse_u64(const char *text, uint64_t *ret)
{
	return parse_number(text, strlen(text), 10, UINT64_MAX, ret);
}

int parse_u32(const char *text, uint32_t *ret)
{
	uint64_t value;
	int r = parse_number(text, strlen(text), 10, UINT32_MAX, &value);

	if (r < 0)
		return r;
	*ret = (uint32_t)value;
	return 0;
}

int parse_hex_u32(const char *text, uint32_t *ret)
{
	uint64_t value;
	int r;

	if (text[0] == '0' && text[1] == 'x')
		text += 2;
	r = parse_number(text, strlen(text), 16, UINT32_MAX, &value);
	if (r < 0)
		return r;
	*ret = (uint32_t)value;
	return 0;
}
