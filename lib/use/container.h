/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * use: containers whose configuration gives them a device's nodes.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "use/node.h"

struct container_use {
	uint32_t vmid;
	bool running;
	bool gives; /* the line gives the node; else it may: other lines give others of the kind */
	char *line; /* of the configuration: "dev0: /dev/dri/renderD128" */
};

/* Started as { 0 }. */
struct container_uses {
	struct container_use *items;
	size_t count;
};

/*
 * The containers of this node (/etc/pve/lxc/VMID.conf, the section before the first [header]) that
 * are given one of `nodes` that is the function `address`'s own: as devN (PVE::LXC::Config's
 * $dev_desc), by lxc.mount.entry or a bind mount (mpN) of the node or of a folder of /dev that has
 * it, or by a rule in lxc.cgroup2.devices.allow (lxc.container.conf(5)). Paths are followed to what
 * they are. A rule for all nodes of a kind is no more than a sign where other lines give the
 * container other nodes of that kind; so is one for all devices, and the whole of /dev.
 * A container runs while its command socket is open: list_active_containers() in PVE::LXC.
 * One entry a container, its strongest line; in order of file name. 0 or -errno; blocks no longer
 * than /etc/pve, a file system of the cluster, does.
 */
int container_uses_find(const struct sysroot *root, const struct device_nodes *nodes,
			const char *address, struct container_uses *ret,
			struct error *err) must_check;

/*
 * Whether a configuration of them names a node at all, or cannot be read: on most hosts none does, and then
 * nothing needs to be compared. Blocks likewise.
 */
bool containers_name_nodes(const struct sysroot *root);

/* As above: its command socket is open. 0 or -errno. */
int container_is_running(const struct sysroot *root, uint32_t vmid, bool *ret) must_check;

void container_uses_done(struct container_uses *uses);
#define cleanup_container_uses cleanup(container_uses_done)
