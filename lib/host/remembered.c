/* SPDX-License-Identifier: GPL-2.0-or-later */
/* host: files that were read. Reads none. */
#include "host/remembered.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"

/* A power of two. */
#define SLOTS_FIRST 256

/* FNV-1a */
static uint32_t hash_of(const char *path)
{
	uint32_t hash = 2166136261u;

	for (; *path; path++)
		hash = (hash ^ (unsigned char)*path) * 16777619u;
	return hash;
}

/* Where it is, or where it would come: of a table that is never full. */
static size_t find_slot(const struct remembered *remembered, const char *path, uint32_t hash)
{
	size_t mask = remembered->slot_count - 1, at = hash & mask;

	for (; remembered->slots[at]; at = (at + 1) & mask) {
		const struct remembered_file *file = &remembered->files[remembered->slots[at] - 1];

		if (file->hash == hash && strcmp(file->path, path) == 0)
			break;
	}
	return at;
}

const struct remembered_file *remembered_find(const struct remembered *remembered, const char *path)
{
	uint32_t number = 0;

	if (remembered && remembered->count > 0)
		number = remembered->slots[find_slot(remembered, path, hash_of(path))];
	return number > 0 ? &remembered->files[number - 1] : NULL;
}

/* At most half full, so that a few steps find all. */
static bool grow(struct remembered *remembered)
{
	struct remembered grown = *remembered;

	if (2 * (remembered->count + 1) <= remembered->slot_count)
		return true;
	grown.slot_count = remembered->slot_count ? 2 * remembered->slot_count : SLOTS_FIRST;
	grown.slots = calloc(grown.slot_count, sizeof(*grown.slots));
	if (!grown.slots)
		return false;
	for (size_t i = 0; i < remembered->count; i++)
		grown.slots[find_slot(&grown, remembered->files[i].path,
				      remembered->files[i].hash)] = (uint32_t)i + 1;
	free(remembered->slots);
	*remembered = grown;
	return true;
}

void remembered_add(struct remembered *remembered, const char *path, int result, const char *data,
		    size_t size)
{
	struct remembered_file file = { .hash = 0, .result = result, .size = size };

	if (!remembered || (result < 0 && result != -ENOENT) || !grow(remembered) ||
	    array_reserve(&remembered->files, remembered->count, sizeof(file)) < 0)
		return;
	file.hash = hash_of(path);
	file.path = strdup(path);
	file.data = malloc(size + 1);
	if (!file.path || !file.data) {
		free(file.path);
		free(file.data);
		return;
	}
	if (size > 0)
		memcpy(file.data, data, size);
	file.data[size] = '\0';
	remembered->files[remembered->count++] = file;
	remembered->slots[find_slot(remembered, path, file.hash)] = (uint32_t)remembered->count;
}

void remembered_done(struct remembered *remembered)
{
	for (size_t i = 0; i < remembered->count; i++) {
		free(remembered->files[i].path);
		free(remembered->files[i].data);
	}
	free(remembered->files);
	free(remembered->slots);
	*remembered = (struct remembered){ 0 };
}
