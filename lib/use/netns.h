/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * use: network interfaces in other network namespaces that are built on one of the host's: a macvlan,
 * macvtap or ipvlan of a container. sysfs links what is built on an interface only within a namespace
 * (netdev_adjacent_sysfs_add() in net/core/dev.c).
 */
#pragma once

#include <net/if.h>
#include <sys/types.h>

#include "host/sysroot.h"

struct net_child {
	unsigned parent; /* ifindex, in the host's namespace */
	char name[IFNAMSIZ];
	pid_t pid; /* a process in its namespace */
};

/* Started as { 0 }. */
struct net_children {
	struct net_child *items;
	size_t count;
	bool read;
};

/*
 * Looks at the sysfs of one process in each namespace that is not that of process 1: `iflink` is the
 * parent's index there (Documentation/ABI/testing/sysfs-class-net). A container in which somebody builds
 * one on an interface of its own may be taken for one on the host's of the same index. Where processes
 * may not be looked at there are none. Does nothing when it has been read. 0 or -ENOMEM.
 */
int net_children_read(const struct sysroot *root, struct net_children *children) must_check;
void net_children_done(struct net_children *children);
#define cleanup_net_children cleanup(net_children_done)

/* It is a macvlan, macvtap or ipvlan; `folder` is that of the interface. */
bool net_is_given_away(const struct sysroot *root, const char *folder);
