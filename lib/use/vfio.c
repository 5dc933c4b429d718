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
#include "use/pids.h"

#define NODE_PREFIX "/dev/vfio/"

/* Forms of a node's name below it. */
#define NO_IOMMU     "noiommu-"
#define DEVICE_NODES "devices/"
#define DELETED	     " (deleted)"

/* "vfio" and a number, or with "noiommu-" before it. */
#define DEVICE_NAME_MAX 64

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

/* The group of the function whose VFIO device has that name: its vfio-dev/NAME. */
static int group_of_device(const struct sysroot *root, const char *name, int *ret)
{
	cleanup_strings struct strings addresses = { 0 };
	cleanup_free char *group = NULL;
	char path[SYSROOT_PATH_MAX];
	uint32_t number;
	int r;

	r = sysroot_list(root, "sys/bus/pci/devices", &addresses);
	for (size_t i = 0; i < addresses.count && r == 0; i++) {
		snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/vfio-dev/%.*s",
			 addresses.items[i], DEVICE_NAME_MAX, name);
		r = sysroot_find(root, path);
		if (r <= 0)
			continue;
		snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/iommu_group",
			 addresses.items[i]);
		r = sysroot_link_name(root, path, &group);
		if (r == 0 && parse_u32(group, &number) == 0 && number <= INT_MAX)
			*ret = (int)number;
		break;
	}
	return r == -ENOENT ? 0 : r;
}

/*
 * The group that a descriptor's link leads to, in any form: "/dev/vfio/14", "/dev/vfio/noiommu-0",
 * "/dev/vfio/devices/vfio3" of a QEMU with iommufd; IOMMU_GROUP_NONE: to something else. A node that
 * was removed is open all the same. 0, or -errno: it cannot be determined.
 */
static int group_of_node(const struct sysroot *root, char *target, int *ret)
{
	char *name = target + strlen(NODE_PREFIX);
	size_t size = strlen(target);
	uint32_t group;

	*ret = IOMMU_GROUP_NONE;
	if (!text_starts_with(target, NODE_PREFIX))
		return 0;
	if (size > strlen(DELETED) && strcmp(target + size - strlen(DELETED), DELETED) == 0)
		target[size - strlen(DELETED)] = '\0';
	if (text_starts_with(name, DEVICE_NODES) && !strchr(name + strlen(DEVICE_NODES), '/'))
		return group_of_device(root, name + strlen(DEVICE_NODES), ret);
	if (text_starts_with(name, NO_IOMMU))
		name += strlen(NO_IOMMU);
	if (parse_u32(name, &group) == 0 && group <= INT_MAX)
		*ret = (int)group;
	return 0;
}

/* The process has, or it has closed that descriptor. */
static bool has_ended(int error)
{
	return error == -ENOENT || error == -ESRCH;
}

/* Adds what one process holds. */
static int look_at_process(const struct sysroot *root, pid_t pid, struct vfio_holders *holders)
{
	cleanup_strings struct strings names = { 0 };
	cleanup_close int fds = -1;
	char path[SYSROOT_PATH_MAX];
	int r;

	snprintf(path, sizeof(path), "proc/%d/fd", (int)pid);
	r = sysroot_list(root, path, &names);
	if (r == 0) {
		fds = sysroot_openat(root, path, O_PATH | O_DIRECTORY);
		r = fds < 0 ? fds : 0;
	}
	if (r < 0)
		return has_ended(r) ? 0 : r;
	for (size_t i = 0; i < names.count; i++) {
		char target[PATH_MAX];
		ssize_t size = readlinkat(fds, names.items[i], target, sizeof(target) - 1);
		int group;

		if (size < 0 && has_ended(-errno))
			continue;
		if (size < 0)
			return -errno;
		target[size] = '\0';
		r = group_of_node(root, target, &group);
		if (r < 0)
			return r;
		if (group == IOMMU_GROUP_NONE)
			continue;
		r = add_holder(root, pid, group, holders);
		if (r < 0)
			return r;
	}
	return 0;
}

static int look_at_all(const struct sysroot *root, struct vfio_holders *holders)
{
	cleanup_pids struct pids pids = { 0 };
	int r = pids_list(root, &pids);

	for (size_t i = 0; r == 0 && i < pids.count; i++)
		if (!pids.items[i].kernels || !pid_is_thread(root, &pids.items[i]))
			r = look_at_process(root, pids.items[i].pid, holders);
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
	*ret = TAKE_STRUCT(holders);
	return 0;
}

/* -EBUSY: the node is open; 0: it was not; or another -errno. */
static int try_node(const struct sysroot *root, const char *form, int group)
{
	cleanup_close int fd = -1;
	char path[SYSROOT_PATH_MAX];

	snprintf(path, sizeof(path), "dev/vfio/%s%d", form, group);
	fd = sysroot_openat(root, path, O_RDWR);
	return fd < 0 ? fd : 0;
}

bool vfio_group_is_open(const struct sysroot *root, int group, struct vfio_sight *sight)
{
	int r;

	if (group == IOMMU_GROUP_NONE)
		return false;
	r = try_node(root, "", group);
	if (r < 0 && r != -EBUSY)
		r = try_node(root, NO_IOMMU, group);
	if (r == -EBUSY)
		return true;
	/* The kernel has said so. A file in a tree says nothing. */
	if ((r == 0 && root->live) || !sysroot_exists(root, "dev/vfio/devices"))
		return false;
	if (!sight->looked)
		sight->failed = vfio_holders_find(root, 0, &sight->holders, NULL) < 0;
	sight->looked = true;
	return sight->failed || vfio_holder_of(&sight->holders, group);
}

void vfio_sight_done(struct vfio_sight *sight)
{
	vfio_holders_done(&sight->holders);
	*sight = (struct vfio_sight){ 0 };
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
