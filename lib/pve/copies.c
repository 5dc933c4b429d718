/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pve: copies of the hookscript. Touches no file that is not ours. */
#include "pve/copies.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

/* The program is about 1 MB. */
#define HOOK_MAX ((size_t)64 << 20)

bool hook_version_find(const char *data, size_t size, char ret[VERSION_MAX])
{
	const char *end = data + size;
	const char *at = memmem(data, size, VERSION_MARK, strlen(VERSION_MARK));
	size_t length = 0;

	if (!at)
		return false;
	at += strlen(VERSION_MARK);
	while (at + length < end && length < VERSION_MAX - 1 &&
	       (at[length] > ' ' && at[length] < 0x7f))
		length++;
	memcpy(ret, at, length);
	ret[length] = '\0';
	return length > 0;
}

/* What a file of that name is, whose content is not the installed one's. */
static enum hook_copy_state judge(const char *data, size_t size, const char *installed,
				  size_t installed_size, char ret_version[VERSION_MAX])
{
	char now[VERSION_MAX] = "";

	if (size < 4 || memcmp(data, "\177ELF", 4) != 0 ||
	    !memmem(data, size, HOOK_NAME, strlen(HOOK_NAME)))
		return HOOK_COPY_FOREIGN;
	if (!hook_version_find(data, size, ret_version))
		return HOOK_COPY_OLDER;
	(void)hook_version_find(installed, installed_size, now);
	return strverscmp(ret_version, now) > 0 ? HOOK_COPY_NEWER : HOOK_COPY_OLDER;
}

static int read_installed(const struct sysroot *root, char **ret, size_t *ret_size,
			  struct error *err)
{
	int r = sysroot_read(root, &HOOK_PATH[1], HOOK_MAX, ret, ret_size);

	return r < 0 ? error_set(err, r, "cannot read %s: %s", HOOK_PATH, strerror(-r)) : 0;
}

/* The descriptor of the folder a copy lies in, or -errno. */
static int open_folder(const struct sysroot *root, const char *path)
{
	cleanup_free char *folder = strdup(path + 1);

	if (!folder)
		return -ENOMEM;
	*strrchr(folder, '/') = '\0';
	return sysroot_openat(root, folder, O_RDONLY | O_DIRECTORY);
}

static int look_at_file(const struct sysroot *root, struct hook_copy *copy, struct error *err)
{
	cleanup_free char *installed = NULL, *data = NULL;
	size_t installed_size, size;
	int r = read_installed(root, &installed, &installed_size, err);

	if (r < 0)
		return r;
	r = sysroot_read(root, copy->path + 1, HOOK_MAX, &data, &size);
	if (r < 0)
		return error_set(err, r, "cannot read %s: %s", copy->path, strerror(-r));
	if (size == installed_size && memcmp(data, installed, size) == 0)
		copy->state = HOOK_COPY_SAME;
	else
		copy->state = judge(data, size, installed, installed_size, copy->version);
	return 0;
}

int hook_copy_look(const struct sysroot *root, const struct snippet_store *store,
		   struct hook_copy *ret, struct error *err)
{
	cleanup_hook_copy struct hook_copy copy = {
		.path = text_format("%s/" HOOK_NAME, store->folder),
	};
	char target[sizeof(HOOK_PATH) + 1] = "";
	cleanup_close int folder = -1;
	struct stat status;
	int r = 0;

	if (!copy.path)
		return error_set_memory(err);
	folder = open_folder(root, copy.path);
	if (folder < 0 && folder != -ENOENT)
		return error_set(err, folder, "cannot open %s: %s", store->folder,
				 strerror(-folder));
	if (folder < 0 || fstatat(folder, HOOK_NAME, &status, AT_SYMLINK_NOFOLLOW) < 0)
		copy.state = HOOK_COPY_ABSENT;
	else if (S_ISREG(status.st_mode))
		r = look_at_file(root, &copy, err);
	else if (readlinkat(folder, HOOK_NAME, target, sizeof(target) - 1) > 0 &&
		 strcmp(target, HOOK_PATH) == 0)
		copy.state = HOOK_COPY_LINK;
	else
		copy.state = HOOK_COPY_FOREIGN;
	if (r < 0)
		return r;
	*ret = copy;
	copy.path = NULL;
	return 0;
}

int hook_copy_renew(const struct sysroot *root, const struct hook_copy *copy, struct error *err)
{
	cleanup_free char *data = NULL;
	cleanup_close int folder = -1;
	size_t size;
	int r = read_installed(root, &data, &size, err);

	if (r < 0)
		return r;
	folder = open_folder(root, copy->path);
	/* At no moment there is one that cannot be run: a VM may be starting. */
	r = folder < 0 ? folder : file_replace_mode_at(folder, HOOK_NAME, data, size, 0755);
	return r < 0 ? error_set(err, r, "cannot write %s: %s", copy->path, strerror(-r)) : 0;
}

void hook_copy_done(struct hook_copy *copy)
{
	free(copy->path);
	*copy = (struct hook_copy){ 0 };
}
