/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * use: what hangs on a PCI function: disks, network interfaces, device nodes, at any depth (behind
 * virtio, SCSI, USB …). A link of a class, such as /sys/class/block/sda, leads to the device's
 * folder below /sys/devices, whose path names every parent of the device
 * (Documentation/admin-guide/sysfs-rules.rst).
 */
#pragma once

#include <stdbool.h>

#include "host/sysroot.h"

/* A path below /sys/devices lies under the folder `parent`, a name such as "0000:01:00.0". */
bool child_is_below(const char *path, const char *parent);

/*
 * The links of folders, so that a look at many functions reads a folder once. Started as { 0 }; it
 * works for the child_list() of a sysroot whose `children` it is, and knows of no change.
 */
struct child_memory {
	struct child_folder *folders;
	size_t count;
	unsigned walked; /* of use/node.c: folders below functions, which are not remembered */
};

void child_memory_done(struct child_memory *memory);
#define cleanup_child_memory cleanup(child_memory_done)

/*
 * Adds to `names` the links in `folder` ("sys/class/net") that lead to children of `parent`, in
 * order of name. A folder that is not there has none. 0 or -errno. Does not block.
 */
int child_list(const struct sysroot *root, const char *folder, const char *parent,
	       struct strings *names);

/* All links in it whose names begin with `start`. The same. */
int child_names(const struct sysroot *root, const char *folder, const char *start,
		struct strings *names);

/*
 * The path of a child's device node below the root, "dev/dri/card0", from the DEVNAME line of its
 * uevent file; `path` is its folder or a link to it. -ENOENT when it has no node.
 */
int child_node(const struct sysroot *root, const char *path, char **ret_node);

/* A child that hangs on USB: a path through one of its root hubs, "usb1". `link` leads to it. */
bool child_is_behind_usb(const struct sysroot *root, const char *link);
