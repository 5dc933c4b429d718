/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * base: whole files relative to a directory descriptor.
 * This room holds no domain word.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

/*
 * Reads everything from `fd`, up to `max` bytes, into memory the caller frees. A NUL byte is put
 * behind the data and not counted. Returns 0, -EFBIG where there is more than `max`, or -errno.
 * Blocks as long as read(2) does.
 */
int file_read_fd(int fd, size_t max, char **ret_data, size_t *ret_size);

/* Writes all of it, in as many pieces as write(2) takes. 0 or -errno. */
int file_write_fd(int fd, const void *bytes, size_t size);

/*
 * Replaces the file `name` (no slash) in the directory `dirfd` by `data` so that a reader, or a
 * power loss, sees the old content or the new, never a part: temporary file `NAME.tmp`
 * (mode 0600, never through a symbolic link), fsync, rename, fsync of the directory. On failure
 * the old file is kept and the temporary is gone. Returns 0 or -errno.
 */
int file_replace_at(int dirfd, const char *name, const char *data, size_t size);

/* The same with these permissions, which the file has from the moment it is there. */
int file_replace_mode_at(int dirfd, const char *name, const char *data, size_t size, mode_t mode);

/* What a file is beside its content. */
struct file_owner {
	mode_t mode; /* permission bits */
	uid_t uid;
	gid_t gid;
};

/* The same with an owner and permissions, which the file has from the moment it is there. */
int file_replace_owned_at(int dirfd, const char *name, const char *data, size_t size,
			  const struct file_owner *owner);
