/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * use: what the host does with the network interfaces that hang on a PCI function.
 */
#pragma once

#include "use/holder.h"
#include "use/netns.h"

/* What is found once for all functions that are asked about. Started as { 0 }. */
struct network_sight {
	struct net_children children;
	struct holders holders; /* who has what is built on them in another namespace is added */
	/* Packet sockets (use/packet.h) are added to it: whoever has one loses it. NULL: they are not. */
	struct strings *sockets;
};

/* The interface has been brought up; also where that cannot be determined. */
bool network_is_up(const struct sysroot *root, const char *name);

/* It has a carrier; one that is not up has none. True also where that cannot be determined. */
bool network_has_link(const struct sysroot *root, const char *name);

void network_sight_done(struct network_sight *sight);
#define cleanup_network_sight cleanup(network_sight_done)

/*
 * Adds to `uses` a sentence for each use of an interface below the function `address`, such as
 * "enp1s0 is a port of the bridge vmbr0, which is up". None: the host would miss no interface of
 * it; one that is merely up is not used. An interface is used when
 *
 * - it has an address (use/route.h), or a route leads over it;
 * - it is a port of a bridge, bond or team that is up (/sys/class/net/NAME/master), or of Open
 *   vSwitch;
 * - one that is built on it (VLAN, macvlan, …: the links upper_NAME) is used in one of these ways;
 * - PPPoE runs over it (/proc/net/pppoe);
 * - a macvlan, macvtap or ipvlan that is built on it is up, or is in another network namespace;
 * - an XDP program is attached to it;
 * - it is in another network namespace, a container's: then its folder `net` is there, and empty.
 *
 * It is reported, too, when one of its addresses, or of what is built on it, is corosync's
 * (corosync.conf(5), ringN_addr).
 *
 * Returns 0, or -errno where it cannot tell, with the reason in `err`. May block as netlink does.
 */
int network_uses_find(const struct sysroot *root, const char *address, struct network_sight *sight,
		      struct strings *uses, struct error *err) must_check;

/*
 * The sentence is of an interface whose only use are addresses that a router advertises: it has them
 * because it is up, and nobody may have asked for that.
 */
bool network_use_is_advertised(const char *sentence);
