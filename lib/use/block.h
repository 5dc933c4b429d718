/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * use: the block devices that hang on a PCI function, and those that are built on them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "host/sysroot.h"

#define BLOCK_CLASS "sys/class/block"

struct block {
	char *name;   /* "nvme0n1p2", "dm-0" */
	char *title;  /* as people know it: "nvme0n1p2", "the LVM volume pve-root" */
	char *number; /* "259:2"; NULL where it went away meanwhile */
	char *node;   /* "/dev/nvme0n1p2" */
	char *mapper; /* "/dev/mapper/pve-root", a node of its own where there is no udev; or NULL */
	char *uuid;   /* dm/uuid, "LVM-…"; or NULL */
	char *base;   /* the function's own one that it is built on; NULL: it is one */
	bool hidden;  /* a path of a multipath NVMe: it has no node */
};

/* Started as { 0 }. */
struct blocks {
	struct block *items; /* the function's own ones first, in order of name */
	size_t count;
};

/*
 * Own ones are the disks and partitions whose folder lies below the function's; with multipath
 * NVMe also the head that represents a hidden path. Built on them are, at any height, what their
 * holders folders name (device-mapper, md, bcache: Documentation/ABI/stable/sysfs-block), loop devices
 * with one as their loop/backing_file, and the partitions of all these. 0 or -errno; does not block.
 */
int blocks_find(const struct sysroot *root, const char *address, struct blocks *ret);

/* The two halves of its number; false where it has none. */
bool block_number(const struct block *block, unsigned *ret_major, unsigned *ret_minor);
void blocks_done(struct blocks *blocks);
#define cleanup_blocks cleanup(blocks_done)
