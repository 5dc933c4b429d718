/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * use: what a network card's physical function has set for its virtual functions, as `ip -d link`
 * shows it (ip-link(8), "vf"): rtnetlink(7), IFLA_VFINFO_LIST in include/uapi/linux/if_link.h. It is
 * gone with the virtual function.
 */
#pragma once

#include <net/ethernet.h>
#include <stdint.h>

#include "host/sysroot.h"

/* A driver that does not have it reports neither on nor off. */
enum vf_switch { VF_UNKNOWN = -1, VF_OFF, VF_ON };

/* What is set for one. The driver's own choice is mostly 0 of each. */
struct vf {
	unsigned number; /* from 0: that of the link virtfnN */
	uint8_t mac[ETH_ALEN];
	uint16_t vlan;		     /* 0: none */
	uint16_t protocol;	     /* ETH_P_8021Q, ETH_P_8021AD: of the VLAN */
	uint8_t qos;		     /* its priority */
	unsigned min_rate, max_rate; /* Mbit/s; 0: no limit */
	unsigned link_state;	     /* IFLA_VF_LINK_STATE_AUTO, ENABLE, DISABLE */
	enum vf_switch trust, spoof_check, rss_query;
};

/* Started as { 0 }. */
struct vfs {
	struct vf *items;
	size_t count;
};

/*
 * Reads those of the physical function `address`, by its network interface. None where there is no
 * such interface, as under another driver and for another kind of device, or no virtual function.
 * 0 or -errno; blocks as netlink_ask() does.
 */
int vfs_read(const struct sysroot *root, const char *address, struct vfs *ret,
	     struct error *err) must_check;

/*
 * Sets what is to be different for one of them, and sees that it is in effect. What `wanted` does not
 * know (VF_UNKNOWN) stays as it is. -ENODEV: there is no such virtual function. 0 or -errno with a
 * sentence; blocks as netlink_ask() does.
 */
int vf_set(const struct sysroot *root, const char *address, const struct vf *wanted,
	   struct error *err) must_check;

/*
 * As text, for the journal: "0:mac=52:54:00:12:34:56,vlan=5,qos=3,proto=802.1ad,trust=on 1:mac=…"; what
 * is 0 or not known is left out. "none" where there are none. The caller frees it; NULL without memory.
 */
char *vfs_format(const struct vfs *vfs);
int vfs_parse(const char *text, struct vfs *ret);

void vfs_done(struct vfs *vfs);
#define cleanup_vfs cleanup(vfs_done)
