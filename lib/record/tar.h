/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * record: a tar archive in memory: POSIX.1-1988 ustar headers, long names as GNU tar writes them
 * (tar(5)). Owner and time are nobody's: 0.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"

/* Started as { 0 }. Lack of memory is remembered in `failed`. */
struct tar {
	unsigned char *data;
	size_t size, room;
	bool failed;
};

/* Paths have no slash at their ends. */
void tar_add_file(struct tar *tar, const char *path, unsigned mode, const void *data, size_t size);
void tar_add_link(struct tar *tar, const char *path, const char *target);
void tar_add_folder(struct tar *tar, const char *path, unsigned mode);

/* The two empty blocks at the end. */
void tar_finish(struct tar *tar);
void tar_done(struct tar *tar);
#define cleanup_tar cleanup(tar_done)
