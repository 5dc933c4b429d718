/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pve: the storages of Proxmox VE. Reads only. */
#include "pve/storage.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "base/json.h"
#include "pve/pve.h"

/* The types whose plugin has a folder for each kind of content (Plugin.pm, vtype_subdirs). */
static const char *const file_types[] = { "dir", "btrfs", "nfs", "cifs", "cephfs", "glusterfs" };

/* Whether a comma-separated list has the word. */
static bool list_has(const char *list, const char *word)
{
	size_t size = strlen(word);

	for (;;) {
		if (strncmp(list, word, size) == 0 && (list[size] == ',' || list[size] == '\0'))
			return true;
		list = strchr(list, ',');
		if (!list)
			return false;
		list++;
	}
}

/* pvesh writes booleans as 0 and 1; a later one may write them as JSON does. */
static bool is_true(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	return json_is_true(value) || json_integer_value(value) != 0;
}

static bool is_file_type(const char *type)
{
	return TABLE_FIND(file_types, type) >= 0;
}

static int add_storage(const json_t *object, struct storages *storages, struct error *err)
{
	cleanup_free char *name = NULL, *content = NULL, *type = NULL;
	struct storage *new;
	int r = json_member_string(object, "storage", &name, err);

	if (r == 0)
		r = json_member_string(object, "type", &type, err);
	if (r == 0)
		r = json_member_string(object, "content", &content, err);
	if (r < 0)
		return r;
	if (array_reserve(&storages->items, storages->count, sizeof(*new)) < 0)
		return error_set_memory(err);
	new = &storages->items[storages->count++];
	*new = (struct storage){
		.snippets = list_has(content, "snippets"),
		.files = is_file_type(type),
		.shared = is_true(object, "shared"),
		.active = is_true(object, "active") && is_true(object, "enabled"),
	};
	new->name = TAKE_PTR(name);
	new->content = TAKE_PTR(content);
	return 0;
}

static int add_all(const json_t *list, struct storages *ret, struct error *err)
{
	cleanup_storages struct storages storages = { 0 };
	int r = json_is_array(list) ? 0
				    : error_set(err, -EBADMSG,
						"pvesh answers with no list of "
						"storages");

	for (size_t i = 0; r == 0 && i < json_array_size(list); i++)
		r = add_storage(json_array_get(list, i), &storages, err);
	if (r < 0)
		return r;
	*ret = TAKE_STRUCT(storages);
	return 0;
}

int storages_parse(const char *data, size_t size, struct storages *ret, struct error *err)
{
	cleanup_json json_t *list = json_loadb(data, size, JSON_REJECT_DUPLICATES, NULL);

	return add_all(list, ret, err);
}

int storages_query(const char *node, struct storages *ret, struct error *err)
{
	cleanup_free char *path = text_format("/nodes/%s/storage", node);
	cleanup_strings struct strings words = { 0 };
	cleanup_json json_t *list = NULL;
	int r;

	if (!path || pve_words(&words, "pvesh", "get", path) < 0)
		return error_set_memory(err);
	r = pve_query(&words, &list, err);
	return r < 0 ? r : add_all(list, ret, err);
}

const struct storage *storages_find(const struct storages *storages, const char *name)
{
	for (size_t i = 0; i < storages->count; i++)
		if (strcmp(storages->items[i].name, name) == 0)
			return &storages->items[i];
	return NULL;
}

void storages_done(struct storages *storages)
{
	for (size_t i = 0; i < storages->count; i++) {
		free(storages->items[i].name);
		free(storages->items[i].content);
	}
	free(storages->items);
	*storages = (struct storages){ 0 };
}

int volume_path(const char *volume, char **ret, struct error *err)
{
	cleanup_strings struct strings words = { 0 };
	cleanup_free char *output = NULL;
	char *line;
	int r;

	if (pve_words(&words, "pvesm", "path", volume) < 0)
		return error_set_memory(err);
	r = pve_run(&words, &output, err);
	if (r < 0)
		return r;
	/* What perl warns of comes first. */
	line = strrchr(output, '\n');
	line = line ? line + 1 : output;
	if (*line != '/')
		return error_set(err, -EBADMSG, "'pvesm path %s' answers with no path: %.200s",
				 volume, output);
	*ret = strdup(line);
	return *ret ? 0 : error_set_memory(err);
}

int volume_is_on_node(const char *node, const char *storage, const char *volume, struct error *err)
{
	cleanup_free char *path = text_format("/nodes/%s/storage/%s/content", node, storage);
	cleanup_strings struct strings words = { 0 };
	cleanup_json json_t *list = NULL;
	int r;

	if (!path || pve_words(&words, "pvesh", "get", path, "--content", "snippets") < 0)
		return error_set_memory(err);
	r = pve_query(&words, &list, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *id = json_object_get(json_array_get(list, i), "volid");

		if (text_equal(json_string_value(id), volume))
			return 1;
	}
	return 0;
}

int cluster_nodes(struct strings *ret, struct error *err)
{
	cleanup_strings struct strings words = { 0 }, nodes = { 0 };
	cleanup_json json_t *list = NULL;
	int r;

	if (pve_words(&words, "pvesh", "get", "/nodes") < 0)
		return error_set_memory(err);
	r = pve_query(&words, &list, err);
	for (size_t i = 0; r == 0 && i < json_array_size(list); i++) {
		const char *name =
			json_string_value(json_object_get(json_array_get(list, i), "node"));

		if (!name)
			r = error_set(err, -EBADMSG, "pvesh tells of a node without a name");
		else if (strings_add(&nodes, name) < 0)
			r = error_set_memory(err);
	}
	if (r < 0)
		return r;
	strings_sort(&nodes);
	*ret = TAKE_STRUCT(nodes);
	return 0;
}
