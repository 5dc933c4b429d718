/* SPDX-License-Identifier: GPL-2.0-or-later */
/* record: files, lines and links on their way into an archive. */
#include "record/recorder.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#define FILE_MAX ((size_t)4 << 20)

void recorder_done(struct recorder *recorder)
{
	tar_done(&recorder->tar);
	strings_done(&recorder->folders);
}

/* The archive names each folder ahead of what is in it, with a mode for its owner alone to change. */
static void add_folders(struct recorder *recorder, const char *path)
{
	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		cleanup_free char *folder = strndup(path, (size_t)(slash - path));

		if (!folder)
			recorder->tar.failed = true;
		else if (*folder)
			recorder_folder(recorder, folder, 0755);
	}
}

static char *clean(struct recorder *recorder, const char *text)
{
	char *cleaned = anonymise(recorder->anonymiser, text);

	if (!cleaned)
		recorder->tar.failed = true;
	return cleaned;
}

void recorder_folder(struct recorder *recorder, const char *path, unsigned mode)
{
	cleanup_free char *cleaned = clean(recorder, path);

	if (!cleaned || strings_has(&recorder->folders, cleaned))
		return;
	if (strings_add(&recorder->folders, cleaned) < 0)
		recorder->tar.failed = true;
	add_folders(recorder, cleaned);
	tar_add_folder(&recorder->tar, cleaned, mode);
}

void recorder_bytes(struct recorder *recorder, const char *path, const void *data, size_t size,
		    unsigned mode)
{
	cleanup_free char *cleaned = clean(recorder, path);

	if (!cleaned)
		return;
	add_folders(recorder, cleaned);
	tar_add_file(&recorder->tar, cleaned, mode, data, size);
}

void recorder_text(struct recorder *recorder, const char *path, const char *text)
{
	cleanup_free char *cleaned = clean(recorder, text);

	if (cleaned)
		recorder_bytes(recorder, path, cleaned, strlen(cleaned), 0644);
}

void recorder_file(struct recorder *recorder, const char *path)
{
	cleanup_free char *data = NULL;
	size_t size;

	if (sysroot_read(recorder->root, path, FILE_MAX, &data, &size) == 0)
		recorder_text(recorder, path, data);
}

void recorder_lines(struct recorder *recorder, const char *path, recorder_keep *keep)
{
	cleanup_free char *data = NULL;
	cleanup_text struct text kept = { 0 };
	char *rest, *line;
	size_t size;

	if (sysroot_read(recorder->root, path, FILE_MAX * 8, &data, &size) < 0)
		return;
	rest = data;
	while ((line = strsep(&rest, "\n")))
		if ((*line || rest) && keep(line))
			text_add(&kept, "%s\n", line);
	recorder_text(recorder, path, kept.data ? kept.data : "");
	recorder->tar.failed |= kept.failed;
}

void recorder_presence(struct recorder *recorder, const char *path)
{
	if (sysroot_exists(recorder->root, path))
		recorder_bytes(recorder, path, "", 0, 0644);
}

void recorder_link(struct recorder *recorder, const char *path, char **ret_real)
{
	cleanup_close int fd = sysroot_openat(recorder->root, path, O_PATH | O_NOFOLLOW);
	cleanup_free char *cleaned = NULL, *name = clean(recorder, path);
	char target[PATH_MAX];
	const char *real = target;
	ssize_t size;

	if (ret_real)
		*ret_real = NULL;
	size = fd < 0 || !name ? -1 : readlinkat(fd, "", target, sizeof(target) - 1);
	if (size < 0)
		return;
	target[size] = '\0';
	cleaned = clean(recorder, target);
	if (!cleaned)
		return;
	add_folders(recorder, name);
	tar_add_link(&recorder->tar, name, cleaned);
	while (text_starts_with(real, "../"))
		real += 3;
	if (ret_real)
		*ret_real = text_format("sys/%s", real);
}

void recorder_files(struct recorder *recorder, const char *folder, recorder_keep *keep)
{
	cleanup_strings struct strings names = { 0 };

	if (sysroot_list(recorder->root, folder, &names) < 0)
		return;
	recorder_folder(recorder, folder, 0755);
	for (size_t i = 0; i < names.count; i++) {
		cleanup_free char *path = text_format("%s/%s", folder, names.items[i]);

		if (!path)
			recorder->tar.failed = true;
		else if (keep)
			recorder_lines(recorder, path, keep);
		else
			recorder_file(recorder, path);
	}
}

void recorder_links(struct recorder *recorder, const char *folder)
{
	cleanup_strings struct strings names = { 0 };

	if (sysroot_list(recorder->root, folder, &names) < 0)
		return;
	recorder_folder(recorder, folder, 0755);
	for (size_t i = 0; i < names.count; i++) {
		cleanup_free char *path = text_format("%s/%s", folder, names.items[i]);

		if (path)
			recorder_link(recorder, path, NULL);
	}
}
