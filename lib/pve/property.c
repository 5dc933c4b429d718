/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pve: property strings. Knows no key. */
#include "pve/property.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/array.h"
#include "base/text.h"

static bool is_blank(const char *text)
{
	return text[strspn(text, " \t\r\n\f\v")] == '\0';
}

static struct property *find(const struct properties *properties, const char *key)
{
	for (size_t i = 0; i < properties->count; i++)
		if (strcmp(properties->items[i].key, key) == 0)
			return &properties->items[i];
	return NULL;
}

/* Splits "key=value" at the first '='; without one the default key is meant. */
static int split_part(char *part, const char *default_key, struct property *ret, struct error *err)
{
	char *equals = strchr(part, '=');

	if (!equals && !default_key)
		return error_set(err, -EINVAL, "'%s' is not of the form KEY=VALUE", part);
	if (!equals) {
		*ret = (struct property){ default_key, part };
		return 0;
	}
	if (equals == part || !equals[1])
		return error_set(err, -EINVAL, "'%s' lacks its %s", part,
				 equals == part ? "key" : "value");
	*equals = '\0';
	*ret = (struct property){ part, equals + 1 };
	return 0;
}

int properties_parse(const char *value, const char *default_key, struct properties *ret,
		     struct error *err)
{
	cleanup_properties struct properties properties = { .text = strdup(value) };
	char *rest = properties.text, *part;
	bool defaulted = false;

	if (!properties.text)
		return error_set_memory(err);
	while ((part = strsep(&rest, ","))) {
		bool by_default = !strchr(part, '=');
		struct property property, *earlier;
		int r;

		if (is_blank(part))
			continue;
		r = split_part(part, default_key, &property, err);
		if (r < 0)
			return r;
		earlier = find(&properties, property.key);
		/* "host=0,01:00": to Perl "0" is false, and a part without a key replaces it. */
		if (earlier && by_default && !defaulted && strcmp(earlier->value, "0") == 0)
			earlier->value = property.value;
		else if (earlier)
			return error_set(err, -EINVAL, "'%s' is given twice", property.key);
		else if (array_reserve(&properties.items, properties.count, sizeof(property)) < 0)
			return error_set_memory(err);
		else
			properties.items[properties.count++] = property;
		defaulted |= by_default;
	}
	*ret = TAKE_STRUCT(properties);
	return 0;
}

int pve_boolean_parse(const char *text, bool *ret)
{
	static const struct {
		const char *word;
		bool value;
	} words[] = {
		{ "1", true },	{ "on", true },	  { "yes", true }, { "true", true },
		{ "0", false }, { "off", false }, { "no", false }, { "false", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strcasecmp(text, words[i].word) == 0) {
			*ret = words[i].value;
			return 0;
		}
	}
	return -EINVAL;
}

void properties_done(struct properties *properties)
{
	free(properties->text);
	free(properties->items);
	*properties = (struct properties){ 0 };
}
