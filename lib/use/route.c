/* SPDX-License-Identifier: GPL-2.0-or-later */
/* use: addresses and routes. Sends no packet. */
#include "use/route.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/number.h"
#include "host/netlink.h"

/* A router with all routes of the internet has a million lines. */
#define PROC_NET_MAX ((size_t)256 * 1024 * 1024)

/* Flags of a route: linux/route.h (RTF_UP …), and RTF_LOCAL in linux/ipv6_route.h. */
#define ROUTE_UP      0x0001u
#define ROUTE_GATEWAY 0x0002u
#define ROUTE_REJECT  0x0200u
#define ROUTE_LOCAL   0x80000000u

/* A line of net/route: Iface Destination Gateway Flags RefCnt Use Metric Mask … */
enum { ROUTE4_INTERFACE, ROUTE4_DESTINATION, ROUTE4_FLAGS = 3, ROUTE4_MASK = 7 };

/* A line of net/ipv6_route: destination, its length, source, its length, gateway, metric, … */
enum { ROUTE6_LENGTH = 1, ROUTE6_FLAGS = 8, ROUTE6_INTERFACE };

/* A line of net/if_inet6: address, index, length, scope, flags, name. */
enum { ADDRESS6_ADDRESS, ADDRESS6_FLAGS = 4, ADDRESS6_INTERFACE };

/* IFA_F_PERMANENT in linux/if_addr.h: nobody has to renew it. */
#define FLAG_PERMANENT 0x80u

#define FIELDS_MAX     10

/* The network an IPv4 route leads to; numbers as in net/route, which is memory order. */
struct network {
	char interface[IFNAMSIZ];
	uint32_t destination, mask;
};

struct networks {
	struct network *items;
	size_t count;
};

/* Splits a line at blanks; a field it does not have is "". */
static void split(char *line, char *fields[FIELDS_MAX])
{
	char *rest = line, *end = line + strlen(line);

	for (size_t i = 0; i < FIELDS_MAX; i++) {
		char *field = strtok_r(rest, " \t", &rest);

		fields[i] = field ? field : end;
	}
}

static void copy_name(char interface[IFNAMSIZ], const char *name)
{
	/* The label of an address, "vmbr0:1", is not a name: dev_valid_name() in net/core/dev.c. */
	snprintf(interface, IFNAMSIZ, "%.*s", (int)strcspn(name, ":"), name);
}

static int add_address(struct routing *routing, const char *name, int family, const void *address)
{
	struct interface_address added = { 0 };

	copy_name(added.interface, name);
	inet_ntop(family, address, added.text, sizeof(added.text));
	/* net/fib_trie has each address once for every table. */
	for (size_t i = 0; i < routing->address_count; i++)
		if (strcmp(routing->addresses[i].interface, added.interface) == 0 &&
		    strcmp(routing->addresses[i].text, added.text) == 0)
			return 0;
	if (array_reserve(&routing->addresses, routing->address_count, sizeof(added)) < 0)
		return -ENOMEM;
	routing->addresses[routing->address_count++] = added;
	return 0;
}

static int add_route(struct routing *routing, const char *name, bool is_default)
{
	struct interface_route *added;

	if (array_reserve(&routing->routes, routing->route_count, sizeof(*added)) < 0)
		return -ENOMEM;
	added = &routing->routes[routing->route_count++];
	copy_name(added->interface, name);
	added->is_default = is_default;
	return 0;
}

static int read_lines(const struct sysroot *root, const char *path,
		      int (*parse)(char *line, void *context), void *context)
{
	cleanup_free char *data = NULL;
	char *rest, *line;
	size_t size;
	int r;

	r = sysroot_read(root, path, PROC_NET_MAX, &data, &size);
	rest = data;
	while (r == 0 && (line = strsep(&rest, "\n")))
		r = parse(line, context);
	return r;
}

/* What the parsers fill. */
struct reading {
	struct routing *routing;
	struct networks networks; /* that an interface is in */
	struct in_addr leaf;	  /* of net/fib_trie: the address the next line is about */
};

static int add_network(struct networks *networks, const char *name, uint32_t destination,
		       uint32_t mask)
{
	struct network *added;

	if (array_reserve(&networks->items, networks->count, sizeof(*added)) < 0)
		return -ENOMEM;
	added = &networks->items[networks->count++];
	copy_name(added->interface, name);
	added->destination = destination;
	added->mask = mask;
	return 0;
}

static int parse_route4(char *line, void *context)
{
	struct reading *reading = context;
	uint32_t destination, mask, flags;
	char *fields[FIELDS_MAX];
	int r;

	split(line, fields);
	/* The line of titles, and the empty one at the end. */
	if (parse_hex_u32(fields[ROUTE4_DESTINATION], &destination) < 0 ||
	    parse_hex_u32(fields[ROUTE4_MASK], &mask) < 0 ||
	    parse_hex_u32(fields[ROUTE4_FLAGS], &flags) < 0)
		return 0;
	if (!(flags & ROUTE_UP) || flags & ROUTE_REJECT)
		return 0;
	r = add_route(reading->routing, fields[ROUTE4_INTERFACE], mask == 0);
	if (r == 0 && mask != 0 && !(flags & ROUTE_GATEWAY))
		r = add_network(&reading->networks, fields[ROUTE4_INTERFACE], destination, mask);
	return r;
}

/* Every interface that is up has routes to fe80::/64 and ff00::/8; those tell nothing. */
static int parse_route6(char *line, void *context)
{
	struct reading *reading = context;
	char *fields[FIELDS_MAX];
	uint32_t length, flags;

	split(line, fields);
	if (parse_hex_u32(fields[ROUTE6_LENGTH], &length) < 0 ||
	    parse_hex_u32(fields[ROUTE6_FLAGS], &flags) < 0)
		return 0;
	if (!(flags & ROUTE_UP) || flags & (ROUTE_REJECT | ROUTE_LOCAL))
		return 0;
	if (length > 0 && !(flags & ROUTE_GATEWAY))
		return 0;
	return add_route(reading->routing, fields[ROUTE6_INTERFACE], length == 0);
}

static int parse_address6(char *line, void *context)
{
	struct reading *reading = context;
	struct in6_addr address;
	char *fields[FIELDS_MAX];
	uint64_t flags;
	size_t before;
	int r;

	split(line, fields);
	if (strlen(fields[ADDRESS6_ADDRESS]) != 2 * sizeof(address))
		return 0;
	for (size_t i = 0; i < sizeof(address); i++) {
		uint64_t byte;

		if (parse_number(fields[ADDRESS6_ADDRESS] + 2 * i, 2, 16, UINT8_MAX, &byte) < 0)
			return 0;
		address.s6_addr[i] = (uint8_t)byte;
	}
	if (IN6_IS_ADDR_LINKLOCAL(&address))
		return 0;
	before = reading->routing->address_count;
	r = add_address(reading->routing, fields[ADDRESS6_INTERFACE], AF_INET6, &address);
	if (r == 0 && reading->routing->address_count > before &&
	    parse_number(fields[ADDRESS6_FLAGS], strlen(fields[ADDRESS6_FLAGS]), 16, UINT32_MAX,
			 &flags) == 0)
		reading->routing->addresses[before].lent = !(flags & FLAG_PERMANENT);
	return r;
}

/*
 *         |-- 192.0.2.2
 *            /32 host LOCAL
 */
static int parse_fib_trie(char *line, void *context)
{
	struct reading *reading = context;
	char *fields[FIELDS_MAX];

	split(line, fields);
	if (strcmp(fields[0], "|--") == 0 && inet_pton(AF_INET, fields[1], &reading->leaf) != 1)
		reading->leaf.s_addr = 0;
	if (strcmp(fields[0], "/32") != 0 || strcmp(fields[2], "LOCAL") != 0)
		return 0;
	for (size_t i = 0; i < reading->networks.count; i++) {
		const struct network *network = &reading->networks.items[i];

		if ((reading->leaf.s_addr & network->mask) == network->destination)
			return add_address(reading->routing, network->interface, AF_INET,
					   &reading->leaf);
	}
	return 0;
}

static int read_live_addresses(struct routing *routing)
{
	struct ifaddrs *addresses;
	int r = 0;

	if (getifaddrs(&addresses) < 0)
		return -errno;
	for (const struct ifaddrs *at = addresses; r == 0 && at; at = at->ifa_next) {
		struct sockaddr_in address;

		if (!at->ifa_addr || at->ifa_addr->sa_family != AF_INET)
			continue;
		memcpy(&address, at->ifa_addr, sizeof(address));
		r = add_address(routing, at->ifa_name, AF_INET, &address.sin_addr);
	}
	freeifaddrs(addresses);
	return r;
}

static int read_all(const struct sysroot *root, struct reading *reading)
{
	int r;

	r = read_lines(root, "proc/net/route", parse_route4, reading);
	if (r == 0 && root->live)
		r = netlink_is_silent(root) ? -ETIMEDOUT : read_live_addresses(reading->routing);
	else if (r == 0)
		r = read_lines(root, "proc/net/fib_trie", parse_fib_trie, reading);
	if (r < 0)
		return r;
	r = read_lines(root, "proc/net/if_inet6", parse_address6, reading);
	if (r == 0)
		r = read_lines(root, "proc/net/ipv6_route", parse_route6, reading);
	return r == -ENOENT ? 0 : r;
}

int routing_read(const struct sysroot *root, struct routing *ret, struct error *err)
{
	cleanup_routing struct routing routing = { 0 };
	struct reading reading = { .routing = &routing };
	int r = read_all(root, &reading);

	free(reading.networks.items);
	if (r < 0)
		return error_set(err, r, "cannot read the network's addresses and routes: %s",
				 strerror(-r));
	*ret = TAKE_STRUCT(routing);
	return 0;
}

void routing_done(struct routing *routing)
{
	free(routing->addresses);
	free(routing->routes);
	*routing = (struct routing){ 0 };
}
