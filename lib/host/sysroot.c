/* SPDX-License-Identifier: GPL-2.0-or-later */
/* host: the tree that is worked on. Opens nothing outside it. */
#include "host/sysroot.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/directory.h"
#include "base/file.h"
#include "base/number.h"
#include "host/remembered.h"

/* As many links as the kernel follows in one path: path_resolution(7). */
#define LINKS_MAX 40

int sysroot_open(const char *path, struct sysroot *ret, struct error *err)
{
	struct sysroot root = { .fd = -1 };
	struct stat own, machine;

	root.fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root.fd < 0)
		return error_set(err, -errno, "cannot open the tree '%s': %s", path,
				 strerror(errno));
	root.path = strdup(path);
	if (!root.path) {
		sysroot_done(&root);
		return error_set_memory(err);
	}
	root.live = fstat(root.fd, &own) == 0 && stat("/", &machine) == 0 &&
		    own.st_dev == machine.st_dev && own.st_ino == machine.st_ino;
	*ret = root;
	return 0;
}

void sysroot_done(struct sysroot *root)
{
	close_and_reset(&root->fd);
	free(root->path);
	*root = (struct sysroot){ .fd = -1 };
}

/* Behind the NUL is no more room. */
static char *append(char *at, const char *end, const char *piece)
{
	size_t size = strnlen(piece, (size_t)(end - at));

	at = mempcpy(at, piece, size);
	*at = '\0';
	return at;
}

void sysroot_path(char path[SYSROOT_PATH_MAX], const char *folder, const char *name,
		  const char *attribute)
{
	const char *end = path + SYSROOT_PATH_MAX - 1;
	char *at = append(append(append(path, end, folder), end, "/"), end, name);

	if (*attribute)
		(void)append(append(at, end, "/"), end, attribute);
}

/* The whole path of what is open, as the kernel has it; "" where it cannot be determined. */
static void name_descriptor(int fd, char name[PATH_MAX])
{
	char link[64];
	ssize_t size;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	size = readlink(link, name, PATH_MAX - 1);
	name[size < 0 ? 0 : size] = '\0';
}

/* `name` is a silent one, or below one. */
static bool is_silent(const struct sysroot *root, const char *name)
{
	for (size_t i = 0; i < root->silent->count; i++) {
		const char *silent = root->silent->items[i];
		size_t size = strlen(silent);

		if (strncmp(name, silent, size) == 0 && (name[size] == '\0' || name[size] == '/'))
			return true;
	}
	return false;
}

/* Before it is opened, by the words of the path. */
static bool is_silent_at(const struct sysroot *root, int folder, const char *path)
{
	char above[PATH_MAX], name[2 * PATH_MAX];

	name_descriptor(folder, above);
	snprintf(name, sizeof(name), "%s/%s", strcmp(above, "/") == 0 ? "" : above, path);
	return is_silent(root, name);
}

/* And after it, by where the links in it have led. */
static int drop_silent(const struct sysroot *root, int fd)
{
	char name[PATH_MAX];

	if (fd < 0)
		return fd;
	name_descriptor(fd, name);
	if (!is_silent(root, name))
		return fd;
	close(fd);
	return -ETIMEDOUT;
}

int sysroot_openat_in(const struct sysroot *root, int folder, const char *name, int flags)
{
	int fd;

	if (root->silent && is_silent_at(root, folder, name))
		return -ETIMEDOUT;
	fd = openat(folder, name, flags | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	return root->silent ? drop_silent(root, fd) : fd;
}

int sysroot_openat(const struct sysroot *root, const char *path, int flags)
{
	int fd = root->fake_open ? root->fake_open(root, path) : 0;

	if (fd < 0)
		return fd;
	if (root->silent && is_silent_at(root, root->fd, path))
		return -ETIMEDOUT;
	flags |= O_CLOEXEC;
	if (root->live) {
		fd = openat(root->fd, path, flags);
	} else {
		struct open_how how = {
			.flags = (unsigned)flags,
			.resolve = RESOLVE_IN_ROOT,
		};

		/* EAGAIN: something was renamed meanwhile, and ".." may have led out: openat2(2). */
		do
			fd = (int)syscall(SYS_openat2, root->fd, path, &how, sizeof(how));
		while (fd < 0 && errno == EAGAIN);
	}
	if (fd < 0)
		return -errno;
	return root->silent ? drop_silent(root, fd) : fd;
}

/* A path alone (O_PATH) opens nothing. */
int sysroot_open_file(const struct sysroot *root, const char *path)
{
	cleanup_close int place = sysroot_openat(root, path, O_PATH), fd = -1;
	struct stat before, after;

	if (place < 0)
		return place;
	if (fstat(place, &before) < 0)
		return -errno;
	if (!S_ISREG(before.st_mode))
		return -EINVAL;
	fd = sysroot_openat(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return fd;
	if (fstat(fd, &after) < 0)
		return -errno;
	return S_ISREG(after.st_mode) ? TAKE_FD(fd) : -EINVAL;
}

/* The machine's own paths: one system call finds what they lead to. */
static bool is_plain(const struct sysroot *root)
{
	return root->live && !root->silent && !root->fake_open;
}

int sysroot_find(const struct sysroot *root, const char *path)
{
	cleanup_close int fd = -1;
	int r = 0;

	if (is_plain(root)) {
		r = faccessat(root->fd, path, F_OK, 0) < 0 ? -errno : 0;
	} else {
		fd = sysroot_openat(root, path, O_PATH);
		r = fd < 0 ? fd : 0;
	}
	if (r == 0)
		return 1;
	return r == -ENOENT || r == -ENOTDIR ? 0 : r;
}

bool sysroot_exists(const struct sysroot *root, const char *path)
{
	return sysroot_find(root, path) > 0;
}

static int read_whole(const struct sysroot *root, const char *path, size_t max, char **ret_data,
		      size_t *ret_size)
{
	cleanup_close int fd = sysroot_openat(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);

	return fd < 0 ? fd : file_read_fd(fd, max, ret_data, ret_size);
}

int sysroot_read(const struct sysroot *root, const char *path, size_t max, char **ret_data,
		 size_t *ret_size)
{
	const struct remembered_file *known = remembered_find(root->remembered, path);
	int r;

	if (!known) {
		r = read_whole(root, path, max, ret_data, ret_size);
		remembered_add(root->remembered, path, r, r == 0 ? *ret_data : NULL,
			       r == 0 ? *ret_size : 0);
		return r;
	}
	if (known->result < 0 || known->size > max)
		return known->result < 0 ? known->result : -EFBIG;
	*ret_data = malloc(known->size + 1);
	if (!*ret_data)
		return -ENOMEM;
	memcpy(*ret_data, known->data, known->size + 1);
	*ret_size = known->size;
	return 0;
}

int sysroot_read_file(const struct sysroot *root, const char *path, size_t max, char **ret_data,
		      size_t *ret_size)
{
	cleanup_close int fd = sysroot_open_file(root, path);

	return fd < 0 ? fd : file_read_fd(fd, max, ret_data, ret_size);
}

/* sysfs gives all that there is in one read(2): "Reading/Writing Attribute Data" in sysfs.rst. */
static int read_attribute(int fd, bool in_sysfs, char value[ATTRIBUTE_MAX + 1], size_t *ret_size)
{
	size_t size = 0;
	ssize_t got;

	do {
		got = read(fd, value + size, ATTRIBUTE_MAX + 1 - size);
		if (got < 0 && errno != EINTR)
			return -errno;
		size += got > 0 ? (size_t)got : 0;
		if (size > ATTRIBUTE_MAX)
			return -EFBIG;
	} while (got < 0 || (got > 0 && !in_sysfs));
	*ret_size = size;
	return 0;
}

/* Without its newline. */
static int copy_value(const char *value, size_t size, char **ret_value)
{
	if (size > 0 && value[size - 1] == '\n')
		size--;
	if (memchr(value, '\0', size))
		return -EBADMSG;
	*ret_value = strndup(value, size);
	return *ret_value ? 0 : -ENOMEM;
}

int sysroot_read_attribute(const struct sysroot *root, const char *path, char **ret_value)
{
	const struct remembered_file *known = remembered_find(root->remembered, path);
	char value[ATTRIBUTE_MAX + 1];
	cleanup_close int fd = -1;
	size_t size = 0;
	int r;

	if (known && known->size > ATTRIBUTE_MAX)
		return -EFBIG;
	if (known)
		return known->result < 0 ? known->result
					 : copy_value(known->data, known->size, ret_value);
	fd = sysroot_openat(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	r = fd < 0 ? fd : read_attribute(fd, text_starts_with(path, "sys/"), value, &size);
	remembered_add(root->remembered, path, r, value, size);
	return r < 0 ? r : copy_value(value, size, ret_value);
}

int sysroot_read_attribute_in(const struct sysroot *root, int folder, const char *name,
			      char **ret_value)
{
	cleanup_close int fd = sysroot_openat_in(root, folder, name, O_RDONLY);
	char value[ATTRIBUTE_MAX + 1];
	size_t size;
	int r = fd < 0 ? fd : read_attribute(fd, true, value, &size);

	return r < 0 ? r : copy_value(value, size, ret_value);
}

int sysroot_read_hex(const struct sysroot *root, const char *path, unsigned *ret)
{
	cleanup_free char *value = NULL;
	int r = sysroot_read_attribute(root, path, &value);

	if (r < 0)
		return r;
	return parse_hex_u32(value, ret);
}

int sysroot_write_attribute(const struct sysroot *root, const char *path, const char *value)
{
	cleanup_close int fd = -1;
	ssize_t written;

	if (root->fake_write)
		return root->fake_write(root, path, value);
	fd = sysroot_openat(root, path, O_WRONLY);
	if (fd < 0)
		return fd;
	written = write(fd, value, strlen(value));
	if (written < 0)
		return -errno;
	return (size_t)written == strlen(value) ? 0 : -EIO;
}

int sysroot_link_name(const struct sysroot *root, const char *path, char **ret_name)
{
	char target[SYSROOT_PATH_MAX];
	cleanup_close int fd = -1;
	const char *name;
	ssize_t size;

	if (is_plain(root)) {
		size = readlinkat(root->fd, path, target, sizeof(target));
	} else {
		/* O_PATH | O_NOFOLLOW opens the link itself; readlinkat(2) of "" reads it. */
		fd = sysroot_openat(root, path, O_PATH | O_NOFOLLOW);
		if (fd < 0)
			return fd;
		size = readlinkat(fd, "", target, sizeof(target));
	}
	if (size < 0)
		return -errno;
	if ((size_t)size >= sizeof(target))
		return -ENAMETOOLONG;
	target[size] = '\0';
	name = strrchr(target, '/');
	*ret_name = strdup(name ? name + 1 : target);
	return *ret_name ? 0 : -ENOMEM;
}

/* The path of a descriptor, as the kernel has it. */
static int path_of(int fd, char path[PATH_MAX])
{
	char link[32];
	ssize_t size;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	size = readlink(link, path, PATH_MAX - 1);
	if (size < 0)
		return -errno;
	path[size] = '\0';
	return 0;
}

/* "/a/./b/../c" becomes "/a/c". */
static void squeeze(char *path)
{
	char *to = path, *rest = path, *part;

	while ((part = strsep(&rest, "/"))) {
		size_t size = strlen(part);

		if (size == 0 || strcmp(part, ".") == 0)
			continue;
		if (strcmp(part, "..") == 0) {
			while (to > path && *--to != '/')
				continue;
			continue;
		}
		*to++ = '/';
		memmove(to, part, size);
		to += size;
	}
	*to = '\0';
}

/* Follows the links at the end of a path that leads nowhere. */
static int resolve_dangling(const struct sysroot *root, const char *path, char **ret_path)
{
	char now[PATH_MAX], target[PATH_MAX];
	int links = 0;

	if (snprintf(now, sizeof(now), "/%s", path) >= (int)sizeof(now))
		return -ENAMETOOLONG;
	for (squeeze(now); *now; squeeze(now)) {
		cleanup_close int fd = sysroot_openat(root, now + 1, O_PATH | O_NOFOLLOW);
		ssize_t size = fd < 0 ? -1 : readlinkat(fd, "", target, sizeof(target) - 1);
		size_t folder = (size_t)(strrchr(now, '/') - now) + 1;

		if (size <= 0)
			break;
		if (++links > LINKS_MAX)
			return -ELOOP;
		target[size] = '\0';
		if (*target == '/')
			folder = 0;
		if (folder + (size_t)size >= sizeof(now))
			return -ENAMETOOLONG;
		memcpy(now + folder, target, (size_t)size + 1);
	}
	*ret_path = strdup(now);
	return *ret_path ? 0 : -ENOMEM;
}

int sysroot_resolve(const struct sysroot *root, const char *path, char **ret_path)
{
	cleanup_close int fd = sysroot_openat(root, path, O_PATH);
	char full[PATH_MAX], top[PATH_MAX];
	size_t length = 0;
	int r;

	if (fd == -ENOENT)
		return resolve_dangling(root, path, ret_path);
	if (fd < 0)
		return fd;
	r = path_of(fd, full);
	if (r == 0 && !root->live) {
		r = path_of(root->fd, top);
		length = r == 0 ? strlen(top) : 0;
	}
	if (r < 0)
		return r;
	if (strncmp(full, top, length) != 0)
		return -EXDEV;
	*ret_path = strdup(full[length] ? full + length : "/");
	return *ret_path ? 0 : -ENOMEM;
}

/* The names with their NUL bytes, in one piece. */
static void remember_list(struct remembered *remembered, const char *key, int r,
			  const struct strings *names)
{
	cleanup_free char *data = NULL;
	size_t size = 0, at = 0;

	for (size_t i = 0; i < names->count; i++)
		size += strlen(names->items[i]) + 1;
	data = malloc(size + 1);
	if (!data)
		return;
	for (size_t i = 0; i < names->count; i++)
		at += (size_t)(stpcpy(data + at, names->items[i]) - (data + at)) + 1;
	remembered_add(remembered, key, r, data, size);
}

static int list_remembered(const struct sysroot *root, const char *path, struct strings *names)
{
	const struct remembered_file *known;
	char key[SYSROOT_PATH_MAX + 1];
	cleanup_close int fd = -1;
	int r;

	if (snprintf(key, sizeof(key), "%s/", path) >= (int)sizeof(key))
		return -ENAMETOOLONG;
	known = remembered_find(root->remembered, key);
	r = known ? known->result : 0;
	for (size_t at = 0; known && r == 0 && at < known->size; at += strlen(known->data + at) + 1)
		r = strings_add(names, known->data + at);
	if (known)
		return r;
	fd = sysroot_openat(root, path, O_RDONLY | O_DIRECTORY);
	r = fd < 0 ? fd : directory_list(fd, names);
	remember_list(root->remembered, key, r, names);
	return r;
}

int sysroot_list(const struct sysroot *root, const char *path, struct strings *names)
{
	cleanup_close int fd = -1;

	/* What is added to other names is sorted with them. */
	if (root->remembered && names->count == 0)
		return list_remembered(root, path, names);
	fd = sysroot_openat(root, path, O_RDONLY | O_DIRECTORY);
	return fd < 0 ? fd : directory_list(fd, names);
}
