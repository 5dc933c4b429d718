/* SPDX-License-Identifier: GPL-2.0-or-later */
/* use: the drivers of the virtual terminals. Draws nothing. */
#include "use/console.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define FOLDER "sys/class/vtconsole"

int console_is_bound(const struct sysroot *root, const char *name, bool *ret)
{
	cleanup_free char *bind = NULL;
	char path[SYSROOT_PATH_MAX];
	int r;

	snprintf(path, sizeof(path), FOLDER "/%s/bind", name);
	r = sysroot_read_attribute(root, path, &bind);
	if (r < 0)
		return r;
	*ret = strcmp(bind, "1") == 0;
	return 0;
}

static bool is_kind(const struct sysroot *root, const char *entry, enum console_kind kind)
{
	static const char *const words[] = {
		[CONSOLE_FRAMEBUFFER] = "frame buffer device",
		[CONSOLE_VGA] = "VGA+",
	};
	cleanup_free char *name = NULL;
	char path[SYSROOT_PATH_MAX];

	snprintf(path, sizeof(path), FOLDER "/%s/name", entry);
	return sysroot_read_attribute(root, path, &name) == 0 && strstr(name, words[kind]);
}

int console_find(const struct sysroot *root, enum console_kind kind, char **ret_name,
		 struct error *err)
{
	cleanup_strings struct strings entries = { 0 };
	char *found = NULL;
	int r;

	r = sysroot_list(root, FOLDER, &entries);
	if (r < 0 && r != -ENOENT)
		return error_set(err, r, "cannot list /%s: %s", FOLDER, strerror(-r));
	for (size_t i = 0; i < entries.count && !found; i++) {
		bool bound;

		if (!is_kind(root, entries.items[i], kind) ||
		    console_is_bound(root, entries.items[i], &bound) < 0 || !bound)
			continue;
		found = strdup(entries.items[i]);
		if (!found)
			return error_set_memory(err);
	}
	*ret_name = found;
	return 0;
}

int console_bind(const struct sysroot *root, const char *name, bool bind, struct error *err)
{
	char path[SYSROOT_PATH_MAX];
	bool bound = false;
	int r;

	snprintf(path, sizeof(path), FOLDER "/%s/bind", name);
	r = sysroot_write_attribute(root, path, bind ? "1" : "0");
	if (r == 0)
		r = console_is_bound(root, name, &bound);
	if (r < 0)
		return error_set(err, r, "cannot %s the text console: %s",
				 bind ? "take up" : "release", strerror(-r));
	if (bound != bind)
		return error_set(err, -EBUSY, "the text console does not %s",
				 bind ? "take it up" : "let go of it");
	return 0;
}
