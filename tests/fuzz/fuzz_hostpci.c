/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz: the value of a hostpciN line. A refusal has a sentence. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "pve/hostpci.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_free char *value = strndup((const char *)data, size);
	cleanup_hostpci struct hostpci hostpci = { 0 };
	struct error err = { 0 };

	if (value && hostpci_parse(value, &hostpci, &err) < 0 && !*err.message)
		abort();
	return 0;
}
