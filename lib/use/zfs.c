/* SPDX-License-Identifier: GPL-2.0-or-later */
/* use: ZFS pools. Trusts no byte of a label, and writes none. */
#include "use/zfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* nvs_header_t, NV_ENCODE_XDR, and data_type_t in OpenZFS' sys/nvpair.h. */
#define NVLIST_HEADER_SIZE 4
#define NVLIST_XDR	   1
#define NVPAIR_TYPE_STRING 9
#define NVPAIR_ENCODED_MIN (3 * sizeof(uint32_t)) /* both sizes and an empty name */
#define XDR_UNIT	   4

/* These take from the start of what is left to read. */
static bool take_bytes(struct bytes *rest, size_t size, struct bytes *ret)
{
	if (!bytes_slice(*rest, 0, size, ret))
		return false;
	*rest = bytes_from(*rest, size);
	return true;
}

static bool take_u32(struct bytes *rest, uint32_t *ret)
{
	struct bytes bytes;

	if (!take_bytes(rest, XDR_UNIT, &bytes))
		return false;
	*ret = (uint32_t)bytes.data[0] << 24 | (uint32_t)bytes.data[1] << 16 |
	       (uint32_t)bytes.data[2] << 8 | bytes.data[3];
	return true;
}

/* A string is its length, its bytes, and zeros up to the next unit. */
static bool take_string(struct bytes *rest, struct bytes *ret)
{
	uint32_t length;
	struct bytes padding;

	return take_u32(rest, &length) && take_bytes(rest, length, ret) &&
	       take_bytes(rest, -(size_t)length % XDR_UNIT, &padding);
}

static bool is_word(struct bytes bytes, const char *word)
{
	return bytes.size == strlen(word) && bytes_has_text(bytes, 0, word);
}

/*
 * What zpool_namecheck() in OpenZFS' zfs_namecheck.c lets through. So a name is not a path and can be
 * printed, whatever the label says.
 */
static bool is_pool_name(struct bytes text)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789-_.: ";

	if (text.size == 0 || text.size >= ZFS_POOL_NAME_MAX || text.data[0] == '.')
		return false;
	for (size_t i = 0; i < text.size; i++)
		if (!memchr(allowed, text.data[i], sizeof(allowed) - 1))
			return false;
	return true;
}

/* Takes one pair; false at the end of the list and where it makes no sense. */
static bool take_pair(struct bytes *list, struct bytes *ret_name, uint32_t *ret_type,
		      struct bytes *ret_value)
{
	uint32_t encoded_size, decoded_size, count;
	struct bytes pair;

	if (!take_u32(list, &encoded_size) || encoded_size < NVPAIR_ENCODED_MIN ||
	    !take_bytes(list, encoded_size - XDR_UNIT, &pair))
		return false;
	if (!take_u32(&pair, &decoded_size) || !take_string(&pair, ret_name) ||
	    !take_u32(&pair, ret_type) || !take_u32(&pair, &count))
		return false;
	*ret_value = pair;
	return true;
}

int zfs_label_parse(struct bytes list, char ret_pool[ZFS_POOL_NAME_MAX])
{
	struct bytes header, name, value, text;
	uint32_t version, flags, type;

	if (!take_bytes(&list, NVLIST_HEADER_SIZE, &header) || header.data[0] != NVLIST_XDR ||
	    !take_u32(&list, &version) || !take_u32(&list, &flags))
		return -ENOENT;
	while (take_pair(&list, &name, &type, &value)) {
		if (type != NVPAIR_TYPE_STRING || !is_word(name, "name"))
			continue;
		if (!take_string(&value, &text) || !is_pool_name(text))
			return -ENOENT;
		memcpy(ret_pool, text.data, text.size);
		ret_pool[text.size] = '\0';
		return 0;
	}
	return -ENOENT;
}

bool zfs_is_loaded(const struct sysroot *root)
{
	return sysroot_exists(root, "sys/module/zfs");
}

static int read_label(int fd, unsigned number, char ret_pool[ZFS_POOL_NAME_MAX])
{
	cleanup_free uint8_t *data = malloc(ZFS_LABEL_NVLIST_SIZE);
	size_t start = number * ZFS_LABEL_SIZE + ZFS_LABEL_NVLIST_START;
	ssize_t size;

	if (!data)
		return -ENOMEM;
	size = pread(fd, data, ZFS_LABEL_NVLIST_SIZE, (off_t)start);
	if (size < 0)
		return -errno;
	return zfs_label_parse((struct bytes){ data, (size_t)size }, ret_pool);
}

int zfs_pool_find(const struct sysroot *root, const char *node, char ret_pool[ZFS_POOL_NAME_MAX],
		  bool *ret_imported)
{
	cleanup_close int fd = sysroot_openat(root, node, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	char path[SYSROOT_PATH_MAX];
	int r;

	if (fd < 0)
		return fd;
	r = read_label(fd, 0, ret_pool);
	if (r < 0)
		r = read_label(fd, 1, ret_pool);
	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "proc/spl/kstat/zfs/%s", ret_pool);
	*ret_imported = sysroot_exists(root, path);
	return 0;
}
