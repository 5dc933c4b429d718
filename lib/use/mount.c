/* SPDX-License-Identifier: GPL-2.0-or-later */
/* use: the mounted file systems. Looks into none of them. */
#include "use/mount.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"

/* A node that runs hundreds of containers has some thousand lines. */
#define MOUNTINFO_MAX ((size_t)8 * 1024 * 1024)

/* Blank, tab, newline and backslash are written as a backslash and three octal digits. */
static void unescape(char *text)
{
	char *to = text;

	for (const char *from = text; *from; from++) {
		if (from[0] == '\\' && from[1] >= '0' && from[1] <= '3' && from[2] >= '0' &&
		    from[2] <= '7' && from[3] >= '0' && from[3] <= '7') {
			*to++ = (char)((from[1] - '0') << 6 | (from[2] - '0') << 3 |
				       (from[3] - '0'));
			from += 3;
		} else {
			*to++ = *from;
		}
	}
	*to = '\0';
}

static int add_mount(struct mounts *mounts, const char *number, char *point, char *source)
{
	struct mount *mount;

	if (array_reserve(&mounts->items, mounts->count, sizeof(*mount)) < 0)
		return -ENOMEM;
	unescape(point);
	unescape(source);
	mount = &mounts->items[mounts->count++];
	*mount = (struct mount){ strdup(number), strdup(point), strdup(source) };
	return mount->number && mount->point && mount->source ? 0 : -ENOMEM;
}

/*
 * 36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue
 * A line that is not like this, the last of a file that was cut, tells of no mount.
 */
static int parse_line(char *line, struct mounts *mounts)
{
	char *fields[5], *rest = line, *source;

	for (size_t i = 0; i < 5; i++) {
		fields[i] = strsep(&rest, " ");
		if (!rest)
			return 0;
	}
	source = strstr(rest, " - ");
	if (!source)
		return 0;
	source += strlen(" - ");
	strsep(&source, " ");
	if (!source)
		return 0;
	return add_mount(mounts, fields[2], fields[4], strsep(&source, " "));
}

int mounts_read(const struct sysroot *root, struct mounts *ret, struct error *err)
{
	cleanup_mounts struct mounts mounts = { 0 };
	cleanup_free char *data = NULL;
	char *rest, *line;
	size_t size;
	int r;

	r = sysroot_read(root, "proc/1/mountinfo", MOUNTINFO_MAX, &data, &size);
	if (r < 0)
		return error_set(err, r, "cannot read the mounts in /proc/1/mountinfo: %s",
				 strerror(-r));
	rest = data;
	while (r == 0 && (line = strsep(&rest, "\n")))
		r = parse_line(line, &mounts);
	if (r < 0)
		return error_set_memory(err);
	*ret = TAKE_STRUCT(mounts);
	return 0;
}

const struct mount *mount_find(const struct mounts *mounts, const char *number, const char *node)
{
	for (size_t i = 0; i < mounts->count; i++)
		if (strcmp(mounts->items[i].number, number) == 0 ||
		    strcmp(mounts->items[i].source, node) == 0)
			return &mounts->items[i];
	return NULL;
}

bool mount_runs_host(const struct mount *mount)
{
	static const char *const places[] = { "/", "/boot", "/boot/efi", "/usr", "/var" };

	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (strcmp(mount->point, places[i]) == 0)
			return true;
	return false;
}

void mounts_done(struct mounts *mounts)
{
	for (size_t i = 0; i < mounts->count; i++) {
		free(mounts->items[i].number);
		free(mounts->items[i].point);
		free(mounts->items[i].source);
	}
	free(mounts->items);
	*mounts = (struct mounts){ 0 };
}
