/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz: files of modprobe.d and modules-load.d. Lines are in the file, one behind the other. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "host/modconf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_free char *text = strndup((const char *)data, size);

	for (int load = 0; text && load < 2; load++) {
		cleanup_modconf struct modconf conf = { 0 };
		size_t end = 0, option;

		if (modconf_parse(&conf, "file", text, load) < 0)
			return 0;
		for (size_t i = 0; i < conf.count; i++) {
			const struct modconf_line *line = &conf.items[i];

			if (line->offset < end || line->offset + line->size > strlen(text))
				abort();
			end = line->offset + line->size;
			(void)modconf_find_option(line->rest, "ids", &option);
		}
	}
	return 0;
}
