/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base: the names in a directory. Opens nothing. */
#include "base/directory.h"

#include <errno.h>
#include <string.h>

void directory_begin(struct directory *directory, int fd)
{
	directory->fd = fd;
	directory->at = directory->size = 0;
}

int directory_next(struct directory *directory, const char **ret_name, unsigned char *ret_type)
{
	for (;;) {
		const struct dirent64 *entry;

		if (directory->at == directory->size) {
			ssize_t size = getdents64(directory->fd, directory->entries,
						  sizeof(directory->entries));

			if (size <= 0)
				return size < 0 ? -errno : 0;
			directory->at = 0;
			directory->size = (size_t)size;
		}
		entry = (const void *)(directory->entries + directory->at);
		directory->at += entry->d_reclen;
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		*ret_name = entry->d_name;
		if (ret_type)
			*ret_type = entry->d_type;
		return 1;
	}
}

int directory_list(int fd, struct strings *names)
{
	struct directory directory;
	const char *name;
	int r;

	directory_begin(&directory, fd);
	while ((r = directory_next(&directory, &name, NULL)) > 0)
		if (strings_add(names, name) < 0)
			return -ENOMEM;
	if (r == 0)
		strings_sort(names);
	return r;
}
