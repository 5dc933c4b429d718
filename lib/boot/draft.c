/* SPDX-License-Identifier: GPL-2.0-or-later */
/* boot: drafts. Reads files; writes none. */
#include "boot/draft.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/array.h"

static void free_file(struct boot_file *file)
{
	if (!file)
		return;
	free(file->path);
	free(file->before);
	free(file->after);
	free(file);
}

static void free_file_pointer(struct boot_file **file)
{
	free_file(*file);
}

void boot_draft_done(struct boot_draft *draft)
{
	for (size_t i = 0; i < draft->count; i++)
		free_file(draft->items[i]);
	free(draft->items);
	*draft = (struct boot_draft){ 0 };
}

static struct boot_file *find(const struct boot_draft *draft, const char *path)
{
	for (size_t i = 0; i < draft->count; i++)
		if (strcmp(draft->items[i]->path, path) == 0)
			return draft->items[i];
	return NULL;
}

static int read_content(const struct sysroot *root, struct boot_file *file, struct error *err)
{
	size_t size;
	int r = sysroot_read(root, file->path, BOOT_FILE_MAX, &file->before, &size);

	if (r == -ENOENT || r == -ENOTDIR)
		return 0;
	if (r < 0)
		return error_set(err, r, "cannot read '/%s': %s", file->path, strerror(-r));
	if (strlen(file->before) != size)
		return error_set(err, -EBADMSG, "'/%s' is not text: it has a NUL byte", file->path);
	file->after = strdup(file->before);
	return file->after ? 0 : error_set_memory(err);
}

static int read_owner(const struct sysroot *root, struct boot_file *file, struct error *err)
{
	cleanup_close int fd = sysroot_openat(root, file->path, O_PATH | O_NOFOLLOW);
	struct stat status;

	if (fd < 0 || fstat(fd, &status) < 0)
		return fd == -ENOENT || fd == -ENOTDIR
			       ? 0
			       : error_set(err, fd < 0 ? fd : -errno, "cannot look at '/%s'",
					   file->path);
	file->owner = (struct file_owner){ status.st_mode & 07777, status.st_uid, status.st_gid };
	file->link = S_ISLNK(status.st_mode);
	return 0;
}

int boot_draft_open(struct boot_draft *draft, const struct sysroot *root, const char *path,
		    struct boot_file **ret, struct error *err)
{
	cleanup(free_file_pointer) struct boot_file *file = NULL;
	int r;

	*ret = find(draft, path);
	if (*ret)
		return 0;
	file = calloc(1, sizeof(*file));
	if (!file || array_reserve(&draft->items, draft->count, sizeof(struct boot_file *)) < 0)
		return error_set_memory(err);
	file->path = strdup(path);
	if (!file->path)
		return error_set_memory(err);
	r = read_content(root, file, err);
	if (r == 0)
		r = read_owner(root, file, err);
	if (r < 0)
		return r;
	*ret = draft->items[draft->count++] = TAKE_PTR(file);
	return 0;
}

int boot_draft_set(struct boot_draft *draft, const struct sysroot *root, const char *path,
		   const char *content, mode_t mode, struct error *err)
{
	cleanup_free char *copy = content ? strdup(content) : NULL;
	struct boot_file *file;
	int r = boot_draft_open(draft, root, path, &file, err);

	if (r < 0)
		return r;
	if (content && !copy)
		return error_set_memory(err);
	free(file->after);
	file->after = TAKE_PTR(copy);
	if (!file->before)
		file->owner.mode = mode;
	return 0;
}

bool boot_file_changes(const struct boot_file *file)
{
	return !text_equal(file->before, file->after);
}

bool boot_draft_changes(const struct boot_draft *draft)
{
	for (size_t i = 0; i < draft->count; i++)
		if (boot_file_changes(draft->items[i]))
			return true;
	return false;
}

int boot_draft_look_again(const struct boot_draft *draft, const struct sysroot *root,
			  struct error *err)
{
	cleanup_boot_draft struct boot_draft now = { 0 };

	for (size_t i = 0; i < draft->count; i++) {
		const struct boot_file *file = draft->items[i];
		struct boot_file *again;
		int r = boot_draft_open(&now, root, file->path, &again, err);

		if (r < 0)
			return r;
		if (!text_equal(again->before, file->before))
			return error_set(err, -ESTALE, "/%s has been edited meanwhile", file->path);
	}
	return 0;
}

int boot_draft_check(const struct boot_draft *draft, struct error *err)
{
	for (size_t i = 0; i < draft->count; i++)
		if (draft->items[i]->link && boot_file_changes(draft->items[i]))
			return error_set(
				err, -ELOOP,
				"'/%s' is a symbolic link, which is not edited: change what "
				"it points to by hand, or make it a file",
				draft->items[i]->path);
	return 0;
}

bool boot_file_cut(struct boot_file *file, size_t offset, size_t size)
{
	size_t length = file->after ? strlen(file->after) : 0;

	if (offset > length || size > length - offset)
		return false;
	memmove(file->after + offset, file->after + offset + size, length - offset - size + 1);
	return true;
}

static bool is_in(const char *path, const char *folder, const char *suffix)
{
	size_t size = strlen(folder), length = strlen(path), tail = strlen(suffix);
	const char *name = path + size + 1;

	return length > size + 1 + tail && memcmp(path, folder, size) == 0 && path[size] == '/' &&
	       *name != '.' && !strchr(name, '/') && strcmp(path + length - tail, suffix) == 0;
}

int boot_draft_list(const struct boot_draft *draft, const struct sysroot *root, const char *folder,
		    const char *suffix, struct strings *paths, struct error *err)
{
	cleanup_strings struct strings names = { 0 };
	int r = sysroot_list(root, folder, &names);

	if (r < 0 && r != -ENOENT && r != -ENOTDIR)
		return error_set(err, r, "cannot list '/%s': %s", folder, strerror(-r));
	for (size_t i = 0; i < names.count; i++) {
		cleanup_free char *path = text_format("%s/%s", folder, names.items[i]);
		const struct boot_file *file = path ? find(draft, path) : NULL;

		if (!path || (is_in(path, folder, suffix) && !(file && !file->after) &&
			      strings_add(paths, path) < 0))
			return error_set_memory(err);
	}
	for (size_t i = 0; i < draft->count; i++) {
		const char *path = draft->items[i]->path;

		if (is_in(path, folder, suffix) && draft->items[i]->after &&
		    !strings_has(paths, path) && strings_add(paths, path) < 0)
			return error_set_memory(err);
	}
	strings_sort(paths);
	return 0;
}
