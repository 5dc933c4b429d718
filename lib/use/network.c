/* SPDX-License-Identifier: GPL-2.0-or-later */
/* use: what the host does with network interfaces. Sends no packet. */
#include "use/network.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/number.h"
#include "pci/device.h"
#include "use/child.h"
#include "use/packet.h"
#include "use/route.h"

#define NET_CLASS    "sys/class/net"
#define UPPER_PREFIX "upper_"
#define ADVERTISED   " (advertised by a router or DHCPv6)"
#define OPEN_VSWITCH "ovs-system"
#define FLAG_UP	     0x1u /* IFF_UP in linux/if.h */
#define COROSYNC_MAX ((size_t)1024 * 1024)
#define PPPOE_MAX    ((size_t)1024 * 1024)

/* One of the function's own interfaces, or one that is built on it. */
struct interface {
	char name[IFNAMSIZ];
	char base[IFNAMSIZ]; /* the own one; the name again where it is one */
};

/* What the host says, and the interfaces that count. */
struct network {
	const struct sysroot *root;
	struct routing routing;
	struct strings rings; /* corosync's addresses, as inet_ntop(3) writes them */
	char *pppoe;	      /* /proc/net/pppoe, or NULL */
	struct interface *interfaces;
	size_t count;
	struct network_sight *sight;
};

static void network_done(struct network *network)
{
	routing_done(&network->routing);
	strings_done(&network->rings);
	free(network->pppoe);
	free(network->interfaces);
}

static void interface_path(char path[SYSROOT_PATH_MAX], const char *name, const char *attribute)
{
	snprintf(path, SYSROOT_PATH_MAX, "%s/%s/%s", NET_CLASS, name, attribute);
}

static int add_interface(struct network *network, const char *name, const char *base)
{
	struct interface *added;

	for (size_t i = 0; i < network->count; i++)
		if (strcmp(network->interfaces[i].name, name) == 0)
			return 0;
	if (array_reserve(&network->interfaces, network->count, sizeof(*added)) < 0)
		return -ENOMEM;
	added = &network->interfaces[network->count++];
	snprintf(added->name, sizeof(added->name), "%s", name);
	snprintf(added->base, sizeof(added->base), "%s", base);
	return 0;
}

static int add_own(struct network *network, const char *address)
{
	cleanup_strings struct strings names = { 0 };
	int r = child_list(network->root, NET_CLASS, address, &names);

	for (size_t i = 0; r == 0 && i < names.count; i++)
		r = add_interface(network, names.items[i], names.items[i]);
	return r;
}

/* What is built on them, and on that in turn: the list grows while it is walked. */
static int add_uppers(struct network *network)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < network->count; i++) {
		const struct interface interface = network->interfaces[i];
		cleanup_strings struct strings names = { 0 };
		char path[SYSROOT_PATH_MAX];

		interface_path(path, interface.name, "");
		r = sysroot_list(network->root, path, &names);
		if (r == -ENOENT)
			r = 0;
		for (size_t j = 0; r == 0 && j < names.count; j++)
			if (text_starts_with(names.items[j], UPPER_PREFIX))
				r = add_interface(network, names.items[j] + strlen(UPPER_PREFIX),
						  interface.base);
	}
	return r;
}

/*
 * "	ring0_addr: 10.0.0.1". A name in place of an address is passed over: the address it
 * represents is a use of the interface anyway.
 */
static int add_ring(struct network *network, const char *line)
{
	char text[INET6_ADDRSTRLEN];
	unsigned char address[sizeof(struct in6_addr)];
	const char *value;
	int family;

	line += strspn(line, " \t");
	if (!text_starts_with(line, "ring") || !(value = strstr(line, "_addr:")))
		return 0;
	value += strlen("_addr:");
	value += strspn(value, " \t");
	snprintf(text, sizeof(text), "%.*s", (int)strcspn(value, " \t\r"), value);
	family = strchr(text, ':') ? AF_INET6 : AF_INET;
	if (inet_pton(family, text, address) != 1 ||
	    !inet_ntop(family, address, text, sizeof(text)))
		return 0;
	return strings_add(&network->rings, text);
}

/* The copy corosync itself reads; that of the cluster's file system goes there. */
static int read_corosync(struct network *network)
{
	cleanup_free char *data = NULL;
	char *rest, *line;
	size_t size;
	int r;

	r = sysroot_read(network->root, "etc/corosync/corosync.conf", COROSYNC_MAX, &data, &size);
	if (r == -ENOENT)
		return 0;
	rest = data;
	while (r == 0 && (line = strsep(&rest, "\n")))
		r = add_ring(network, line);
	return r;
}

static int read_host(struct network *network, struct error *err)
{
	size_t size;
	int r;

	r = routing_read(network->root, &network->routing, err);
	if (r < 0)
		return r;
	r = read_corosync(network);
	if (r < 0)
		return error_set(err, r, "cannot read /etc/corosync/corosync.conf: %s",
				 strerror(-r));
	r = sysroot_read(network->root, "proc/net/pppoe", PPPOE_MAX, &network->pppoe, &size);
	if (r < 0 && r != -ENOENT)
		return error_set(err, r, "cannot read /proc/net/pppoe: %s", strerror(-r));
	return 0;
}

/* "has the address 192.0.2.2 (corosync's) and 2001:db8::2", or nothing. */
static void describe_addresses(const struct network *network, const char *name, struct text *words)
{
	bool any = false;

	for (size_t i = 0; i < network->routing.address_count; i++) {
		const struct interface_address *address = &network->routing.addresses[i];

		if (strcmp(address->interface, name) != 0)
			continue;
		text_add(words, "%s%s%s", any ? " and " : "has the address ", address->text,
			 strings_has(&network->rings, address->text) ? " (corosync's)"
			 : address->lent			     ? ADVERTISED
								     : "");
		any = true;
	}
}

static void add_words(struct text *words, const char *more)
{
	text_add(words, "%s%s", words->size ? ", " : "", more);
}

/* A route beside an address says little, but for the default one. */
static void describe_routes(const struct network *network, const char *name, struct text *words)
{
	bool any = false, is_default = false;

	for (size_t i = 0; i < network->routing.route_count; i++) {
		const struct interface_route *route = &network->routing.routes[i];

		if (strcmp(route->interface, name) != 0)
			continue;
		any = true;
		is_default |= route->is_default;
	}
	if (is_default)
		add_words(words, "carries the default route");
	else if (any && !words->size)
		add_words(words, "carries a route");
}

/* A line of /proc/net/pppoe ends with the interface: pppoe_seq_show() in drivers/net/ppp/pppoe.c. */
static bool carries_pppoe(const struct network *network, const char *name)
{
	size_t length = strlen(name);

	for (const char *line = network->pppoe; line && *line;) {
		const char *end = strchrnul(line, '\n');

		if ((size_t)(end - line) > length && end[-(ptrdiff_t)length - 1] == ' ' &&
		    strncmp(end - length, name, length) == 0)
			return true;
		line = *end ? end + 1 : end;
	}
	return false;
}

bool network_is_up(const struct sysroot *root, const char *name)
{
	char path[SYSROOT_PATH_MAX];
	unsigned flags;

	interface_path(path, name, "flags");
	return sysroot_read_hex(root, path, &flags) < 0 || flags & FLAG_UP;
}

bool network_has_link(const struct sysroot *root, const char *name)
{
	cleanup_free char *state = NULL;
	char path[SYSROOT_PATH_MAX];

	interface_path(path, name, "operstate");
	return sysroot_read_attribute(root, path, &state) < 0 || strcmp(state, "down") != 0;
}

static const char *kind_of(const struct network *network, const char *name)
{
	char path[SYSROOT_PATH_MAX];

	interface_path(path, name, "bridge");
	if (sysroot_exists(network->root, path))
		return "bridge";
	interface_path(path, name, "bonding");
	if (sysroot_exists(network->root, path))
		return "bond";
	return "interface";
}

/* Open vSwitch's own interface is never up, and its bridges are not built on their ports. */
static int describe_master(const struct network *network, const char *name, struct text *words)
{
	cleanup_free char *master = NULL;
	char path[SYSROOT_PATH_MAX];
	int r;

	interface_path(path, name, "master");
	r = sysroot_link_name(network->root, path, &master);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	if (strcmp(master, OPEN_VSWITCH) == 0)
		add_words(words, "is a port of Open vSwitch");
	else if (network_is_up(network->root, master))
		text_add(words, "%sis a port of the %s %s, which is up", words->size ? ", " : "",
			 kind_of(network, master), master);
	return 0;
}

/* One that a VM or a container is given, and that needs no address here. */
static bool is_given_away(const struct network *network, const char *name)
{
	char path[SYSROOT_PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", NET_CLASS, name);
	return net_is_given_away(network->root, path);
}

/* False where it has none: it was renamed, or is gone. */
static bool read_index(const struct network *network, const char *name, unsigned *ret)
{
	cleanup_free char *text = NULL;
	char path[SYSROOT_PATH_MAX];

	interface_path(path, name, "ifindex");
	return sysroot_read_attribute(network->root, path, &text) == 0 && parse_u32(text, ret) == 0;
}

/* What is built on it elsewhere: "has eth0 of container 200 (process 7) built on it (macvlan, …)". */
static int describe_children(const struct network *network, unsigned index, struct text *words)
{
	const struct net_children *children = &network->sight->children;
	struct holders *holders = &network->sight->holders;

	for (size_t i = 0; i < children->count; i++) {
		cleanup_holder struct holder holder = { 0 };
		cleanup_free char *owner = NULL;
		cleanup_text struct text child = { 0 };

		if (children->items[i].parent != index)
			continue;
		if (holder_read(network->root, children->items[i].pid, &holder) < 0 ||
		    holders_add(holders, &holder) < 0 || !(owner = holder_words(&holder)))
			return -ENOMEM;
		text_add(&child, "has %s of %s built on it (macvlan, macvtap or ipvlan)",
			 children->items[i].name, owner);
		if (child.failed)
			return -ENOMEM;
		add_words(words, child.data);
	}
	return 0;
}

/* Who uses it without an address of the host's. */
static int describe_others(const struct network *network, const char *name, struct text *words,
			   struct error *err)
{
	struct strings *sockets = network->sight->sockets;
	unsigned index;
	uint32_t id;
	int r;

	if (!read_index(network, name, &index))
		return 0;
	r = net_children_read(network->root, &network->sight->children);
	if (r == 0)
		r = describe_children(network, index, words);
	if (r == 0 && sockets)
		r = packet_sockets_find(network->root, name, index, sockets);
	if (r < 0)
		return r;
	r = xdp_program_find(network->root, index, &id);
	if (r < 0)
		return error_set(err, r, "cannot ask for the XDP program of %s: %s", name,
				 strerror(-r));
	if (id > 0)
		text_add(words, "%shas the XDP program %u", words->size ? ", " : "", id);
	return 0;
}

static int tell_uses(const struct network *network, const struct interface *interface,
		     struct strings *uses, struct error *err)
{
	bool own = strcmp(interface->name, interface->base) == 0;
	cleanup_text struct text words = { 0 };
	cleanup_free char *sentence = NULL;
	int r;

	describe_addresses(network, interface->name, &words);
	describe_routes(network, interface->name, &words);
	if (carries_pppoe(network, interface->name))
		add_words(&words, "carries PPPoE");
	if (!own && !words.size && is_given_away(network, interface->name) &&
	    network_is_up(network->root, interface->name))
		add_words(&words, "is up for a VM or a container (macvlan, macvtap or ipvlan)");
	r = describe_master(network, interface->name, &words);
	if (r == 0)
		r = describe_others(network, interface->name, &words, err);
	if (r < 0 || (!words.size && !words.failed))
		return r;
	if (words.failed)
		return -ENOMEM;
	if (own)
		sentence = text_format("%s %s", interface->name, words.data);
	else
		sentence = text_format("%s, built on %s, %s", interface->name, interface->base,
				       words.data);
	return sentence ? strings_add(uses, sentence) : -ENOMEM;
}

/* sysfs shows only the interfaces of its own namespace, but their folder stays. */
static bool is_emptied(const struct sysroot *root, const char *folder)
{
	cleanup_strings struct strings names = { 0 };

	return sysroot_list(root, folder, &names) == 0 && names.count == 0;
}

static int tell_moved(const struct sysroot *root, const char *address, struct strings *uses)
{
	cleanup_strings struct strings names = { 0 };
	char path[SYSROOT_PATH_MAX];
	bool moved;
	int r;

	pci_attribute_path(path, address, "net");
	moved = is_emptied(root, path);
	pci_attribute_path(path, address, "");
	r = sysroot_list(root, path, &names);
	for (size_t i = 0; r == 0 && !moved && i < names.count; i++) {
		if (!text_starts_with(names.items[i], "virtio"))
			continue;
		snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/%s/net", address,
			 names.items[i]);
		moved = is_emptied(root, path);
	}
	if (moved)
		return strings_add(uses, "its network interface is in another network namespace, "
					 "a container's");
	return r == -ENOENT ? 0 : r;
}

bool network_use_is_advertised(const char *sentence)
{
	size_t addresses = 1, advertised = 0;

	for (const char *at = sentence; (at = strstr(at, " and ")); at++)
		addresses++;
	for (const char *at = sentence; (at = strstr(at, ADVERTISED)); at++)
		advertised++;
	return !strchr(sentence, ',') && advertised == addresses;
}

int network_uses_find(const struct sysroot *root, const char *address, struct network_sight *sight,
		      struct strings *uses, struct error *err)
{
	cleanup(network_done) struct network network = { .root = root, .sight = sight };
	struct error reason = { 0 };
	int r;

	r = add_own(&network, address);
	if (r == 0)
		r = add_uppers(&network);
	if (r == 0 && network.count > 0) {
		r = read_host(&network, err);
		if (r < 0)
			return r;
	}
	if (r == 0)
		r = tell_moved(root, address, uses);
	for (size_t i = 0; r == 0 && i < network.count; i++)
		r = tell_uses(&network, &network.interfaces[i], uses, &reason);
	if (r < 0 && *reason.message)
		return error_set(err, r, "%s", reason.message);
	if (r < 0)
		return error_set(err, r, "cannot read the network interfaces in /%s: %s", NET_CLASS,
				 strerror(-r));
	return 0;
}

void network_sight_done(struct network_sight *sight)
{
	holders_done(&sight->holders);
	net_children_done(&sight->children);
}
