/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * use: the mounted file systems, from mountinfo (proc(5), /proc/PID/mountinfo).
 */
#pragma once

#include <stddef.h>

#include "host/sysroot.h"

struct mount {
	char *number; /* of its block device, "259:2"; "0:23" where it has none of its own */
	char *point;  /* "/var/lib/vz" */
	char *source; /* "/dev/nvme0n1p2", "tmpfs" */
};

/* In the order of the file: what was mounted first comes first. Started as { 0 }. */
struct mounts {
	struct mount *items;
	size_t count;
};

/* Reads those of the first process, whose mounts are the host's. Does not block. */
int mounts_read(const struct sysroot *root, struct mounts *ret, struct error *err) must_check;

/*
 * The first mount of a block device, or NULL. By its number, and by its node ("/dev/dm-0"), since
 * btrfs shows a number of its own.
 */
const struct mount *mount_find(const struct mounts *mounts, const char *number, const char *node);

/* Where the host itself lives: /, /boot, /boot/efi, /usr, /var. */
bool mount_runs_host(const struct mount *mount);
void mounts_done(struct mounts *mounts);
#define cleanup_mounts cleanup(mounts_done)
