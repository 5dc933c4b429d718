/* SPDX-License-Identifier: GPL-2.0-or-later */
/* use: holders of VFIO groups. Signals nobody. */
#include "use/vfio.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/number.h"

#define NODE_PREFIX "/dev/vfio/"

static int add_holder(const struct sysroot *root, pid_t pid, int group,
		      struct vfio_holders *holders)
{
	struct vfio_holder *holder;
	cleanup_free char *command = NULL;
	char path[SYSROOT_PATH_MAX];

	for (size_t i = 0; i < holders->count; i++)
		if (holders->items[i].pid == pid && holders->items[i].group == group)
			return 0;
	if (array_reserve(&holders->items, holders->count, sizeof(*holder)) < 0)
		return -ENOMEM;
	holder = &holders->items[holders->count++];
	*holder = (struct vfio_holder){ .pid = pid, .group = group };
	snprintf(path, sizeof(path), "proc/%d/comm", (int)pid);
	if (sysroot_read_attribute(root, path, &command) == 0)
		snprintf(holder->command, sizeof(holder->command), "%s", command);
	return 0;
}

/* Adds what one process holds. Its descriptors are links such as "/dev/vfio/14". */
static int look_at_process(const struct sysroot *root, pid_t pid, struct vfio_holders *holders)
{
	cleanup_strings struct strings names = { 0 };
	cleanup_close int fds = -1;
	char path[SYSROOT_PATH_MAX];
	int r;

	snprintf(path, sizeof(path), "proc/%d/fd", (int)pid);
	r = sysroot_list(root, path, &names);
	if (r == -ENOENT || r == -ESRCH)
		return 0;
	if (r < 0)
		return r;
	fds = sysroot_openat(root, path, O_PATH | O_DIRECTORY);

	for (size_t i = 0; fds >= 0 && i < names.count; i++) {
		char target[PATH_MAX];
		ssize_t size = readlinkat(fds, names.items[i], target, sizeof(target) - 1);
		uint32_t group;

		if (size < 0)
			continue;
		target[size] = '\0';
		if (!text_starts_with(target, NODE_PREFIX) ||
		    parse_u32(target + strlen(NODE_PREFIX), &group) < 0 || group > INT_MAX)
			continue;
		r = add_holder(root, pid, (int)group, holders);
		if (r < 0)
			return r;
	}
	return 0;
}

static int compare_holders(const void *a, const void *b)
{
	pid_t left = ((const struct vfio_holder *)a)->pid;
	pid_t right = ((const struct vfio_holder *)b)->pid;

	return left < right ? -1 : left > right;
}

static int look_at_all(const struct sysroot *root, struct vfio_holders *holders)
{
	cleanup_strings struct strings names = { 0 };
	int r;

	r = sysroot_list(root, "proc", &names);
	for (size_t i = 0; r == 0 && i < names.count; i++) {
		uint32_t pid;

		if (parse_u32(names.items[i], &pid) == 0)
			r = look_at_process(root, (pid_t)pid, holders);
	}
	if (holders->count > 1)
		qsort(holders->items, holders->count, sizeof(*holders->items), compare_holders);
	return r;
}

int vfio_holders_find(const struct sysroot *root, pid_t pid, struct vfio_holders *ret,
		      struct error *err)
{
	cleanup_vfio_holders struct vfio_holders holders = { 0 };
	int r = pid ? look_at_process(root, pid, &holders) : look_at_all(root, &holders);

	if (r < 0)
		return error_set(err, r, "cannot tell which processes hold VFIO devices: %s",
				 strerror(-r));
	*ret = holders;
	holders = (struct vfio_holders){ 0 };
	return 0;
}

bool vfio_group_is_open(const struct sysroot *root, int group)
{
	cleanup_close int fd = -1;
	char path[SYSROOT_PATH_MAX];

	snprintf(path, sizeof(path), "dev/vfio/%d", group);
	fd = sysroot_openat(root, path, O_RDWR);
	return fd == -EBUSY;
}

void vfio_holders_done(struct vfio_holders *holders)
{
	free(holders->items);
	*holders = (struct vfio_holders){ 0 };
}

const struct vfio_holder *vfio_holder_of(const struct vfio_holders *holders, int group)
{
	for (size_t i = 0; i < holders->count; i++)
		if (holders->items[i].group == group)
			return &holders->items[i];
	return NULL;
}
