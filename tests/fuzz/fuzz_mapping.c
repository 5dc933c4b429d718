/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz: a resource mapping file. What was parsed can be found again by its name, or is unusable. */
#include <stdint.h>
#include <stdlib.h>

#include "pve/mapping.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_mappings struct mappings mappings = { 0 };
	struct error err = { 0 };

	if (mappings_parse((const char *)data, size, &mappings, &err) < 0)
		return 0;
	for (size_t i = 0; i < mappings.count; i++) {
		const struct mapping *found = mappings_find(&mappings, mappings.items[i].name);

		if (found && (found < &mappings.items[i] || found->entries[0].paths.count == 0))
			abort();
	}
	return 0;
}
