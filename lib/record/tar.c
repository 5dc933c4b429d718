/* SPDX-License-Identifier: GPL-2.0-or-later */
/* record: tar archives. Writes to no stream. */
#include "record/tar.h"

#include <stdio.h>
#include <string.h>

#define BLOCK	    512
#define NAME_SIZE   100
#define LINK_OFFSET 157
#define TYPE_OFFSET 156
#define SUM_OFFSET  148
#define SUM_SIZE    8

/* What GNU tar puts in front of an entry whose name or target is too long for its header. */
#define LONG_NAME   'L'
#define LONG_TARGET 'K'

static void add(struct tar *tar, const void *data, size_t size)
{
	size_t whole = (size + BLOCK - 1) / BLOCK * BLOCK;

	if (tar->failed)
		return;
	if (tar->room - tar->size < whole) {
		size_t room = (tar->size + whole) * 2;
		unsigned char *grown = realloc(tar->data, room);

		if (!grown) {
			tar->failed = true;
			return;
		}
		tar->data = grown;
		tar->room = room;
	}
	if (size > 0)
		memcpy(tar->data + tar->size, data, size);
	memset(tar->data + tar->size + size, 0, whole - size);
	tar->size += whole;
}

static void put_octal(unsigned char *field, size_t width, size_t value)
{
	char digits[32];

	snprintf(digits, sizeof(digits), "%0*zo", (int)width - 1, value);
	memcpy(field, digits, width - 1);
}

static void add_header(struct tar *tar, char type, const char *path, unsigned mode, size_t size,
		       const char *target)
{
	unsigned char header[BLOCK] = { 0 };
	unsigned sum = 0;
	size_t length;

	length = strlen(path);
	memcpy(header, path, length < NAME_SIZE ? length : NAME_SIZE);
	put_octal(header + 100, 8, mode);
	put_octal(header + 108, 8, 0);
	put_octal(header + 116, 8, 0);
	put_octal(header + 124, 12, size);
	put_octal(header + 136, 12, 0);
	header[TYPE_OFFSET] = (unsigned char)type;
	length = strlen(target);
	memcpy(header + LINK_OFFSET, target, length < NAME_SIZE ? length : NAME_SIZE);
	memcpy(header + 257, "ustar  ", 8);
	memset(header + SUM_OFFSET, ' ', SUM_SIZE);
	for (size_t i = 0; i < sizeof(header); i++)
		sum += header[i];
	put_octal(header + SUM_OFFSET, SUM_SIZE - 1, sum);
	header[SUM_OFFSET + 6] = '\0';
	add(tar, header, sizeof(header));
}

static void add_entry(struct tar *tar, char type, const char *path, unsigned mode, size_t size,
		      const char *target)
{
	if (strlen(target) > NAME_SIZE) {
		add_header(tar, LONG_TARGET, "././@LongLink", 0, strlen(target) + 1, "");
		add(tar, target, strlen(target) + 1);
	}
	if (strlen(path) > NAME_SIZE) {
		add_header(tar, LONG_NAME, "././@LongLink", 0, strlen(path) + 1, "");
		add(tar, path, strlen(path) + 1);
	}
	add_header(tar, type, path, mode, size, target);
}

void tar_add_file(struct tar *tar, const char *path, unsigned mode, const void *data, size_t size)
{
	add_entry(tar, '0', path, mode, size, "");
	add(tar, data, size);
}

void tar_add_link(struct tar *tar, const char *path, const char *target)
{
	add_entry(tar, '2', path, 0777, 0, target);
}

void tar_add_folder(struct tar *tar, const char *path, unsigned mode)
{
	add_entry(tar, '5', path, mode, 0, "");
}

void tar_finish(struct tar *tar)
{
	static const unsigned char empty[BLOCK * 2];

	add(tar, empty, sizeof(empty));
}

void tar_done(struct tar *tar)
{
	free(tar->data);
	*tar = (struct tar){ 0 };
}
