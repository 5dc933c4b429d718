/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz: modules.alias, against two functions. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "pci/claim.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pci_entry entries[2] = {
		{ .device = { .vendor = 0x10de, .device = 0x2484, .class_code = 0x030000 } },
		{ .device = { .vendor = 0x144d, .device = 0xa808, .class_code = 0x010802 } },
	};
	const struct pci_inventory inventory = { entries, 2 };
	cleanup_pci_claims struct pci_claims claims = { 0 };
	cleanup_free char *text = strndup((const char *)data, size);

	if (text && pci_claims_parse(text, &inventory, &claims) == 0 && claims.count != 2)
		abort();
	return 0;
}
