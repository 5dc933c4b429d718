/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * use: the addresses of the host's network interfaces, and the routes over them.
 */
#pragma once

#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

#include "host/sysroot.h"

/* An address that somebody gave to an interface: link-local IPv6, which each one has, is left out. */
struct interface_address {
	char interface[IFNAMSIZ];
	char text[INET6_ADDRSTRLEN]; /* as inet_ntop(3) writes it */
	bool lent;		     /* IPv6, for a time: no IFA_F_PERMANENT (linux/if_addr.h) */
};

/* A route that leads over an interface to something beyond its own network. */
struct interface_route {
	char interface[IFNAMSIZ];
	bool is_default; /* to everywhere */
};

/* Started as { 0 }. */
struct routing {
	struct interface_address *addresses;
	size_t address_count;
	struct interface_route *routes;
	size_t route_count;
};

/*
 * Reads both from the files of proc(5): net/if_inet6, net/route, net/ipv6_route. No file has the
 * IPv4 addresses with their interfaces: on the running machine they come from getifaddrs(3); in a
 * recorded tree each local one of net/fib_trie is given to the interface with the route to its
 * network. IPv4 routes are those of the main table. A kernel without IPv6 has none of its files;
 * any other that cannot be read is an error. May block as netlink does.
 */
int routing_read(const struct sysroot *root, struct routing *ret, struct error *err) must_check;
void routing_done(struct routing *routing);
#define cleanup_routing cleanup(routing_done)
