/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz: settings. What was parsed is printed as a document that gives the same settings. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "settings/settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *parse(const char *data, size_t size)
{
	cleanup_settings struct settings settings;
	struct error err = { 0 };
	char *text = NULL;
	json_t *json;

	settings_init(&settings);
	if (settings_parse("it", data, size, &settings, &err) < 0)
		return NULL;
	json = settings_json(&settings);
	text = json_dumps(json, 0);
	json_decref(json);
	return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = parse((const char *)data, size);
	char *again = text ? parse(text, strlen(text)) : NULL;

	if (text && (!again || strcmp(text, again) != 0))
		abort();
	free(text);
	free(again);
	return 0;
}
