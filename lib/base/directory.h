/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * base: the names in a directory, read by getdents64(2) alone: a directory stream asks three things
 * more of each directory.
 * This room holds no domain word.
 */
#pragma once

#include <dirent.h>
#include <sys/types.h>

#include "base/text.h"

#define DIRECTORY_ROOM 32768

/* Between directory_begin() and the end. The descriptor stays the caller's. */
struct directory {
	int fd;
	size_t at, size;
	_Alignas(struct dirent64) char entries[DIRECTORY_ROOM];
};

/* `fd`: opened for reading, at its beginning. */
void directory_begin(struct directory *directory, int fd);

/*
 * The next name but "." and "..", and its type as in readdir(3), DT_UNKNOWN where the file system does
 * not say; `ret_type` may be NULL. 1, or 0 at the end, or -errno. The name is good until the next call.
 */
int directory_next(struct directory *directory, const char **ret_name, unsigned char *ret_type);

/* Adds all names to `names`, which are sorted then. 0 or -errno. */
int directory_list(int fd, struct strings *names);
