/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: the entries of share/quirks.json, one a line (Makefile), in the program. */
#include "check/quirks.h"

__asm__(".section .rodata\n"
	".balign 8\n"
	"quirks_file_size:\n"
	".quad 1f - 0f\n"
	"quirks_file:\n"
	"0: .incbin \"quirks.lines\"\n"
	"1: .byte 0\n"
	".previous\n");

extern const char quirks_file[];
extern const uint64_t quirks_file_size;

const char *quirks_data(void)
{
	return quirks_file;
}

size_t quirks_data_size(void)
{
	return (size_t)quirks_file_size;
}
