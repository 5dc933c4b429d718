/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz: what attach has recorded. No key is there twice, and each was changed. */
#include <stdint.h>
#include <stdlib.h>

#include "settings/attached.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_attached struct attached attached = { 0 };
	struct error err = { 0 };

	if (attached_parse("FILE", (const char *)data, size, &attached, &err) < 0)
		return 0;
	for (size_t i = 0; i < attached.edit.count; i++) {
		const struct vm_change *change = &attached.edit.items[i];

		if (vm_edit_find(&attached.edit, change->key) != change ||
		    text_equal(change->before, change->after))
			abort();
	}
	return 0;
}
