/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * base: numbers from text. Strict: an empty string, a sign, a blank, a tail or an overflow is
 * -EINVAL or -ERANGE, and the result is written on success only.
 * This room holds no domain word.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Parses the `length` bytes at `text` as a number of `base` 10 or 16 (no 0x) up to `max`. */
int parse_number(const char *text, size_t length, unsigned base, uint64_t max, uint64_t *ret);

/* Parses a whole string of decimal digits. */
int parse_u64(const char *text, uint64_t *ret);
int parse_u32(const char *text, uint32_t *ret);

/* Parses a whole string of hexadecimal digits; a leading 0x, as sysfs writes, may be there. */
int parse_hex_u32(const char *text, uint32_t *ret);
