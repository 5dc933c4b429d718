/* SPDX-License-Identifier: GPL-2.0-or-later */
/* use: what hangs on a PCI function. Opens no device. */
#include "use/child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/directory.h"

#define NODE_LINE "DEVNAME="

bool child_is_below(const char *path, const char *parent)
{
	size_t length = strlen(parent);

	for (const char *at = strstr(path, parent); at; at = strstr(at + 1, parent))
		if (at > path && at[-1] == '/' && at[length] == '/')
			return true;
	return false;
}

/*
 * The links in a folder, and the path each leads to, in any order: "name\0target\0name\0target\0". Of
 * hundreds one or two are asked for.
 */
struct child_folder {
	char *path;
	struct text links;
};

static void folder_done(struct child_folder *folder)
{
	free(folder->path);
	text_done(&folder->links);
}

void child_memory_done(struct child_memory *memory)
{
	for (size_t i = 0; i < memory->count; i++)
		folder_done(&memory->folders[i]);
	free(memory->folders);
	*memory = (struct child_memory){ 0 };
}

static int read_folder(const struct sysroot *root, const char *path, struct child_folder *folder)
{
	cleanup_close int fd = sysroot_openat(root, path, O_RDONLY | O_DIRECTORY);
	struct directory directory;
	char target[PATH_MAX];
	const char *name;
	int r = 0;

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	directory_begin(&directory, fd);
	while ((r = directory_next(&directory, &name, NULL)) > 0) {
		ssize_t size = readlinkat(fd, name, target, sizeof(target) - 1);

		/* Gone meanwhile, or no link: /sys/class/net holds the file bonding_masters. */
		if (size < 0)
			continue;
		target[size] = '\0';
		text_append(&folder->links, name, strlen(name) + 1);
		text_append(&folder->links, target, (size_t)size + 1);
	}
	return r < 0 ? r : folder->links.failed ? -ENOMEM : 0;
}

/* What is looked for: links that lead below `parent`, unless that is NULL, with names that begin so. */
struct wish {
	const char *parent, *start;
};

static int add_below(const struct child_folder *folder, struct wish wish, struct strings *names)
{
	const char *at = folder->links.data, *end = at + folder->links.size;
	size_t first = names->count;
	int r = 0;

	while (at < end && r == 0) {
		const char *target = at + strlen(at) + 1;

		if ((!*wish.start || text_starts_with(at, wish.start)) &&
		    (!wish.parent || child_is_below(target, wish.parent)))
			r = strings_add(names, at);
		at = target + strlen(target) + 1;
	}
	strings_sort_from(names, first);
	return r;
}

static const struct child_folder *find_folder(const struct child_memory *memory, const char *path)
{
	for (size_t i = 0; memory && i < memory->count; i++)
		if (strcmp(memory->folders[i].path, path) == 0)
			return &memory->folders[i];
	return NULL;
}

/* Only what was read whole is kept; true when the memory owns it. */
static bool keep_folder(struct child_memory *memory, const char *path, struct child_folder *folder)
{
	if (!memory || array_reserve(&memory->folders, memory->count, sizeof(*folder)) < 0)
		return false;
	folder->path = strdup(path);
	if (!folder->path)
		return false;
	memory->folders[memory->count++] = *folder;
	return true;
}

static int list_links(const struct sysroot *root, const char *folder, struct wish wish,
		      struct strings *names)
{
	const struct child_folder *known = find_folder(root->children, folder);
	struct child_folder read = { 0 };
	int r;

	if (known)
		return add_below(known, wish, names);
	r = read_folder(root, folder, &read);
	if (r == 0)
		r = add_below(&read, wish, names);
	if (r < 0 || !keep_folder(root->children, folder, &read))
		folder_done(&read);
	return r;
}

int child_list(const struct sysroot *root, const char *folder, const char *parent,
	       struct strings *names)
{
	return list_links(root, folder, (struct wish){ parent, "" }, names);
}

int child_names(const struct sysroot *root, const char *folder, const char *start,
		struct strings *names)
{
	return list_links(root, folder, (struct wish){ NULL, start }, names);
}

bool child_is_behind_usb(const struct sysroot *root, const char *link)
{
	cleanup_close int fd = sysroot_openat(root, link, O_PATH | O_NOFOLLOW);
	char target[PATH_MAX];
	/* An empty path is the link itself that the descriptor refers to: readlinkat(2). */
	ssize_t size = fd < 0 ? -1 : readlinkat(fd, "", target, sizeof(target) - 1);

	if (size < 0)
		return false;
	target[size] = '\0';
	return strstr(target, "/usb") != NULL;
}

int child_node(const struct sysroot *root, const char *path, char **ret_node)
{
	cleanup_free char *uevent = NULL;
	char file[SYSROOT_PATH_MAX];
	char *rest, *line;
	int r;

	sysroot_path(file, path, "uevent", "");
	r = sysroot_read_attribute(root, file, &uevent);
	if (r < 0)
		return r;
	rest = uevent;
	while ((line = strsep(&rest, "\n"))) {
		if (!text_starts_with(line, NODE_LINE))
			continue;
		*ret_node = text_format("dev/%s", line + strlen(NODE_LINE));
		return *ret_node ? 0 : -ENOMEM;
	}
	return -ENOENT;
}
