/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: share/quirks.json, as it is, in the program. */
#include "check/quirks.h"

__asm__(".section .rodata\n"
	"quirks_data_start:\n"
	".incbin \"share/quirks.json\"\n"
	"quirks_data_end:\n"
	".previous\n");

extern const char quirks_data_start[], quirks_data_end[];

const char *quirks_data(void)
{
	return quirks_data_start;
}

size_t quirks_data_size(void)
{
	return (size_t)(quirks_data_end - quirks_data_start);
}
