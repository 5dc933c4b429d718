/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: network cards of the fake kernel: their interfaces, and what netlink says of them. */
#include "fake_write.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/devlink.h>
#include <linux/genetlink.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/ethernet.h>

#include "host/netlink.h"

#define CARDS	      ".fake/cards"
#define NET_CLASS     "sys/class/net/"
#define FUNCTIONS_MAX 8
#define DEVLINK	      0x1c /* its number, which the kernel gives out */

/* ---- what the card has, as text in a file */

static void card_file(const char *address, const char *name, char path[PATH_MAX])
{
	tree_format(path, ".fake/%s/%s", address, name);
}

static void set_file(const struct tree *tree, const char *address, const char *name,
		     const char *value)
{
	char path[PATH_MAX];

	card_file(address, name, path);
	tree_file(tree, path, "%s", value);
}

/* Without the end of the line; "" where there is none. */
static char *get_file(const struct tree *tree, const char *address, const char *name)
{
	char path[PATH_MAX];
	char *content;

	card_file(address, name, path);
	content = tree_read(tree, path);
	if (content)
		content[strcspn(content, "\n")] = '\0';
	return content ? content : strdup("");
}

static void read_vfs(const struct tree *tree, const char *address, struct vfs *vfs)
{
	cleanup_free char *text = get_file(tree, address, "vfs");

	if (vfs_parse(*text ? text : "none", vfs) < 0)
		tree_broken("parse", text);
}

static void write_vfs(const struct tree *tree, const char *address, const struct vfs *vfs)
{
	cleanup_free char *text = vfs_format(vfs);

	set_file(tree, address, "vfs", text);
}

/* The links to so many at least; a new one leads to a function that nobody has described. */
static void link_functions(const struct tree *tree, const char *address, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		char path[PATH_MAX], target[PATH_MAX];

		tree_format(path, "sys/devices/pci0000:00/%s/virtfn%u", address, i);
		tree_format(target, "../%.*s10.%u", (int)strlen("0000:00:"), address, i);
		if (!tree_has(tree, path))
			tree_link(tree, path, target);
	}
}

void count_functions(const struct tree *tree, const char *address, unsigned count)
{
	link_functions(tree, address, count);
	for (unsigned i = count; i < FUNCTIONS_MAX; i++) {
		char path[PATH_MAX];

		tree_format(path, "sys/devices/pci0000:00/%s/virtfn%u", address, i);
		if (tree_has(tree, path))
			tree_remove(tree, path);
	}
}

void make_vfs(const struct tree *tree, const char *address, unsigned count)
{
	struct vf items[16] = { 0 };
	const struct vfs vfs = { items, count };

	for (unsigned i = 0; i < count; i++)
		items[i] = (struct vf){ .number = i,
					.protocol = ETH_P_8021Q,
					.trust = VF_OFF,
					.spoof_check = VF_ON,
					.rss_query = VF_UNKNOWN };
	write_vfs(tree, address, &vfs);
}

void update_card(const struct tree *tree, const char *address, const char *driver)
{
	cleanup_free char *name = NULL;
	char path[PATH_MAX], target[PATH_MAX];

	tree_format(path, CARDS "/%s", address);
	name = tree_read(tree, path);
	if (!name)
		return;
	tree_format(path, NET_CLASS "%s", name);
	if (driver && !strstr(driver, "vfio")) {
		tree_format(target, "../../devices/pci0000:00/%s/net/%s", address, name);
		tree_link(tree, path, target);
		return;
	}
	tree_remove(tree, path);
	make_vfs(tree, address, 0);
	set_file(tree, address, "eswitch", "legacy");
}

void fake_card(const struct fake_kernel *kernel, const char *address, const char *name,
	       unsigned index)
{
	char path[PATH_MAX], driver[NAME_SIZE];

	tree_format(path, CARDS "/%s", address);
	tree_file(&kernel->tree, path, "%s", name);
	tree_format(path, "sys/devices/pci0000:00/%s/net/%s/ifindex", address, name);
	tree_file(&kernel->tree, path, "%u\n", index);
	tree_attribute(&kernel->tree, address, "sriov_numvfs", "0");
	set_file(&kernel->tree, address, "eswitch", "legacy");
	bound_driver(&kernel->tree, address, driver);
	update_card(&kernel->tree, address, *driver ? driver : NULL);
}

void fake_ice(const struct fake_kernel *kernel, const char *address)
{
	fake_driver(kernel, "ice", "ice", "8086:1592");
	fake_device(kernel, &(struct tree_device){ address, 0x8086, 0x1592, 0x020000,
						   .driver = "ice", .group = 14 });
	fake_card(kernel, address, "enp1s0", 7);
}

void fake_function(const struct fake_kernel *kernel, const char *card, unsigned number,
		   const struct tree_device *function)
{
	char path[PATH_MAX], target[PATH_MAX];

	fake_device(kernel, function);
	tree_format(path, "sys/devices/pci0000:00/%s/physfn", function->address);
	tree_format(target, "../%s", card);
	tree_link(&kernel->tree, path, target);
	tree_format(path, "sys/devices/pci0000:00/%s/virtfn%u", card, number);
	tree_format(target, "../%s", function->address);
	tree_link(&kernel->tree, path, target);
}

void fake_set_vfs(const struct fake_kernel *kernel, const char *address, unsigned count,
		  const char *vfs, const char *eswitch)
{
	char text[8];

	snprintf(text, sizeof(text), "%u", count);
	tree_attribute(&kernel->tree, address, "sriov_numvfs", text);
	link_functions(&kernel->tree, address, count);
	set_file(&kernel->tree, address, "vfs", vfs);
	set_file(&kernel->tree, address, "eswitch", eswitch);
}

void assert_vfs(const struct fake_kernel *kernel, const char *address, const char *vfs,
		const char *eswitch)
{
	cleanup_free char *now = get_file(&kernel->tree, address, "vfs");
	cleanup_free char *mode = get_file(&kernel->tree, address, "eswitch");

	assert_string_equal(now, vfs);
	assert_string_equal(mode, eswitch);
}

void fake_refuse(const struct fake_kernel *kernel, const char *address, const char *what)
{
	set_file(&kernel->tree, address, "refuses", what);
}

static bool refuses(const struct tree *tree, const char *address, const char *what)
{
	cleanup_free char *refused = get_file(tree, address, "refuses");

	return strcmp(refused, what) == 0;
}

/* ---- rtnetlink */

/* The card whose interface has that index. */
static bool find_card(const struct tree *tree, uint32_t index, char address[NAME_SIZE])
{
	struct strings cards = { 0 };
	bool found = false;

	sysroot_list(&tree->root, CARDS, &cards);
	for (size_t i = 0; !found && i < cards.count; i++) {
		cleanup_free char *name = NULL, *text = NULL;
		char path[PATH_MAX];

		tree_format(path, CARDS "/%s", cards.items[i]);
		name = tree_read(tree, path);
		tree_format(path, NET_CLASS "%s/ifindex", name);
		found = sysroot_read_attribute(&tree->root, path, &text) == 0 &&
			(uint32_t)atoi(text) == index;
		if (found)
			snprintf(address, NAME_SIZE, "%s", cards.items[i]);
	}
	strings_done(&cards);
	return found;
}

static void add_pair(struct netlink_message *answer, uint16_t type, unsigned number, int value)
{
	const uint32_t pair[] = { number, (uint32_t)value };

	netlink_add_attribute(answer, type, pair, sizeof(pair));
}

/* As rtnl_fill_vfinfo() in net/core/rtnetlink.c does. */
static void add_vf(struct netlink_message *answer, const struct vf *vf)
{
	struct ifla_vf_mac mac = { .vf = vf->number };
	struct ifla_vf_vlan vlan = { vf->number, vf->vlan, vf->qos };
	struct ifla_vf_vlan_info info = { vf->number, vf->vlan, vf->qos, htons(vf->protocol) };
	struct ifla_vf_rate rate = { vf->number, vf->min_rate, vf->max_rate };
	size_t nest = netlink_begin_nest(answer, IFLA_VF_INFO), list;

	memcpy(mac.mac, vf->mac, sizeof(vf->mac));
	netlink_add_attribute(answer, IFLA_VF_MAC, &mac, sizeof(mac));
	netlink_add_attribute(answer, IFLA_VF_BROADCAST, mac.mac, sizeof(mac.mac));
	netlink_add_attribute(answer, IFLA_VF_VLAN, &vlan, sizeof(vlan));
	netlink_add_attribute(answer, IFLA_VF_RATE, &rate, sizeof(rate));
	add_pair(answer, IFLA_VF_TX_RATE, vf->number, (int)vf->max_rate);
	add_pair(answer, IFLA_VF_SPOOFCHK, vf->number, vf->spoof_check);
	add_pair(answer, IFLA_VF_LINK_STATE, vf->number, (int)vf->link_state);
	add_pair(answer, IFLA_VF_RSS_QUERY_EN, vf->number, vf->rss_query);
	add_pair(answer, IFLA_VF_TRUST, vf->number, vf->trust);
	list = netlink_begin_nest(answer, IFLA_VF_VLAN_LIST);
	netlink_add_attribute(answer, IFLA_VF_VLAN_INFO, &info, sizeof(info));
	netlink_end_nest(answer, list);
	netlink_end_nest(answer, nest);
}

static void get_link(const struct tree *tree, const char *address, struct netlink_message *answer)
{
	const struct ifinfomsg header = { .ifi_type = ARPHRD_ETHER };
	struct vfs vfs = { 0 };
	size_t list;

	read_vfs(tree, address, &vfs);
	netlink_begin(answer, RTM_NEWLINK, 0);
	netlink_add(answer, &header, sizeof(header));
	netlink_add_text(answer, IFLA_IFNAME, "of no importance");
	list = netlink_begin_nest(answer, IFLA_VFINFO_LIST);
	for (size_t i = 0; i < vfs.count; i++)
		add_vf(answer, &vfs.items[i]);
	netlink_end_nest(answer, list);
	vfs_done(&vfs);
}

static int set_vf(struct vf *vf, uint16_t type, struct bytes value)
{
	struct bytes info;

	switch (type) {
	case IFLA_VF_MAC:
		memcpy(vf->mac, value.data + 4, sizeof(vf->mac));
		return 0;
	case IFLA_VF_VLAN_LIST:
		if (!netlink_find(value, IFLA_VF_VLAN_INFO, &info))
			return -EINVAL;
		vf->vlan = (uint16_t)netlink_u32(info, 4);
		vf->qos = (uint8_t)netlink_u32(info, 8);
		vf->protocol = ntohs(netlink_u16(info, 12));
		return 0;
	case IFLA_VF_RATE:
		vf->min_rate = netlink_u32(value, 4);
		vf->max_rate = netlink_u32(value, 8);
		return 0;
	case IFLA_VF_LINK_STATE:
		vf->link_state = netlink_u32(value, 4);
		return 0;
	case IFLA_VF_SPOOFCHK:
		vf->spoof_check = netlink_u32(value, 4) ? VF_ON : VF_OFF;
		return 0;
	case IFLA_VF_TRUST:
		vf->trust = netlink_u32(value, 4) ? VF_ON : VF_OFF;
		return 0;
	default:
		return -EOPNOTSUPP;
	}
}

/* The function that an attribute is about; a list of VLANs names it in each of them. */
static uint32_t number_in(uint16_t type, struct bytes value)
{
	struct bytes vlan;

	if (type == IFLA_VF_VLAN_LIST && netlink_find(value, IFLA_VF_VLAN_INFO, &vlan))
		value = vlan;
	return netlink_u32(value, 0);
}

static int set_link(const struct tree *tree, const char *address, struct bytes attributes)
{
	struct bytes list, info, value;
	struct vfs vfs = { 0 };
	char name[8];
	uint16_t type;
	int r = -EINVAL;

	if (!netlink_find(attributes, IFLA_VFINFO_LIST, &list) ||
	    !netlink_find(list, IFLA_VF_INFO, &info) || !netlink_next(&info, &type, &value))
		return r;
	read_vfs(tree, address, &vfs);
	snprintf(name, sizeof(name), "%u", type);
	if (refuses(tree, address, name))
		r = -EOPNOTSUPP;
	else if (number_in(type, value) < vfs.count)
		r = set_vf(&vfs.items[number_in(type, value)], type, value);
	if (r == 0)
		write_vfs(tree, address, &vfs);
	vfs_done(&vfs);
	return r;
}

/* ---- devlink */

static void get_family(struct netlink_message *answer)
{
	const struct genlmsghdr header = { .cmd = CTRL_CMD_NEWFAMILY };
	const uint16_t number = DEVLINK;

	netlink_begin(answer, GENL_ID_CTRL, 0);
	netlink_add(answer, &header, sizeof(header));
	netlink_add_text(answer, CTRL_ATTR_FAMILY_NAME, DEVLINK_GENL_NAME);
	netlink_add_attribute(answer, CTRL_ATTR_FAMILY_ID, &number, sizeof(number));
}

static void get_eswitch(const struct tree *tree, const char *address,
			struct netlink_message *answer)
{
	const struct genlmsghdr header = { .cmd = DEVLINK_CMD_ESWITCH_GET };
	cleanup_free char *mode = get_file(tree, address, "eswitch");
	const uint16_t number = strcmp(mode, "switchdev") == 0;

	netlink_begin(answer, DEVLINK, 0);
	netlink_add(answer, &header, sizeof(header));
	netlink_add_text(answer, DEVLINK_ATTR_DEV_NAME, address);
	netlink_add_attribute(answer, DEVLINK_ATTR_ESWITCH_MODE, &number, sizeof(number));
}

/* As most drivers do: not with virtual functions (ice_eswitch_mode_set()). */
static int set_eswitch(const struct tree *tree, const char *address, struct bytes attributes)
{
	struct vfs vfs = { 0 };
	struct bytes mode;
	int r = -EINVAL;

	read_vfs(tree, address, &vfs);
	if (vfs.count > 0)
		r = -EOPNOTSUPP;
	else if (netlink_find(attributes, DEVLINK_ATTR_ESWITCH_MODE, &mode))
		r = 0;
	if (r == 0)
		set_file(tree, address, "eswitch", netlink_u16(mode, 0) ? "switchdev" : "legacy");
	vfs_done(&vfs);
	return r;
}

/* ---- the way in */

static int answer_route(const struct tree *tree, struct bytes request,
			struct netlink_message *answer)
{
	struct bytes rest = bytes_from(request, NLMSG_HDRLEN + sizeof(struct ifinfomsg));
	uint32_t index = netlink_u32(request, NLMSG_HDRLEN + offsetof(struct ifinfomsg, ifi_index));
	char address[NAME_SIZE];

	if (!find_card(tree, index, address))
		return -ENODEV;
	if (netlink_u16(request, 4) == RTM_SETLINK) {
		bool last = write_begins(tree);
		int r = set_link(tree, address, rest);

		write_ends(last);
		return r;
	}
	get_link(tree, address, answer);
	return 0;
}

static int answer_generic(const struct tree *tree, struct bytes request,
			  struct netlink_message *answer)
{
	struct bytes rest = bytes_from(request, NLMSG_HDRLEN + GENL_HDRLEN), name;
	char address[NAME_SIZE], path[PATH_MAX], driver[NAME_SIZE];

	if (netlink_u16(request, 4) == GENL_ID_CTRL) {
		get_family(answer);
		return 0;
	}
	if (!netlink_find(rest, DEVLINK_ATTR_DEV_NAME, &name))
		return -EINVAL;
	snprintf(address, sizeof(address), "%.*s", (int)name.size, (const char *)name.data);
	tree_format(path, CARDS "/%s", address);
	bound_driver(tree, address, driver);
	if (!tree_has(tree, path) || !*driver || strstr(driver, "vfio"))
		return -ENODEV;
	if (bytes_u8(request, NLMSG_HDRLEN) == DEVLINK_CMD_ESWITCH_SET)
		return set_eswitch(tree, address, rest);
	get_eswitch(tree, address, answer);
	return 0;
}

int fake_netlink(const struct sysroot *root, int protocol, const struct netlink_message *request,
		 uint8_t **ret_data, size_t *ret_size)
{
	const struct bytes bytes = { request->data, request->size };
	struct netlink_message answer = { 0 };
	struct tree tree = { .root = *root };
	uint32_t size;
	int r;

	snprintf(tree.path, sizeof(tree.path), "%s", root->path);
	r = protocol == NETLINK_ROUTE ? answer_route(&tree, bytes, &answer)
				      : answer_generic(&tree, bytes, &answer);
	if (r < 0 || answer.size == 0) {
		const struct nlmsgerr error = { .error = r };

		netlink_done(&answer);
		netlink_begin(&answer, NLMSG_ERROR, 0);
		netlink_add(&answer, &error, sizeof(error));
	}
	size = (uint32_t)answer.size;
	memcpy(answer.data, &size, sizeof(size));
	*ret_data = answer.data;
	*ret_size = answer.size;
	return 0;
}
