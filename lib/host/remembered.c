/* SPDX-License-Identifier: GPL-2.0-or-later */
/* host: files that were read. Reads none. */
#include "host/remembered.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"

/* FNV-1a */
static uint32_t hash_of(const char *path)
{
	uint32_t hash = 2166136261u;

	for (; *path; path++)
		hash = (hash ^ (unsigned char)*path) * 16777619u;
	return hash;
}

const struct remembered_file *remembered_find(const struct remembered *remembered, const char *path)
{
	uint32_t hash = remembered ? hash_of(path) : 0;

	for (size_t i = 0; remembered && i < remembered->count; i++)
		if (remembered->files[i].hash == hash &&
		    strcmp(remembered->files[i].path, path) == 0)
			return &remembered->files[i];
	return NULL;
}

void remembered_add(struct remembered *remembered, const char *path, int result, const char *data,
		    size_t size)
{
	struct remembered_file file = { .hash = 0, .result = result, .size = size };

	if (!remembered || (result < 0 && result != -ENOENT) ||
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
}

void remembered_done(struct remembered *remembered)
{
	for (size_t i = 0; i < remembered->count; i++) {
		free(remembered->files[i].path);
		free(remembered->files[i].data);
	}
	free(remembered->files);
	*remembered = (struct remembered){ 0 };
}
