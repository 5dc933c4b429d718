/* SPDX-License-Identifier: GPL-2.0-or-later */
/* use: what hangs on a PCI function. Opens no device. */
#include "use/child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#define NODE_LINE "DEVNAME="

bool child_is_below(const char *path, const char *parent)
{
	size_t length = strlen(parent);

	for (const char *at = strstr(path, parent); at; at = strstr(at + 1, parent))
		if (at > path && at[-1] == '/' && at[length] == '/')
			return true;
	return false;
}

int child_list(const struct sysroot *root, const char *folder, const char *parent,
	       struct strings *names)
{
	cleanup_strings struct strings links = { 0 };
	cleanup_close int fd = sysroot_openat(root, folder, O_PATH | O_DIRECTORY);
	int r;

	if (fd == -ENOENT)
		return 0;
	if (fd < 0)
		return fd;
	r = sysroot_list(root, folder, &links);
	for (size_t i = 0; r == 0 && i < links.count; i++) {
		char target[PATH_MAX];
		ssize_t size = readlinkat(fd, links.items[i], target, sizeof(target) - 1);

		/* Gone meanwhile, or no link: /sys/class/net holds the file bonding_masters. */
		if (size < 0)
			continue;
		target[size] = '\0';
		if (child_is_below(target, parent))
			r = strings_add(names, links.items[i]);
	}
	return r;
}

bool child_is_behind_usb(const struct sysroot *root, const char *link)
{
	cleanup_close int fd = sysroot_openat(root, link, O_PATH | O_NOFOLLOW);
	char target[PATH_MAX];
	/* An empty path is the link itself that the descriptor stands for: readlinkat(2). */
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

	snprintf(file, sizeof(file), "%s/uevent", path);
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
