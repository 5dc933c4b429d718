/* SPDX-License-Identifier: GPL-2.0-or-later */
/* boot: the record. Changes nothing but its own folder. */
#include "boot/record.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/array.h"
#include "base/json.h"
#include "base/number.h"

#define RECORD_VERSION 1
#define RECORD_MAX     ((size_t)1024 * 1024)
#define MODE_MAX       07777

static void file_done(struct record_file *file)
{
	free(file->path);
}

void record_done(struct record *record)
{
	strings_done(&record->options);
	boot_settings_done(&record->settings);
	strings_done(&record->cmdline);
	free(record->pin_before);
	strings_done(&record->folders);
	for (size_t i = 0; i < record->file_count; i++)
		file_done(&record->files[i]);
	free(record->files);
	*record = (struct record){ 0 };
}

uint64_t record_hash(const char *text)
{
	uint64_t hash = 0xcbf29ce484222325;

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 0x100000001b3;
	return hash ? hash : 1;
}

/* ---- reading */

static int read_strings(const json_t *object, const char *key, struct strings *ret,
			struct error *err)
{
	const json_t *array, *item;
	size_t i;
	int r = json_member_array(object, key, &array, err);

	if (r < 0)
		return r;
	json_array_foreach(array, i, item) {
		if (!json_is_string(item))
			return error_set(err, -EBADMSG, "'%s' holds what is not a string", key);
		if (strings_add(ret, json_string_value(item)) < 0)
			return error_set_memory(err);
	}
	return 0;
}

static int read_file(const json_t *object, struct record *record, struct error *err)
{
	struct record_file file = { 0 };
	cleanup_free char *hash = NULL;
	uint64_t mode, uid, gid;
	int r = json_member_string(object, "path", &file.path, err);

	if (r == 0)
		r = json_member_bool(object, "existed", &file.existed, err);
	if (r == 0)
		r = json_member_u64(object, "mode", MODE_MAX, &mode, err);
	if (r == 0)
		r = json_member_u64(object, "uid", UINT32_MAX, &uid, err);
	if (r == 0)
		r = json_member_u64(object, "gid", UINT32_MAX, &gid, err);
	if (r == 0)
		r = json_member_string(object, "written", &hash, err);
	if (r == 0 && parse_number(hash, strlen(hash), 16, UINT64_MAX, &file.written) < 0)
		r = error_set(err, -EBADMSG, "'%s' is not a hash", hash);
	if (r == 0 && array_reserve(&record->files, record->file_count, sizeof(file)) < 0)
		r = error_set_memory(err);
	if (r < 0) {
		file_done(&file);
		return r;
	}
	file.owner = (struct file_owner){ (mode_t)mode, (uid_t)uid, (gid_t)gid };
	record->files[record->file_count++] = file;
	return 0;
}

static int read_members(const json_t *object, struct record *record, struct error *err)
{
	const json_t *array, *item;
	uint64_t version;
	size_t i;
	int r = json_member_u64(object, "version", UINT64_MAX, &version, err);

	if (r == 0 && version != RECORD_VERSION)
		r = error_set(err, -EBADMSG, "version %" PRIu64 " is of another pve-vfio", version);
	if (r == 0)
		r = json_member_bool(object, "pending", &record->pending, err);
	if (r == 0)
		r = read_strings(object, "options", &record->options, err);
	if (r == 0)
		r = read_strings(object, "cmdline", &record->cmdline, err);
	if (r == 0)
		r = read_strings(object, "folders", &record->folders, err);
	if (r == 0)
		r = json_member_string_or_null(object, "pin_before", &record->pin_before, err);
	if (r == 0)
		r = json_member_array(object, "settings", &array, err);
	if (r == 0)
		r = boot_settings_from_json(array, &record->settings, err);
	if (r == 0)
		r = json_member_array(object, "files", &array, err);
	if (r < 0)
		return r;
	json_array_foreach(array, i, item) {
		r = read_file(item, record, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int record_read(const struct sysroot *root, struct record *ret, struct error *err)
{
	static const char path[] = RECORD_FOLDER "/" RECORD_NAME;
	cleanup_record struct record record = { .exists = true };
	cleanup_json json_t *object = NULL;
	cleanup_free char *data = NULL;
	struct error inner = { 0 };
	size_t size;
	int r = sysroot_read(root, path, RECORD_MAX, &data, &size);

	if (r == -ENOENT || r == -ENOTDIR) {
		*ret = (struct record){ 0 };
		return 0;
	}
	if (r < 0)
		return error_set(err, r, "cannot read '/%s': %s", path, strerror(-r));
	r = json_parse_object("/" RECORD_FOLDER "/" RECORD_NAME, data, size, &object, err);
	if (r < 0)
		return r;
	r = read_members(object, &record, &inner);
	if (r < 0)
		return error_set(err, r, "'/%s' is not a record of pve-vfio setup: %s", path,
				 inner.message);
	*ret = TAKE_STRUCT(record);
	return 0;
}

/* ---- writing */

static json_t *json_strings(const struct strings *strings)
{
	json_t *array = json_array();

	for (size_t i = 0; i < strings->count; i++)
		json_array_append_new(array, json_string(strings->items[i]));
	return array;
}

static json_t *json_files(const struct record *record)
{
	json_t *array = json_array();

	for (size_t i = 0; i < record->file_count; i++) {
		const struct record_file *file = &record->files[i];
		char hash[17];

		snprintf(hash, sizeof(hash), "%016" PRIx64, file->written);
		json_array_append_new(array,
				      json_pack("{s:s, s:b, s:I, s:I, s:I, s:s}", "path",
						file->path, "existed", file->existed, "mode",
						(json_int_t)file->owner.mode, "uid",
						(json_int_t)file->owner.uid, "gid",
						(json_int_t)file->owner.gid, "written", hash));
	}
	return array;
}

static int make_one(const struct sysroot *root, const char *path, void *unused, struct error *err)
{
	const char *slash = strrchr(path, '/');
	cleanup_free char *above = slash ? strndup(path, (size_t)(slash - path)) : strdup(".");
	cleanup_close int fd = -1;

	(void)unused;
	if (!above)
		return error_set_memory(err);
	if (sysroot_exists(root, path))
		return 0;
	fd = sysroot_openat(root, above, O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		return error_set(err, fd, "cannot open '/%s': %s", above, strerror(-fd));
	if (mkdirat(fd, slash ? slash + 1 : path, 0755) < 0 && errno != EEXIST)
		return error_set(err, -errno, "cannot make the folder '/%s': %s", path,
				 strerror(errno));
	return fsync(fd) < 0
		       ? error_set(err, -errno, "cannot sync '/%s': %s", above, strerror(errno))
		       : 0;
}

static int note_one(const struct sysroot *root, const char *path, void *record, struct error *err)
{
	struct strings *folders = &((struct record *)record)->folders;
	int r;

	r = sysroot_find(root, path);
	if (r < 0)
		return error_set(err, r, "cannot open '/%s': %s", path, strerror(-r));
	if (r > 0 || strings_has(folders, path))
		return 0;
	return strings_add(folders, path) < 0 ? error_set_memory(err) : 0;
}

/* Calls `step` for every folder on the way to `path`, and for `path`. */
static int walk_folders(const struct sysroot *root, const char *path, void *context,
			int (*step)(const struct sysroot *root, const char *path, void *context,
				    struct error *err),
			struct error *err)
{
	int r = 0;

	for (const char *end = path; *end && r == 0;) {
		cleanup_free char *part = NULL;

		end += strcspn(end, "/");
		part = strndup(path, (size_t)(end - path));
		r = part ? step(root, part, context, err) : error_set_memory(err);
		end += *end == '/';
	}
	return r;
}

int record_note_folders(const struct sysroot *root, struct record *record, const char *path,
			struct error *err)
{
	return walk_folders(root, path, record, note_one, err);
}

int record_make_folder(const struct sysroot *root, const char *path, struct error *err)
{
	return walk_folders(root, path, NULL, make_one, err);
}

/* Replaces a file of the record's folder. */
static int write_own(const struct sysroot *root, const char *folder, const char *name,
		     const char *data, struct error *err)
{
	cleanup_close int fd = -1;
	int r = record_make_folder(root, folder, err);

	if (r < 0)
		return r;
	fd = sysroot_openat(root, folder, O_RDONLY | O_DIRECTORY);
	r = fd < 0 ? fd : file_replace_at(fd, name, data, strlen(data));
	if (r < 0)
		return error_set(err, r, "cannot write '/%s/%s': %s", folder, name, strerror(-r));
	return 0;
}

int record_write(const struct sysroot *root, const struct record *record, struct error *err)
{
	cleanup_json json_t *object =
		json_pack("{s:i, s:b, s:o, s:o, s:o, s:o, s:s?, s:o}", "version", RECORD_VERSION,
			  "pending", record->pending, "options", json_strings(&record->options),
			  "settings", boot_settings_to_json(&record->settings), "cmdline",
			  json_strings(&record->cmdline), "folders", json_strings(&record->folders),
			  "pin_before", record->pin_before, "files", json_files(record));
	cleanup_free char *text = object ? json_text(object, JSON_INDENT(2)) : NULL;

	if (!text)
		return error_set_memory(err);
	return write_own(root, RECORD_FOLDER, RECORD_NAME, text, err);
}

struct record_file *record_find(const struct record *record, const char *path)
{
	for (size_t i = 0; i < record->file_count; i++)
		if (strcmp(record->files[i].path, path) == 0)
			return &record->files[i];
	return NULL;
}

/* "etc!kernel!cmdline" */
static char *original_name(const char *path)
{
	char *name = strdup(path);

	for (char *c = name; c && *c; c++)
		if (*c == '/')
			*c = '!';
	return name;
}

static int keep_original(const struct sysroot *root, const struct boot_file *file,
			 struct error *err)
{
	cleanup_free char *name = original_name(file->path);

	if (!name)
		return error_set_memory(err);
	return write_own(root, RECORD_FOLDER "/" RECORD_ORIGINALS, name, file->before, err);
}

int record_note(const struct sysroot *root, struct record *record, const struct boot_file *file,
		struct error *err)
{
	struct record_file *known = record_find(record, file->path);
	int r = 0;

	if (!known) {
		if (array_reserve(&record->files, record->file_count, sizeof(*known)) < 0)
			return error_set_memory(err);
		known = &record->files[record->file_count];
		*known = (struct record_file){ .path = strdup(file->path),
					       .existed = file->before != NULL,
					       .owner = file->owner };
		if (!known->path)
			return error_set_memory(err);
		record->file_count++;
		if (known->existed)
			r = keep_original(root, file, err);
	}
	known->written = file->after ? record_hash(file->after) : 0;
	return r;
}

int record_original(const struct sysroot *root, const struct record_file *file, char **ret,
		    struct error *err)
{
	cleanup_free char *name = original_name(file->path), *path = NULL;
	size_t size;
	int r;

	if (name)
		path = text_format("%s/%s/%s", RECORD_FOLDER, RECORD_ORIGINALS, name);
	if (!path)
		return error_set_memory(err);
	r = sysroot_read(root, path, BOOT_FILE_MAX, ret, &size);
	if (r < 0)
		return error_set(err, r, "cannot read '/%s', which keeps what '/%s' was: %s", path,
				 file->path, strerror(-r));
	return 0;
}

/* Removes a file or an empty folder; one that is not there is fine. */
static int remove_at(const struct sysroot *root, const char *folder, const char *name, int flags)
{
	cleanup_close int fd = sysroot_openat(root, folder, O_RDONLY | O_DIRECTORY);

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	if (unlinkat(fd, name, flags) < 0 && errno != ENOENT)
		return -errno;
	return fsync(fd) < 0 ? -errno : 0;
}

int record_keep_original(const struct sysroot *root, const char *path, struct error *err)
{
	cleanup_close int fd = sysroot_openat(root, RECORD_FOLDER, O_RDONLY | O_DIRECTORY);
	cleanup_free char *name = original_name(path), *from = NULL, *to = NULL;

	if (name) {
		from = text_format("%s/%s", RECORD_ORIGINALS, name);
		to = text_format("%s%s", RECORD_KEPT, name);
	}
	if (!from || !to)
		return error_set_memory(err);
	if (fd < 0 || (renameat(fd, from, fd, to) < 0 && errno != ENOENT))
		return error_set(err, fd < 0 ? fd : -errno, "cannot keep '/%s/%s'", RECORD_FOLDER,
				 from);
	return 0;
}

int record_remove(const struct sysroot *root, struct error *err)
{
	static const char originals[] = RECORD_FOLDER "/" RECORD_ORIGINALS;
	cleanup_strings struct strings names = { 0 };
	/* The record first: originals without it are of no use, it without them would mislead. */
	int r = remove_at(root, RECORD_FOLDER, RECORD_NAME, 0);

	if (r == 0)
		r = sysroot_list(root, originals, &names);
	if (r == -ENOENT)
		r = 0;
	for (size_t i = 0; i < names.count && r == 0; i++)
		r = remove_at(root, originals, names.items[i], 0);
	if (r < 0)
		return error_set(err, r, "cannot remove '/%s/%s': %s", RECORD_FOLDER, RECORD_NAME,
				 strerror(-r));
	(void)remove_at(root, RECORD_FOLDER, RECORD_NAME ".tmp", 0);
	(void)remove_at(root, RECORD_FOLDER, RECORD_ORIGINALS, AT_REMOVEDIR);
	(void)remove_at(root, "var/lib", "pve-vfio", AT_REMOVEDIR);
	return 0;
}
