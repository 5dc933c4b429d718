/* SPDX-License-Identifier: GPL-2.0-or-later */
/* use: device-mapper devices. Changes no table. */
#include "use/mapper.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <string.h>
#include <sys/ioctl.h>

#define CONTROL "dev/mapper/control"

/* The interface is as it was at version 4.0.0 for all that is asked here. */
static int ask(const struct sysroot *root, unsigned long request, const char *uuid,
	       struct dm_ioctl *io)
{
	cleanup_close int fd = sysroot_openat(root, CONTROL, O_RDWR);

	if (fd < 0)
		return fd;
	*io = (struct dm_ioctl){
		.version = { 4, 0, 0 },
		.data_size = sizeof(*io),
		.data_start = sizeof(*io),
	};
	if (strlen(uuid) >= sizeof(io->uuid))
		return -ENAMETOOLONG;
	memcpy(io->uuid, uuid, strlen(uuid) + 1);
	return ioctl(fd, request, io) < 0 ? -errno : 0;
}

int mapper_opens(const struct sysroot *root, const char *uuid, unsigned *ret)
{
	struct dm_ioctl io;
	int r = ask(root, DM_DEV_STATUS, uuid, &io);

	if (r < 0)
		return r;
	*ret = io.open_count < 0 ? 0 : (unsigned)io.open_count;
	return 0;
}

int mapper_remove(const struct sysroot *root, const char *uuid)
{
	struct dm_ioctl io;

	if (!root->live)
		return root->fake_write ? root->fake_write(root, CONTROL, uuid) : -EOPNOTSUPP;
	return ask(root, DM_DEV_REMOVE, uuid, &io);
}
