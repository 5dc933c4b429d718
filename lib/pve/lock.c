/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pve: Proxmox VE's lock on a VM. Shared and let go of at once, so that nobody waits for us. */
#include "pve/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>

int vm_lock_open(const struct sysroot *root, uint32_t vmid)
{
	char path[SYSROOT_PATH_MAX];

	snprintf(path, sizeof(path), "var/lock/qemu-server/lock-%u.conf", vmid);
	return sysroot_openat(root, path, O_RDONLY);
}

bool vm_lock_is_held(int lock)
{
	if (flock(lock, LOCK_SH | LOCK_NB) < 0)
		return errno == EWOULDBLOCK;
	(void)flock(lock, LOCK_UN);
	return false;
}

int vm_lock_wait(int lock)
{
	while (flock(lock, LOCK_SH) < 0)
		if (errno != EINTR)
			return -errno;
	(void)flock(lock, LOCK_UN);
	return 0;
}
