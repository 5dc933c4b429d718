/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz: what a node has published. What was parsed and printed reads as the same again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/facts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_facts struct facts facts = { 0 }, again = { 0 };
	cleanup_json json_t *first = NULL, *second = NULL;
	cleanup_free char *text = NULL;
	struct error err = { 0 };

	if (facts_parse("it", (const char *)data, size, &facts, &err) < 0)
		return 0;
	first = facts_json(&facts);
	text = first ? json_text(first, JSON_COMPACT) : NULL;
	if (!text || facts_parse("it", text, strlen(text), &again, &err) < 0)
		abort();
	again.left_out = facts.left_out;
	second = facts_json(&again);
	if (!second || !json_equal(first, second))
		abort();
	for (size_t i = 0; i < facts.device_count; i++)
		if (!facts_find(&facts, facts.devices[i].device.name))
			abort();
	return 0;
}
