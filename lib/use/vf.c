/* SPDX-License-Identifier: GPL-2.0-or-later */
/* use: what is set for virtual functions. Makes none. */
#include "use/vf.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/number.h"
#include "host/netlink.h"
#include "use/child.h"

#define NET_CLASS "sys/class/net"

/* ---- reading */

/* -1 in the message: the driver has not written it (rtnl_fill_vfinfo() in net/core/rtnetlink.c). */
static enum vf_switch read_switch(struct bytes value)
{
	uint32_t setting = netlink_u32(value, 4);

	return setting > 1 ? VF_UNKNOWN : setting == 1 ? VF_ON : VF_OFF;
}

static void read_vlan(struct bytes list, struct vf *vf)
{
	struct bytes info;

	if (!netlink_find(list, IFLA_VF_VLAN_INFO, &info))
		return;
	vf->vlan = (uint16_t)netlink_u32(info, 4);
	vf->qos = (uint8_t)netlink_u32(info, 8);
	vf->protocol = ntohs(netlink_u16(info, 12));
}

static void read_vf(struct bytes info, struct vf *vf)
{
	struct bytes value, mac;
	uint16_t type;

	*vf = (struct vf){ .protocol = ETH_P_8021Q,
			   .trust = VF_UNKNOWN,
			   .spoof_check = VF_UNKNOWN,
			   .rss_query = VF_UNKNOWN };
	while (netlink_next(&info, &type, &value)) {
		if (type == IFLA_VF_MAC && bytes_slice(value, 4, ETH_ALEN, &mac)) {
			vf->number = netlink_u32(value, 0);
			memcpy(vf->mac, mac.data, ETH_ALEN);
		} else if (type == IFLA_VF_VLAN_LIST) {
			read_vlan(value, vf);
		} else if (type == IFLA_VF_RATE) {
			vf->min_rate = netlink_u32(value, 4);
			vf->max_rate = netlink_u32(value, 8);
		} else if (type == IFLA_VF_LINK_STATE) {
			vf->link_state = netlink_u32(value, 4);
		} else if (type == IFLA_VF_TRUST) {
			vf->trust = read_switch(value);
		} else if (type == IFLA_VF_SPOOFCHK) {
			vf->spoof_check = read_switch(value);
		} else if (type == IFLA_VF_RSS_QUERY_EN) {
			vf->rss_query = read_switch(value);
		}
	}
}

int vfs_add(struct vfs *vfs, const struct vf *vf)
{
	if (array_reserve(&vfs->items, vfs->count, sizeof(*vf)) < 0)
		return -ENOMEM;
	vfs->items[vfs->count++] = *vf;
	return 0;
}

/* The list in an RTM_NEWLINK; -ENOENT where it is another kind of interface. */
static int read_list(struct bytes answer, struct vfs *vfs)
{
	uint16_t kind = netlink_u16(answer, offsetof(struct ifinfomsg, ifi_type)), type;
	struct bytes list, info;
	int r = 0;

	if (kind != ARPHRD_ETHER ||
	    !netlink_find(bytes_from(answer, sizeof(struct ifinfomsg)), IFLA_VFINFO_LIST, &list))
		return -ENOENT;
	while (r == 0 && netlink_next(&list, &type, &info)) {
		struct vf vf;

		if (type != IFLA_VF_INFO)
			continue;
		read_vf(info, &vf);
		r = vfs_add(vfs, &vf);
	}
	return r;
}

static int read_link(const struct sysroot *root, int index, struct vfs *vfs)
{
	const uint32_t filter = RTEXT_FILTER_VF | RTEXT_FILTER_SKIP_STATS;
	struct ifinfomsg header = { .ifi_family = AF_UNSPEC, .ifi_index = index };
	cleanup_netlink struct netlink_message request = { 0 };
	cleanup_free uint8_t *data = NULL;
	struct bytes answer;
	int r;

	netlink_begin(&request, RTM_GETLINK, 0);
	netlink_add(&request, &header, sizeof(header));
	netlink_add_attribute(&request, IFLA_EXT_MASK, &filter, sizeof(filter));
	r = netlink_ask(root, NETLINK_ROUTE, &request, &data, &answer);
	return r < 0 ? r : read_list(answer, vfs);
}

/*
 * The function's interface that has the list, and the list. In switchdev mode the representors are
 * below the function too, and have none. -ENOENT: none has it.
 */
static int find_link(const struct sysroot *root, const char *address, int *ret_index,
		     struct vfs *vfs)
{
	cleanup_strings struct strings names = { 0 };
	int r = child_list(root, NET_CLASS, address, &names);

	for (size_t i = 0; r == 0 && i < names.count; i++) {
		cleanup_free char *text = NULL;
		char path[SYSROOT_PATH_MAX];
		uint32_t index;

		snprintf(path, sizeof(path), "%s/%s/ifindex", NET_CLASS, names.items[i]);
		if (sysroot_read_attribute(root, path, &text) < 0 || parse_u32(text, &index) < 0)
			continue;
		r = read_link(root, (int)index, vfs);
		if (r == 0) {
			*ret_index = (int)index;
			return 0;
		}
		/* no list; renamed or gone meanwhile; a tree */
		if (r == -ENOENT || r == -ENODEV || r == -EOPNOTSUPP)
			r = 0;
	}
	return r < 0 ? r : -ENOENT;
}

int vfs_read(const struct sysroot *root, const char *address, struct vfs *ret, struct error *err)
{
	cleanup_vfs struct vfs vfs = { 0 };
	int index, r = find_link(root, address, &index, &vfs);

	if (r < 0 && r != -ENOENT)
		return error_set(err, r,
				 "cannot read what is set for the virtual functions of %s: %s",
				 address, strerror(-r));
	*ret = TAKE_STRUCT(vfs);
	return 0;
}

/* ---- setting */

/* What one message sets, and whether it is to be different. In the order in which it is set. */
struct change {
	const char *name;
	enum vf_part part;
	bool (*differs)(const struct vf *now, const struct vf *wanted);
	void (*copy)(struct vf *to, const struct vf *from);
	void (*add)(struct netlink_message *message, const struct vf *wanted);
};

static bool switch_differs(enum vf_switch now, enum vf_switch wanted)
{
	return wanted != VF_UNKNOWN && now != wanted;
}

/* All of these structures are the number and the setting: ifla_vf_trust, ifla_vf_spoofchk, … */
static void add_setting(struct netlink_message *message, uint16_t type, const struct vf *vf,
			uint32_t setting)
{
	const uint32_t values[] = { vf->number, setting };

	netlink_add_attribute(message, type, values, sizeof(values));
}

static bool trust_differs(const struct vf *now, const struct vf *wanted)
{
	return switch_differs(now->trust, wanted->trust);
}

static void copy_trust(struct vf *to, const struct vf *from)
{
	to->trust = from->trust;
}

static void add_trust(struct netlink_message *message, const struct vf *wanted)
{
	add_setting(message, IFLA_VF_TRUST, wanted, wanted->trust == VF_ON);
}

static bool mac_differs(const struct vf *now, const struct vf *wanted)
{
	return memcmp(now->mac, wanted->mac, ETH_ALEN) != 0;
}

static void copy_mac(struct vf *to, const struct vf *from)
{
	memcpy(to->mac, from->mac, ETH_ALEN);
}

static void add_mac(struct netlink_message *message, const struct vf *wanted)
{
	struct ifla_vf_mac mac = { .vf = wanted->number };

	memcpy(mac.mac, wanted->mac, ETH_ALEN);
	netlink_add_attribute(message, IFLA_VF_MAC, &mac, sizeof(mac));
}

static bool vlan_differs(const struct vf *now, const struct vf *wanted)
{
	return now->vlan != wanted->vlan || now->qos != wanted->qos ||
	       ((wanted->vlan || wanted->qos) && now->protocol != wanted->protocol);
}

static void copy_vlan(struct vf *to, const struct vf *from)
{
	to->vlan = from->vlan;
	to->qos = from->qos;
	to->protocol = from->protocol;
}

static void add_vlan(struct netlink_message *message, const struct vf *wanted)
{
	const struct ifla_vf_vlan_info info = { wanted->number, wanted->vlan, wanted->qos,
						htons(wanted->protocol) };
	size_t list = netlink_begin_nest(message, IFLA_VF_VLAN_LIST);

	netlink_add_attribute(message, IFLA_VF_VLAN_INFO, &info, sizeof(info));
	netlink_end_nest(message, list);
}

static bool spoof_check_differs(const struct vf *now, const struct vf *wanted)
{
	return switch_differs(now->spoof_check, wanted->spoof_check);
}

static void copy_spoof_check(struct vf *to, const struct vf *from)
{
	to->spoof_check = from->spoof_check;
}

static void add_spoof_check(struct netlink_message *message, const struct vf *wanted)
{
	add_setting(message, IFLA_VF_SPOOFCHK, wanted, wanted->spoof_check == VF_ON);
}

static bool link_state_differs(const struct vf *now, const struct vf *wanted)
{
	return now->link_state != wanted->link_state;
}

static void copy_link_state(struct vf *to, const struct vf *from)
{
	to->link_state = from->link_state;
}

static void add_link_state(struct netlink_message *message, const struct vf *wanted)
{
	add_setting(message, IFLA_VF_LINK_STATE, wanted, wanted->link_state);
}

static bool rate_differs(const struct vf *now, const struct vf *wanted)
{
	return now->min_rate != wanted->min_rate || now->max_rate != wanted->max_rate;
}

static void copy_rate(struct vf *to, const struct vf *from)
{
	to->min_rate = from->min_rate;
	to->max_rate = from->max_rate;
}

static void add_rate(struct netlink_message *message, const struct vf *wanted)
{
	const struct ifla_vf_rate rate = { wanted->number, wanted->min_rate, wanted->max_rate };

	netlink_add_attribute(message, IFLA_VF_RATE, &rate, sizeof(rate));
}

static bool rss_query_differs(const struct vf *now, const struct vf *wanted)
{
	return switch_differs(now->rss_query, wanted->rss_query);
}

static void copy_rss_query(struct vf *to, const struct vf *from)
{
	to->rss_query = from->rss_query;
}

static void add_rss_query(struct netlink_message *message, const struct vf *wanted)
{
	add_setting(message, IFLA_VF_RSS_QUERY_EN, wanted, wanted->rss_query == VF_ON);
}

/* Trust comes first: it is what allows some drivers the rest. */
static const struct change changes[] = {
	{ "trust", VF_TRUST, trust_differs, copy_trust, add_trust },
	{ "MAC address", VF_MAC, mac_differs, copy_mac, add_mac },
	{ "VLAN", VF_VLAN, vlan_differs, copy_vlan, add_vlan },
	{ "spoof check", VF_SPOOF_CHECK, spoof_check_differs, copy_spoof_check, add_spoof_check },
	{ "link state", VF_LINK_STATE, link_state_differs, copy_link_state, add_link_state },
	{ "rate", VF_RATE, rate_differs, copy_rate, add_rate },
	{ "query of RSS", VF_RSS_QUERY, rss_query_differs, copy_rss_query, add_rss_query },
};

#define CHANGE_COUNT (ARRAY_SIZE(changes))

unsigned vf_differences(const struct vf *now, const struct vf *wanted)
{
	unsigned parts = 0;

	for (size_t i = 0; i < CHANGE_COUNT; i++)
		if (changes[i].differs(now, wanted))
			parts |= changes[i].part;
	return parts;
}

void vf_copy_parts(struct vf *to, const struct vf *from, unsigned parts)
{
	for (size_t i = 0; i < CHANGE_COUNT; i++)
		if (parts & changes[i].part)
			changes[i].copy(to, from);
}

static int make_change(const struct sysroot *root, int index, const struct change *change,
		       const struct vf *wanted)
{
	struct ifinfomsg header = { .ifi_family = AF_UNSPEC, .ifi_index = index };
	cleanup_netlink struct netlink_message request = { 0 };
	cleanup_free uint8_t *data = NULL;
	struct bytes answer;
	size_t list, info;

	netlink_begin(&request, RTM_SETLINK, NLM_F_ACK);
	netlink_add(&request, &header, sizeof(header));
	list = netlink_begin_nest(&request, IFLA_VFINFO_LIST);
	info = netlink_begin_nest(&request, IFLA_VF_INFO);
	change->add(&request, wanted);
	netlink_end_nest(&request, info);
	netlink_end_nest(&request, list);
	return netlink_ask(root, NETLINK_ROUTE, &request, &data, &answer);
}

static int read_one(const struct sysroot *root, const char *address, unsigned number,
		    struct vf *ret, int *ret_index)
{
	cleanup_vfs struct vfs vfs = { 0 };
	int r = find_link(root, address, ret_index, &vfs);

	for (size_t i = 0; r == 0 && i < vfs.count; i++) {
		if (vfs.items[i].number == number) {
			*ret = vfs.items[i];
			return 0;
		}
	}
	return r == 0 ? -ENODEV : r;
}

int vf_read(const struct sysroot *root, const char *address, unsigned number, struct vf *ret)
{
	int index;

	return read_one(root, address, number, ret, &index);
}

int vf_set(const struct sysroot *root, const char *address, const struct vf *wanted,
	   struct error *err)
{
	struct vf now;
	int index, first = 0, r = read_one(root, address, wanted->number, &now, &index);

	for (size_t i = 0; r == 0 && i < CHANGE_COUNT; i++) {
		int failed = changes[i].differs(&now, wanted)
				     ? make_change(root, index, &changes[i], wanted)
				     : 0;

		/* What the driver refuses does not keep the rest from being set. */
		if (failed < 0 && first == 0)
			first = error_set(err, failed, "%s of its virtual function %u: %s",
					  changes[i].name, wanted->number, strerror(-failed));
	}
	if (r == 0 && first == 0)
		r = read_one(root, address, wanted->number, &now, &index);
	if (r == -ENOENT)
		r = -ENODEV;
	if (r < 0)
		return error_set(err, r, "cannot read what is set for its virtual function %u: %s",
				 wanted->number, r == -ENODEV ? "it is not there" : strerror(-r));
	for (size_t i = 0; first == 0 && i < CHANGE_COUNT; i++)
		if (changes[i].differs(&now, wanted))
			first = error_set(err, -EIO,
					  "%s of its virtual function %u was set, and reads "
					  "otherwise",
					  changes[i].name, wanted->number);
	return first;
}

void vfs_done(struct vfs *vfs)
{
	free(vfs->items);
	*vfs = (struct vfs){ 0 };
}
