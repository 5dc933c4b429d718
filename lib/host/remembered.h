/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host: files and folders that were read of a tree while it is only looked at, so that a look at many
 * functions, or from many sides, reads each once. It works for the sysroot_read(), sysroot_read_attribute()
 * and sysroot_list() of a sysroot whose `remembered` it is, and knows of no change: whoever waits for one,
 * or looks after a change, has none.
 */
#pragma once

#include "host/sysroot.h"

struct remembered_file {
	char *path;
	uint32_t hash;
	int result; /* 0, or -ENOENT */
	char *data; /* with a NUL byte after it; of a folder its names, each with one */
	size_t size;
};

/* Started as { 0 }. */
struct remembered {
	struct remembered_file *files;
	size_t count;
	uint32_t *slots; /* of a hash table: numbers of files, from 1 */
	size_t slot_count;
};

/* What is known of the file, or of a folder, whose path ends with '/'; or NULL. `remembered` may be NULL. */
const struct remembered_file *remembered_find(const struct remembered *remembered,
					      const char *path);

/* Keeps a copy of what reading it came to, if it is worth it; without memory it does not. */
void remembered_add(struct remembered *remembered, const char *path, int result, const char *data,
		    size_t size);

void remembered_done(struct remembered *remembered);
#define cleanup_remembered cleanup(remembered_done)
