/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz: quirks.json. A refusal has a sentence, and an entry its id. */
#include <stdint.h>
#include <stdlib.h>

#include "check/quirks.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_quirks struct quirks quirks = { 0 };
	struct error err = { 0 };

	if (quirks_parse("f", (const char *)data, size, &quirks, &err) < 0) {
		if (!*err.message)
			abort();
		return 0;
	}
	for (size_t i = 0; i < quirks.count; i++)
		if (!quirks.items[i].id || !quirks.items[i].remedy)
			abort();
	return 0;
}
