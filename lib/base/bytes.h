/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * base: the one reader of untrusted bytes. No struct is laid over a buffer and no pointer moves
 * through one: a part is a slice, and a number is asked for by its offset.
 * This room holds no domain word.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes that someone else owns. Started as { 0 }: none. */
struct bytes {
	const uint8_t *data;
	size_t size;
};

/* The `size` bytes from `offset`; false, and `ret` untouched, where that many are not there. */
bool bytes_slice(struct bytes bytes, size_t offset, size_t size, struct bytes *ret);

/* What there is of the `size` bytes from `offset`: as many or fewer, none beyond the end. */
struct bytes bytes_clip(struct bytes bytes, size_t offset, size_t size);

/* Everything from `offset` on. */
struct bytes bytes_from(struct bytes bytes, size_t offset);

/*
 * Little-endian numbers. A number that is not wholly there reads 0, so that no call can reach
 * outside; where 0 must not pass for a value, slice first.
 */
uint8_t bytes_u8(struct bytes bytes, size_t offset);
uint16_t bytes_u16(struct bytes bytes, size_t offset);
uint32_t bytes_u32(struct bytes bytes, size_t offset);

/* Whether the characters of `text`, without its NUL, are at `offset`. */
bool bytes_has_text(struct bytes bytes, size_t offset, const char *text);

/* The sum of all bytes, modulo 256: the checksum of option ROMs and ACPI tables is that this is 0. */
uint8_t bytes_sum(struct bytes bytes);

/* How many bytes at the end are all equal to the last one, and that one is 00 or ff. */
size_t bytes_padding(struct bytes bytes);

bool bytes_equal(struct bytes a, struct bytes b);
