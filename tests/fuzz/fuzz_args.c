/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz: args of a VM. Where all words vanish there is no device. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "pve/args.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_free char *line = strndup((const char *)data, size);
	cleanup_args struct args args = { 0 };
	struct error err = { 0 };

	if (!line || args_parse(line, &args, &err) < 0)
		return 0;
	if (args.vanished && (args.count > 0 || args.problem_count > 0))
		abort();
	return 0;
}
