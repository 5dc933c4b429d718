/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: the entries of share/quirks.json, one a line (Makefile), in the program. */
#include "check/quirks.h"

__asm__(".section .rodata\n"
	".balign 8\n"
	".globl quirks_file, quirks_file_size\n"
	".hidden quirks_file, quirks_file_size\n"
	"quirks_file_size:\n"
	".quad 1f - 0f\n"
	"quirks_file:\n"
	"0: .incbin \"quirks.lines\"\n"
	"1: .byte 0\n"
	".previous\n");

/* Hidden: found without the global offset table, which on arm64 has no entry inside a section. */
extern const char quirks_file[] __attribute__((visibility("hidden")));
extern const uint64_t quirks_file_size __attribute__((visibility("hidden")));

const char *quirks_data(void)
{
	return quirks_file;
}

size_t quirks_data_size(void)
{
	return (size_t)quirks_file_size;
}
