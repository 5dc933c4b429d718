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

/* What can be set apart from the rest, as bits. In the order in which it is set. */
enum vf_part {
	VF_TRUST = 1 << 0,
	VF_MAC = 1 << 1,
	VF_VLAN = 1 << 2, /* with qos and protocol */
	VF_SPOOF_CHECK = 1 << 3,
	VF_LINK_STATE = 1 << 4,
	VF_RATE = 1 << 5, /* both */
	VF_RSS_QUERY = 1 << 6,
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
 * The same by number, as vfs_read() reads all. -ENOENT: the physical function has no network interface
 * that could tell; -ENODEV: it has no such virtual function.
 */
int vf_read(const struct sysroot *root, const char *address, unsigned number,
	    struct vf *ret) must_check;

/* The parts in which `now` is not what is wanted; what is not wanted (VF_UNKNOWN) is none. */
unsigned vf_differences(const struct vf *now, const struct vf *wanted);
void vf_copy_parts(struct vf *to, const struct vf *from, unsigned parts);

/* "52:54:00:12:34:56". -EINVAL */
int vf_mac_parse(const char *value, uint8_t mac[ETH_ALEN]) must_check;
#define VF_MAC_TEXT sizeof("bc:24:11:00:00:01")
const char *vf_mac_format(const uint8_t mac[ETH_ALEN], char text[VF_MAC_TEXT]);

/* The words of IFLA_VF_LINK_STATE_…, "auto", "enable", "disable"; NULL, and -EINVAL, for another. */
const char *vf_link_state_name(unsigned link_state);
int vf_link_state_parse(const char *name, unsigned *ret) must_check;

/* "MAC address bc:24:11:00:00:01, VLAN 100, trust on" of these parts; the caller frees it. NULL: no memory. */
char *vf_words(const struct vf *vf, unsigned parts);

/*
 * As text, for the journal: "0:mac=52:54:00:12:34:56,vlan=5,qos=3,proto=802.1ad,trust=on 1:mac=…"; what
 * is 0 or not known is left out. "none" where there are none. The caller frees it; NULL without memory.
 */
char *vfs_format(const struct vfs *vfs);
int vfs_parse(const char *text, struct vfs *ret);

/* The same of one; -EINVAL for none, several, and NULL. */
char *vf_format(const struct vf *vf);
int vf_parse(const char *text, struct vf *ret) must_check;

/* Adds a copy; 0 or -ENOMEM. */
int vfs_add(struct vfs *vfs, const struct vf *vf) must_check;
void vfs_done(struct vfs *vfs);
#define cleanup_vfs cleanup(vfs_done)
