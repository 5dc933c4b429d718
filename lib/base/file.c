/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base: whole files. Follows no symbolic link when writing. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/text.h"

#define READ_STEP 4096

int file_read_fd(int fd, size_t max, char **ret_data, size_t *ret_size)
{
	cleanup_free char *data = NULL;
	size_t size = 0, room = 0;
	size_t whole = 0; /* 0: not known */
	struct stat status;

	/*
	 * sysfs and procfs report a size that says nothing, and more comes than that or less. A regular
	 * file's saves the growing, and the last read(2), which would have nothing.
	 */
	if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0)
		whole = (size_t)status.st_size;
	if (whole > READ_STEP && whole <= max)
		room = whole + 2;

	for (;;) {
		ssize_t got;

		if (!data || room - size < 2) {
			char *grown;

			if (data || room == 0)
				room = room ? room * 2 : READ_STEP;
			grown = realloc(data, room);
			if (!grown)
				return -ENOMEM;
			data = grown;
		}
		got = read(fd, data + size, room - size - 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		size += (size_t)got;
		if (size > max)
			return -EFBIG;
		if (got == 0 || (size == whole && size < room - 1))
			break;
	}
	data[size] = '\0';
	*ret_data = TAKE_PTR(data);
	*ret_size = size;
	return 0;
}

int file_write_fd(int fd, const void *bytes, size_t size)
{
	const char *data = bytes;

	while (size > 0) {
		ssize_t written = write(fd, data, size);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -errno;
		if (written == 0)
			return -ENOSPC;
		data += written;
		size -= (size_t)written;
	}
	return 0;
}

/* Whoever the file system says. */
#define OWNER_SAME ((uid_t)-1)

static int set_owner(int fd, const struct file_owner *owner)
{
	struct stat now;

	if (fstat(fd, &now) < 0)
		return -errno;
	if (owner->uid != OWNER_SAME && (now.st_uid != owner->uid || now.st_gid != owner->gid) &&
	    fchown(fd, owner->uid, owner->gid) < 0)
		return -errno;
	return fchmod(fd, owner->mode) < 0 ? -errno : 0;
}

static int write_temporary(int dirfd, const char *name, const char *data, size_t size,
			   const struct file_owner *owner)
{
	cleanup_close int fd = -1;
	int r;

	fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	r = file_write_fd(fd, data, size);
	if (r == 0 && owner)
		r = set_owner(fd, owner);
	if (r < 0)
		return r;
	return fsync(fd) < 0 ? -errno : 0;
}

int file_replace_owned_at(int dirfd, const char *name, const char *data, size_t size,
			  const struct file_owner *owner)
{
	cleanup_free char *temporary = text_format("%s.tmp", name);
	int r;

	if (!temporary)
		return -ENOMEM;
	r = write_temporary(dirfd, temporary, data, size, owner);
	if (r == 0 && renameat(dirfd, temporary, dirfd, name) < 0)
		r = -errno;
	if (r < 0) {
		unlinkat(dirfd, temporary, 0);
		return r;
	}
	return fsync(dirfd) < 0 ? -errno : 0;
}

int file_replace_mode_at(int dirfd, const char *name, const char *data, size_t size, mode_t mode)
{
	const struct file_owner owner = { .mode = mode, .uid = OWNER_SAME };

	return file_replace_owned_at(dirfd, name, data, size, &owner);
}

int file_replace_at(int dirfd, const char *name, const char *data, size_t size)
{
	return file_replace_owned_at(dirfd, name, data, size, NULL);
}
