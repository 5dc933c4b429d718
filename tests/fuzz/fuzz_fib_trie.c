/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz: addresses and routes of a recorded tree: net/fib_trie, and after a line "#" each net/route,
 * net/if_inet6 and net/ipv6_route. Each address and route is of an interface, and each address is one.
 */
#include "tests/unit/tree.h"
#include "use/route.h"

#include <arpa/inet.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const files[] = { "proc/net/fib_trie", "proc/net/route",
					     "proc/net/if_inet6", "proc/net/ipv6_route" };
	static struct tree tree;
	cleanup_routing struct routing routing = { 0 };
	struct error err = { 0 };

	if (!tree.root.path)
		tree_make(&tree);
	for (size_t i = 0; i < 4; i++) {
		const uint8_t *end = i == 3 ? NULL : memmem(data, size, "\n#\n", 3);
		size_t own = end ? (size_t)(end - data) + 1 : size;

		tree_bytes(&tree, files[i], data, own);
		data += end ? own + 2 : own;
		size -= end ? own + 2 : own;
	}
	if (routing_read(&tree.root, &routing, &err) < 0)
		return 0;
	for (size_t i = 0; i < routing.address_count; i++) {
		const struct interface_address *address = &routing.addresses[i];
		struct in6_addr any;

		if (!*address->interface || (inet_pton(AF_INET, address->text, &any) != 1 &&
					     inet_pton(AF_INET6, address->text, &any) != 1))
			abort();
	}
	for (size_t i = 0; i < routing.route_count; i++)
		if (!*routing.routes[i].interface)
			abort();
	return 0;
}
