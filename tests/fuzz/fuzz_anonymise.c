/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz: anonymise(). What is clean stays as it is. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "report/anonymise.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char host[] = "pve1";
	static char *hosts[] = { host };
	const struct anonymiser anonymiser = { { hosts, 1 }, NULL };
	cleanup_free char *text = strndup((const char *)data, size);
	cleanup_free char *once = text ? anonymise(&anonymiser, text) : NULL;
	cleanup_free char *twice = once ? anonymise(&anonymiser, once) : NULL;

	if (twice && strlen(twice) > strlen(once) + 64)
		abort();
	return 0;
}
