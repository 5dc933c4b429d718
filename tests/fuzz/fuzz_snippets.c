/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz: storage.cfg. "local" is always among the storages. */
#include <stdint.h>
#include <stdlib.h>

#include "pve/snippets.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_snippet_stores struct snippet_stores stores = { 0 };
	cleanup_free char *path = NULL;
	struct error err = { 0 };

	if (snippet_stores_parse((const char *)data, size, "pve1", &stores, &err) < 0)
		return 0;
	if (!snippet_stores_find(&stores, "local"))
		abort();
	path = snippet_path(&stores, "local:snippets/x");
	return 0;
}
