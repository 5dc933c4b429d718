/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base: the one reader of untrusted bytes. Subtracts where adding could overflow. */
#include "base/bytes.h"

#include <string.h>

bool bytes_slice(struct bytes bytes, size_t offset, size_t size, struct bytes *ret)
{
	if (offset > bytes.size || size > bytes.size - offset)
		return false;
	*ret = (struct bytes){ bytes.data ? bytes.data + offset : NULL, size };
	return true;
}

struct bytes bytes_clip(struct bytes bytes, size_t offset, size_t size)
{
	struct bytes part = { 0 };
	size_t left = offset < bytes.size ? bytes.size - offset : 0;

	(void)bytes_slice(bytes, offset, size < left ? size : left, &part);
	return part;
}

struct bytes bytes_from(struct bytes bytes, size_t offset)
{
	return bytes_clip(bytes, offset, SIZE_MAX);
}

static uint32_t little_endian(struct bytes bytes, size_t offset, size_t size)
{
	uint32_t value = 0;

	if (size > bytes.size || offset > bytes.size - size)
		return 0;
	while (size-- > 0)
		value = value << 8 | bytes.data[offset + size];
	return value;
}

uint8_t bytes_u8(struct bytes bytes, size_t offset)
{
	return (uint8_t)little_endian(bytes, offset, 1);
}

uint16_t bytes_u16(struct bytes bytes, size_t offset)
{
	return (uint16_t)little_endian(bytes, offset, 2);
}

uint32_t bytes_u32(struct bytes bytes, size_t offset)
{
	return little_endian(bytes, offset, 4);
}

bool bytes_has_text(struct bytes bytes, size_t offset, const char *text)
{
	struct bytes part = { 0 };
	size_t size = strlen(text);

	return size > 0 && bytes_slice(bytes, offset, size, &part) &&
	       memcmp(part.data, text, size) == 0;
}

uint8_t bytes_sum(struct bytes bytes)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < bytes.size; i++)
		sum = (uint8_t)(sum + bytes.data[i]);
	return sum;
}

size_t bytes_padding(struct bytes bytes)
{
	size_t count = 0;
	uint8_t last;

	if (bytes.size == 0)
		return 0;
	last = bytes.data[bytes.size - 1];
	if (last != 0x00 && last != 0xff)
		return 0;
	while (count < bytes.size && bytes.data[bytes.size - 1 - count] == last)
		count++;
	return count;
}

bool bytes_equal(struct bytes a, struct bytes b)
{
	return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}
