/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * use: ZFS pools. ZFS keeps its disks open inside the kernel and shows in no holders folder which
 * they are; the label on a disk names the pool it belongs to.
 */
#pragma once

#include <stdbool.h>

#include "base/bytes.h"
#include "host/sysroot.h"

/* ZPOOL_MAXNAMELEN in OpenZFS' sys/fs/zfs.h, with the NUL. */
#define ZFS_POOL_NAME_MAX 256

/*
 * The nvlist of a label: 112 KiB at 16 KiB into it (vdev_label_t in OpenZFS' sys/vdev_impl.h).
 * Label 0 is at the start of the disk, label 1 at 256 KiB.
 */
#define ZFS_LABEL_SIZE	       ((size_t)256 * 1024)
#define ZFS_LABEL_NVLIST_START ((size_t)16 * 1024)
#define ZFS_LABEL_NVLIST_SIZE  ((size_t)112 * 1024)

/* The ZFS module is loaded. */
bool zfs_is_loaded(const struct sysroot *root);

/*
 * The pool's name in the nvlist of a label, which is XDR-encoded (RFC 4506; nvs_xdr_nvlist() in
 * OpenZFS' nvpair.c): a header of 4 bytes, version, flags, then pairs of encoded size, decoded
 * size, name, type, count, value. -ENOENT when `list` is none or has no name: spares and
 * cache devices carry none.
 */
int zfs_label_parse(struct bytes list, char ret_pool[ZFS_POOL_NAME_MAX]);

/*
 * The pool whose label is on the disk or partition `node` ("dev/nvme0n1p3"), and whether a pool of
 * that name is imported here (/proc/spl/kstat/zfs/POOL). -ENOENT for none. Reads from the disk,
 * so it blocks for as long as the disk does: ask only about a disk that is known to work.
 */
int zfs_pool_find(const struct sysroot *root, const char *node, char ret_pool[ZFS_POOL_NAME_MAX],
		  bool *ret_imported);
