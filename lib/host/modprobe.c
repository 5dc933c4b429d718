/* SPDX-License-Identifier: GPL-2.0-or-later */
/* host: modprobe.d. Runs nothing of it. */
#include "host/modprobe.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"

#define MODPROBE_FILE_MAX ((size_t)1 << 20)

static const char *const keywords[] = {
	[MODPROBE_BLACKLIST] = "blacklist",
	[MODPROBE_INSTALL] = "install",
	[MODPROBE_OPTIONS] = "options",
	[MODPROBE_SOFTDEP] = "softdep",
};

static void underline(char *module)
{
	for (char *c = module; *c; c++)
		if (*c == '-')
			*c = '_';
}

static int add_line(const char *file, char *line, struct modprobe *modprobe)
{
	static const char blanks[] = " \t";
	struct modprobe_line parsed = { 0 };
	char *keyword, *module, *rest = line + strspn(line, blanks);
	size_t kind = 0;

	keyword = strsep(&rest, blanks);
	while (kind < sizeof(keywords) / sizeof(*keywords) && strcmp(keyword, keywords[kind]) != 0)
		kind++;
	if (kind == sizeof(keywords) / sizeof(*keywords) || !rest)
		return 0;
	rest += strspn(rest, blanks);
	module = strsep(&rest, blanks);
	if (!*module)
		return 0;
	parsed.kind = (enum modprobe_kind)kind;
	parsed.file = strdup(file);
	parsed.module = strdup(module);
	parsed.rest = strdup(rest ? rest + strspn(rest, blanks) : "");
	if (!parsed.file || !parsed.module || !parsed.rest ||
	    array_reserve(&modprobe->items, modprobe->count, sizeof(parsed)) < 0) {
		free(parsed.file);
		free(parsed.module);
		free(parsed.rest);
		return -ENOMEM;
	}
	underline(parsed.module);
	modprobe->items[modprobe->count++] = parsed;
	return 0;
}

int modprobe_parse(const char *file, const char *data, size_t size, struct modprobe *modprobe)
{
	cleanup_free char *copy = strndup(data, size);
	char *rest = copy, *line;
	int r = 0;

	if (!copy)
		return -ENOMEM;
	/* A backslash at the end continues a line. */
	for (char *c = copy; *c; c++)
		if (c[0] == '\\' && c[1] == '\n')
			c[0] = c[1] = ' ';
	while (r == 0 && (line = strsep(&rest, "\n")))
		r = add_line(file, line, modprobe);
	return r;
}

static int read_folder(const struct sysroot *root, const char *folder, struct strings *seen,
		       struct modprobe *modprobe)
{
	cleanup_strings struct strings names = { 0 };
	int r = sysroot_list(root, folder, &names);

	if (r < 0)
		return r == -ENOMEM ? r : 0;
	for (size_t i = 0; i < names.count && r == 0; i++) {
		const char *end = strrchr(names.items[i], '.');
		cleanup_free char *path = NULL, *data = NULL;
		size_t size;

		if (!end || strcmp(end, ".conf") != 0 || strings_has(seen, names.items[i]))
			continue;
		path = text_format("/%s/%s", folder, names.items[i]);
		if (!path || strings_add(seen, names.items[i]) < 0)
			return -ENOMEM;
		if (sysroot_read(root, path + 1, MODPROBE_FILE_MAX, &data, &size) == 0)
			r = modprobe_parse(path, data, size, modprobe);
	}
	return r;
}

int modprobe_read(const struct sysroot *root, struct modprobe *ret)
{
	static const char *const folders[] = { "etc/modprobe.d", "run/modprobe.d",
					       "usr/lib/modprobe.d", "lib/modprobe.d" };
	cleanup_strings struct strings seen = { 0 };
	cleanup_modprobe struct modprobe modprobe = { 0 };

	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++)
		if (read_folder(root, folders[i], &seen, &modprobe) < 0)
			return -ENOMEM;
	*ret = modprobe;
	modprobe = (struct modprobe){ 0 };
	return 0;
}

const struct modprobe_line *modprobe_find(const struct modprobe *modprobe, enum modprobe_kind kind,
					  const char *module)
{
	cleanup_free char *wanted = strdup(module);

	if (!wanted)
		return NULL;
	underline(wanted);
	for (size_t i = 0; i < modprobe->count; i++)
		if (modprobe->items[i].kind == kind &&
		    strcmp(modprobe->items[i].module, wanted) == 0)
			return &modprobe->items[i];
	return NULL;
}

void modprobe_done(struct modprobe *modprobe)
{
	for (size_t i = 0; i < modprobe->count; i++) {
		free(modprobe->items[i].file);
		free(modprobe->items[i].module);
		free(modprobe->items[i].rest);
	}
	free(modprobe->items);
	*modprobe = (struct modprobe){ 0 };
}
