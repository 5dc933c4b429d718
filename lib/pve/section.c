/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pve: files of sections. Reads only. */
#include "pve/section.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "pve/property.h"

/* pmxcfs holds files of up to 1 MiB. */
#define SECTION_FILE_MAX ((size_t)1 << 20)

static char *trim(char *text)
{
	char *end = text + strlen(text);

	while (end > text && isspace((unsigned char)end[-1]))
		*--end = '\0';
	return text + strspn(text, " \t");
}

/* "type: name"; false where it is none. */
static bool split_header(char *line, struct section *ret)
{
	char *colon = strchr(line, ':');

	if (!colon || isspace((unsigned char)*line))
		return false;
	*colon = '\0';
	*ret = (struct section){ .type = line, .name = trim(colon + 1) };
	return *ret->name;
}

static int add_item(struct section *section, char *line)
{
	char *value = line + strcspn(line, " \t");

	if (*value)
		*value++ = '\0';
	if (array_reserve(&section->items, section->count, sizeof(*section->items)) < 0)
		return -ENOMEM;
	section->items[section->count++] =
		(struct section_item){ .key = line, .value = trim(value) };
	return 0;
}

static int parse(struct sections *sections)
{
	struct section *now = NULL;
	char *rest = sections->text, *line;

	while ((line = strsep(&rest, "\n"))) {
		struct section section;

		if (!*trim(line)) {
			now = NULL;
		} else if (now) {
			if (add_item(now, trim(line)) < 0)
				return -ENOMEM;
		} else if (split_header(line, &section)) {
			if (array_reserve(&sections->items, sections->count, sizeof(section)) < 0)
				return -ENOMEM;
			now = &sections->items[sections->count++];
			*now = section;
		}
	}
	return 0;
}

int sections_read(const struct sysroot *root, const char *path, struct sections *ret)
{
	cleanup_sections struct sections sections = { 0 };
	size_t size;
	int r = sysroot_read(root, path, SECTION_FILE_MAX, &sections.text, &size);

	if (r == -ENOENT)
		return 0;
	if (r == 0)
		r = parse(&sections);
	if (r < 0)
		return r;
	*ret = TAKE_STRUCT(sections);
	return 0;
}

void sections_done(struct sections *sections)
{
	for (size_t i = 0; i < sections->count; i++)
		free(sections->items[i].items);
	free(sections->items);
	free(sections->text);
	*sections = (struct sections){ 0 };
}

const struct section *sections_find(const struct sections *sections, const char *type,
				    const char *name)
{
	for (size_t i = 0; i < sections->count; i++)
		if (strcmp(sections->items[i].type, type) == 0 &&
		    strcmp(sections->items[i].name, name) == 0)
			return &sections->items[i];
	return NULL;
}

const char *section_get(const struct section *section, const char *key)
{
	for (size_t i = 0; i < section->count; i++)
		if (strcmp(section->items[i].key, key) == 0)
			return section->items[i].value;
	return NULL;
}

bool section_is_on(const struct section *section, const char *key, bool otherwise)
{
	const char *value = section_get(section, key);
	bool on;

	return value && pve_boolean_parse(value, &on) == 0 ? on : otherwise;
}

bool list_has_word(const char *list, const char *word, bool nodes)
{
	size_t size = strlen(word);

	while (*list) {
		list += strspn(list, ",; \t");
		if (strncmp(list, word, size) == 0 &&
		    (!list[size] || strchr(nodes ? ",; \t:" : ",; \t", list[size])))
			return true;
		list += strcspn(list, ",; \t");
	}
	return false;
}
