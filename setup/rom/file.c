/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup: the files pve-vfio rom reads and writes. Leaves no file that is written in part. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "setup/rom/rom.h"

/* As other ROMs in /usr/share/kvm: nothing in them is secret. */
#define FILE_MODE 0644

/* So much of a file that is too large is looked at, to say what it is. */
#define LARGE_START ((size_t)1 << 20)

/* A flash image is often that large. */
static int refuse_large(int fd, const struct rom_file *file, struct error *err)
{
	cleanup_free uint8_t *start = malloc(LARGE_START);
	cleanup_free char *what = NULL;
	ssize_t size = start && fd >= 0 ? pread(fd, start, LARGE_START, 0) : -1;

	if (size > 0) {
		const struct bytes bytes = { start, (size_t)size };

		what = rom_kind_describe(rom_kind_find_large(bytes), bytes, file->name, NULL);
	}
	return error_set(err, -EFBIG, "'%s' is larger than %zu MiB: that is not an option ROM%s%s",
			 file->name, ROM_SIZE_MAX >> 20, what ? ". " : "", what ? what : "");
}

int rom_file_read(const char *path, struct rom_file *ret, struct error *err)
{
	bool standard = strcmp(path, "-") == 0;
	struct rom_file file = { .name = standard ? "standard input" : path };
	cleanup_close int fd = -1;
	struct stat status;
	int r;

	if (!standard) {
		/* Opening a device node can move, reset or block the device; a pipe is fine. */
		if (stat(path, &status) == 0 &&
		    (S_ISCHR(status.st_mode) || S_ISBLK(status.st_mode)))
			return error_set(err, -EINVAL, "'%s' is a device node, not an option ROM",
					 path);
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
		if (fd < 0)
			return error_set(err, -errno, "cannot open '%s': %s", path,
					 strerror(errno));
	}
	r = file_read_fd(standard ? STDIN_FILENO : fd, ROM_SIZE_MAX, &file.data, &file.size);
	if (r == -EFBIG)
		return refuse_large(fd, &file, err);
	if (r < 0)
		return error_set(err, r, "cannot read '%s': %s", file.name, strerror(-r));
	*ret = file;
	return 0;
}

void rom_file_done(struct rom_file *file)
{
	free(file->data);
	*file = (struct rom_file){ 0 };
}

struct bytes rom_file_bytes(const struct rom_file *file)
{
	return (struct bytes){ (const uint8_t *)file->data, file->size };
}

/* As it is: the stream of what is printed would clean it. */
static int write_standard_output(struct bytes data, struct error *err)
{
	int r = file_write_fd(STDOUT_FILENO, data.data, data.size);

	return r < 0 ? error_set(err, r, "cannot write to standard output: %s", strerror(-r)) : 0;
}

int rom_file_write(const char *path, struct bytes data, struct error *err)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	cleanup_free char *folder = NULL;
	cleanup_close int fd = -1;
	int r;

	if (strcmp(path, "-") == 0)
		return write_standard_output(data, err);
	folder = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
	if (!folder)
		return error_set_memory(err);
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return error_set(err, -errno, "cannot open the folder of '%s': %s", path,
				 strerror(errno));
	r = *name ? file_replace_mode_at(fd, name, (const char *)data.data, data.size, FILE_MODE)
		  : -EISDIR;
	if (r < 0)
		return error_set(err, r, "cannot write '%s': %s", path, strerror(-r));
	return 0;
}

bool rom_file_is_same(const char *a, const char *b)
{
	struct stat of_a, of_b;

	return stat(a, &of_a) == 0 && stat(b, &of_b) == 0 && of_a.st_dev == of_b.st_dev &&
	       of_a.st_ino == of_b.st_ino;
}
