/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz: a file of modprobe.d. A line has a module. */
#include <stdint.h>
#include <stdlib.h>

#include "host/modprobe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_modprobe struct modprobe modprobe = { 0 };

	if (modprobe_parse("f", (const char *)data, size, &modprobe) < 0)
		return 0;
	for (size_t i = 0; i < modprobe.count; i++)
		if (!*modprobe.items[i].module)
			abort();
	return 0;
}
