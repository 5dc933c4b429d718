/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz: pvesh's list of storages. Each has a name, by which one is found. */
#include <stdint.h>
#include <stdlib.h>

#include "pve/storage.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_storages struct storages storages = { 0 };
	struct error err = { 0 };

	if (storages_parse((const char *)data, size, &storages, &err) < 0)
		return 0;
	for (size_t i = 0; i < storages.count; i++)
		if (!storages_find(&storages, storages.items[i].name))
			abort();
	return 0;
}
