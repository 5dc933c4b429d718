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
#define NONE	  "none"

/* That many a physical function can have: PCI Express, TotalVFs is 16 bits; rtnetlink's list is shorter. */
#define NUMBER_MAX 65535

static const char *const link_states[] = {
	[IFLA_VF_LINK_STATE_AUTO] = "auto",
	[IFLA_VF_LINK_STATE_ENABLE] = "enable",
	[IFLA_VF_LINK_STATE_DISABLE] = "disable",
};

#define LINK_STATE_COUNT (ARRAY_SIZE(link_states))

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

static int add_vf(struct vfs *vfs, const struct vf *vf)
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
		r = add_vf(vfs, &vf);
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
	bool (*differs)(const struct vf *now, const struct vf *wanted);
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

static void add_trust(struct netlink_message *message, const struct vf *wanted)
{
	add_setting(message, IFLA_VF_TRUST, wanted, wanted->trust == VF_ON);
}

static bool mac_differs(const struct vf *now, const struct vf *wanted)
{
	return memcmp(now->mac, wanted->mac, ETH_ALEN) != 0;
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

static void add_spoof_check(struct netlink_message *message, const struct vf *wanted)
{
	add_setting(message, IFLA_VF_SPOOFCHK, wanted, wanted->spoof_check == VF_ON);
}

static bool link_state_differs(const struct vf *now, const struct vf *wanted)
{
	return now->link_state != wanted->link_state;
}

static void add_link_state(struct netlink_message *message, const struct vf *wanted)
{
	add_setting(message, IFLA_VF_LINK_STATE, wanted, wanted->link_state);
}

static bool rate_differs(const struct vf *now, const struct vf *wanted)
{
	return now->min_rate != wanted->min_rate || now->max_rate != wanted->max_rate;
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

static void add_rss_query(struct netlink_message *message, const struct vf *wanted)
{
	add_setting(message, IFLA_VF_RSS_QUERY_EN, wanted, wanted->rss_query == VF_ON);
}

/* Trust comes first: it is what allows some drivers the rest. */
static const struct change changes[] = {
	{ "trust", trust_differs, add_trust },
	{ "MAC address", mac_differs, add_mac },
	{ "VLAN", vlan_differs, add_vlan },
	{ "spoof check", spoof_check_differs, add_spoof_check },
	{ "link state", link_state_differs, add_link_state },
	{ "rate", rate_differs, add_rate },
	{ "query of RSS", rss_query_differs, add_rss_query },
};

#define CHANGE_COUNT (ARRAY_SIZE(changes))

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
	return r == 0 || r == -ENOENT ? -ENODEV : r;
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

/* ---- as text */

static void format_switch(struct text *text, const char *name, enum vf_switch value)
{
	if (value != VF_UNKNOWN)
		text_add(text, ",%s=%s", name, value == VF_ON ? "on" : "off");
}

static void format_vf(struct text *text, const struct vf *vf)
{
	text_add(text, "%u:mac=%02x:%02x:%02x:%02x:%02x:%02x", vf->number, vf->mac[0], vf->mac[1],
		 vf->mac[2], vf->mac[3], vf->mac[4], vf->mac[5]);
	if (vf->vlan || vf->qos)
		text_add(text, ",vlan=%u,qos=%u,proto=%s", vf->vlan, vf->qos,
			 vf->protocol == ETH_P_8021AD ? "802.1ad" : "802.1Q");
	if (vf->min_rate)
		text_add(text, ",min-rate=%u", vf->min_rate);
	if (vf->max_rate)
		text_add(text, ",max-rate=%u", vf->max_rate);
	if (vf->link_state > 0 && vf->link_state < LINK_STATE_COUNT)
		text_add(text, ",link-state=%s", link_states[vf->link_state]);
	format_switch(text, "trust", vf->trust);
	format_switch(text, "spoof-check", vf->spoof_check);
	format_switch(text, "rss-query", vf->rss_query);
}

char *vfs_format(const struct vfs *vfs)
{
	struct text text = { 0 };

	if (vfs->count == 0)
		return strdup(NONE);
	for (size_t i = 0; i < vfs->count; i++) {
		text_add(&text, "%s", i > 0 ? " " : "");
		format_vf(&text, &vfs->items[i]);
	}
	return text_take(&text);
}

static int parse_mac(const char *value, uint8_t mac[ETH_ALEN])
{
	for (size_t i = 0; i < ETH_ALEN; i++) {
		uint64_t byte;

		if (parse_number(value, strnlen(value, 2), 16, UINT8_MAX, &byte) < 0 ||
		    value[2] != (i + 1 < ETH_ALEN ? ':' : '\0'))
			return -EINVAL;
		mac[i] = (uint8_t)byte;
		value += 3;
	}
	return 0;
}

static int parse_up_to(const char *value, uint64_t max, unsigned *ret)
{
	uint64_t number;
	int r = parse_number(value, strlen(value), 10, max, &number);

	if (r == 0)
		*ret = (unsigned)number;
	return r;
}

/* One of `count` words; its place. */
static int parse_word(const char *value, const char *const *words, size_t count, unsigned *ret)
{
	int at = table_find(words, count, sizeof(*words), value);

	if (at < 0)
		return at;
	*ret = (unsigned)at;
	return 0;
}

/* A member that a later version adds is not known, and passed over. */
static int parse_member(const char *name, const char *value, struct vf *vf)
{
	static const char *const switches[] = { "off", "on" };
	static const char *const protocols[] = { "802.1Q", "802.1ad" };
	unsigned number = 0;
	int r = 0;

	if (strcmp(name, "mac") == 0)
		return parse_mac(value, vf->mac);
	if (strcmp(name, "min-rate") == 0)
		return parse_up_to(value, UINT32_MAX, &vf->min_rate);
	if (strcmp(name, "max-rate") == 0)
		return parse_up_to(value, UINT32_MAX, &vf->max_rate);
	if (strcmp(name, "link-state") == 0)
		return parse_word(value, link_states, LINK_STATE_COUNT, &vf->link_state);
	if (strcmp(name, "vlan") == 0) {
		r = parse_up_to(value, 4095, &number);
		vf->vlan = (uint16_t)number;
	} else if (strcmp(name, "qos") == 0) {
		r = parse_up_to(value, 7, &number);
		vf->qos = (uint8_t)number;
	} else if (strcmp(name, "proto") == 0) {
		r = parse_word(value, protocols, 2, &number);
		vf->protocol = number == 1 ? ETH_P_8021AD : ETH_P_8021Q;
	} else if (strcmp(name, "trust") == 0) {
		r = parse_word(value, switches, 2, &number);
		vf->trust = number == 1 ? VF_ON : VF_OFF;
	} else if (strcmp(name, "spoof-check") == 0) {
		r = parse_word(value, switches, 2, &number);
		vf->spoof_check = number == 1 ? VF_ON : VF_OFF;
	} else if (strcmp(name, "rss-query") == 0) {
		r = parse_word(value, switches, 2, &number);
		vf->rss_query = number == 1 ? VF_ON : VF_OFF;
	}
	return r;
}

static int parse_vf(char *word, struct vf *vf)
{
	char *rest = word, *member = strsep(&rest, ":");
	int r = rest ? parse_up_to(member, NUMBER_MAX, &vf->number) : -EINVAL;

	while (r == 0 && (member = strsep(&rest, ","))) {
		char *value = strchr(member, '=');

		if (!value)
			return -EINVAL;
		*value++ = '\0';
		r = parse_member(member, value, vf);
	}
	return r;
}

int vfs_parse(const char *text, struct vfs *ret)
{
	cleanup_free char *copy = strdup(text);
	cleanup_vfs struct vfs vfs = { 0 };
	char *rest = copy, *word;
	int r = copy ? 0 : -ENOMEM;

	if (r == 0 && strcmp(text, NONE) == 0)
		rest = NULL;
	while (r == 0 && (word = strsep(&rest, " "))) {
		struct vf vf = { .protocol = ETH_P_8021Q,
				 .trust = VF_UNKNOWN,
				 .spoof_check = VF_UNKNOWN,
				 .rss_query = VF_UNKNOWN };

		r = parse_vf(word, &vf);
		if (r == 0)
			r = add_vf(&vfs, &vf);
	}
	if (r < 0)
		return r;
	*ret = TAKE_STRUCT(vfs);
	return 0;
}

void vfs_done(struct vfs *vfs)
{
	free(vfs->items);
	*vfs = (struct vfs){ 0 };
}
