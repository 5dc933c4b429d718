/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * use: containers whose configuration gives them a device's nodes.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "host/sysroot.h"

struct container_use {
	uint32_t vmid;
	bool running;
	bool exact; /* the line names this device's node; else a folder or all nodes of a kind */
	char *line; /* of the configuration: "dev0: /dev/dri/renderD128" */
};

/* Started as { 0 }. */
struct container_uses {
	struct container_use *items;
	size_t count;
};

/*
 * The containers of this node (/etc/pve/lxc/VMID.conf, the section before the first [header]) that
 * name a node of the function `address`, or of what hangs on it: as devN (PVE::LXC::Config's
 * $dev_desc), in lxc.cgroup2.devices.allow, or in lxc.mount.entry (lxc.container.conf(5)). The
 * nodes are those of /sys/dev (Documentation/ABI/stable/sysfs-dev), and
 * /dev/nvidiaN, which is not there (the minor in /proc/driver/nvidia/gpus/ADDRESS/information).
 * A container runs while its command socket is open: list_active_containers() in PVE::LXC.
 * One entry a container, its most exact line; in order of file name. 0 or -errno; blocks no longer
 * than /etc/pve, a file system of the cluster, does.
 */
int container_uses_find(const struct sysroot *root, const char *address, struct container_uses *ret,
			struct error *err);
void container_uses_done(struct container_uses *uses);
#define cleanup_container_uses cleanup(container_uses_done)
