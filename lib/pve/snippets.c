/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pve: storages that can hold a hookscript. */
#include "pve/snippets.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"

#define STORAGE_MAX ((size_t)1 << 20)
#define SNIPPETS    "snippets"

/* Types whose volumes are files, and where they are mounted when no path is given. */
static const char *const folder_types[] = { "dir", "nfs", "cifs", "cephfs", "btrfs", "glusterfs" };

/* What a section has said so far. */
struct section {
	char *name;
	char *path;
	bool folder, snippets, disabled;
	char *subfolder; /* content-dirs: snippets=… */
};

static void section_done(struct section *section)
{
	free(section->name);
	free(section->path);
	free(section->subfolder);
	*section = (struct section){ 0 };
}

static bool list_has(const char *list, const char *word)
{
	size_t length = strlen(word);

	for (const char *at = list; *at; at += strcspn(at, ","), at += *at == ',')
		if (strcspn(at, ",") == length && strncmp(at, word, length) == 0)
			return true;
	return false;
}

static int finish(struct section *section, struct snippet_stores *stores)
{
	const char *below = section->subfolder ? section->subfolder : SNIPPETS;
	struct snippet_store store = { .snippets = section->snippets,
				       .disabled = section->disabled };

	if (!section->name || !section->folder) {
		section_done(section);
		return 0;
	}
	if (section->path)
		store.folder = text_format("%s/%s", section->path, below);
	else
		store.folder = text_format("/mnt/pve/%s/%s", section->name, below);
	store.name = TAKE_PTR(section->name);
	section_done(section);
	if (!store.folder || array_reserve(&stores->items, stores->count, sizeof(store)) < 0) {
		free(store.name);
		free(store.folder);
		return -ENOMEM;
	}
	stores->items[stores->count++] = store;
	return 0;
}

/* "dir: local" */
static int begin(const char *line, struct section *section)
{
	size_t type = strcspn(line, ":");
	const char *name = line[type] ? line + type + 1 : "";

	name += strspn(name, " \t");
	if (!*name)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(folder_types); i++)
		if (strlen(folder_types[i]) == type && strncmp(line, folder_types[i], type) == 0)
			section->folder = true;
	section->name = strndup(name, strcspn(name, " \t"));
	return section->name ? 0 : -ENOMEM;
}

static int set_subfolder(const char *value, struct section *section)
{
	const char *at = strstr(value, SNIPPETS "=");

	if (!at || (at > value && at[-1] != ','))
		return 0;
	at += strlen(SNIPPETS "=");
	free(section->subfolder);
	section->subfolder = strndup(at, strcspn(at, ","));
	return section->subfolder ? 0 : -ENOMEM;
}

static int set(char *line, const char *node, struct section *section)
{
	char *key, *value = line + strspn(line, " \t");

	key = strsep(&value, " \t");
	value = value ? value + strspn(value, " \t") : key + strlen(key);
	if (strcmp(key, "path") == 0) {
		free(section->path);
		section->path = strdup(value);
		return section->path ? 0 : -ENOMEM;
	}
	if (strcmp(key, "content") == 0)
		section->snippets = list_has(value, SNIPPETS);
	else if (strcmp(key, "disable") == 0)
		section->disabled = strcmp(value, "0") != 0;
	else if (strcmp(key, "nodes") == 0)
		section->disabled |= !list_has(value, node);
	else if (strcmp(key, "content-dirs") == 0)
		return set_subfolder(value, section);
	return 0;
}

static void cut_blanks(char *line)
{
	size_t size = strlen(line);

	while (size > 0 && strchr(" \t\r", line[size - 1]))
		line[--size] = '\0';
}

static int parse(char *rest, const char *node, struct snippet_stores *stores)
{
	struct section section = { 0 };
	char *line;
	int r = 0;

	while (r == 0 && (line = strsep(&rest, "\n"))) {
		cut_blanks(line);
		if (!*line)
			r = finish(&section, stores);
		else if (*line == ' ' || *line == '\t')
			r = set(line, node, &section);
		else if (*line != '#' && finish(&section, stores) < 0)
			r = -ENOMEM;
		else if (*line != '#')
			r = begin(line, &section);
	}
	if (r == 0)
		r = finish(&section, stores);
	section_done(&section);
	return r;
}

int snippet_stores_parse(const char *data, size_t size, const char *node,
			 struct snippet_stores *ret, struct error *err)
{
	cleanup_snippet_stores struct snippet_stores stores = { 0 };
	cleanup_free char *copy = strndup(data, size);
	struct section local = { .folder = true };

	if (!copy || parse(copy, node, &stores) < 0)
		return error_set_memory(err);
	if (!snippet_stores_find(&stores, "local")) {
		local.name = strdup("local");
		local.path = strdup("/var/lib/vz");
		if (!local.name || !local.path || finish(&local, &stores) < 0) {
			section_done(&local);
			return error_set_memory(err);
		}
	}
	*ret = TAKE_STRUCT(stores);
	return 0;
}

int snippet_stores_read(const struct sysroot *root, const char *node, struct snippet_stores *ret,
			struct error *err)
{
	cleanup_free char *data = NULL;
	size_t size = 0;
	int r = sysroot_read(root, &STORAGE_PATH[1], STORAGE_MAX, &data, &size);

	if (r < 0 && r != -ENOENT)
		return error_set(err, r, "cannot read %s: %s", STORAGE_PATH, strerror(-r));
	return snippet_stores_parse(data ? data : "", size, node, ret, err);
}

const struct snippet_store *snippet_stores_find(const struct snippet_stores *stores,
						const char *name)
{
	for (size_t i = 0; i < stores->count; i++)
		if (strcmp(stores->items[i].name, name) == 0)
			return &stores->items[i];
	return NULL;
}

char *snippet_path(const struct snippet_stores *stores, const char *volume)
{
	size_t length = strcspn(volume, ":");
	cleanup_free char *name = strndup(volume, length);
	const struct snippet_store *store = name ? snippet_stores_find(stores, name) : NULL;

	if (!store || !text_starts_with(volume + length, ":" SNIPPETS "/"))
		return NULL;
	return text_format("%s/%s", store->folder, volume + length + strlen(":" SNIPPETS "/"));
}

void snippet_stores_done(struct snippet_stores *stores)
{
	for (size_t i = 0; i < stores->count; i++) {
		free(stores->items[i].name);
		free(stores->items[i].folder);
	}
	free(stores->items);
	*stores = (struct snippet_stores){ 0 };
}
