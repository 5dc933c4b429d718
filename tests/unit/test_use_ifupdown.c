/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: lib/use/ifupdown.c */
#include "test.h"
#include "tree.h"

#include "base/array.h"
#include "use/ifupdown.h"

static void assert_reason(const struct ifupdown *ifupdown, const char *name, const char *reason)
{
	const char *got = ifupdown_reason(ifupdown, name);

	assert_string_equal(got ? got : "none", reason);
}

/* As Proxmox VE writes it, and by hand. */
static void test_read(void **state)
{
	const struct tree *tree = *state;
	cleanup_ifupdown struct ifupdown ifupdown = { 0 }, none = { 0 };

	assert_int_equal(ifupdown_read(&tree->root, &none), 0);
	assert_int_equal(none.count, 0);
	tree_file(tree, "etc/network/interfaces",
		  "# network\n"
		  "auto lo\n"
		  "iface lo inet loopback\n"
		  "\n"
		  "iface enp5s0 inet manual\n"
		  "#auto enp9s0\n"
		  "auto enp6s0 enp7s0.100\n"
		  "allow-hotplug enp8s0\n"
		  "auto vmbr0\n"
		  "iface vmbr0 inet static\n"
		  "\taddress 192.0.2.2/24\n"
		  "\tbridge-ports enp5s0 enp4s0f1np1\n"
		  "auto vmbr1\n"
		  "iface vmbr1 inet manual\n"
		  "\tbridge-ports none\n");
	tree_file(tree, "etc/network/interfaces.d/bond",
		  "iface bond0 inet manual\n"
		  "\tbond-slaves eno1\teno2\n");
	assert_int_equal(ifupdown_read(&tree->root, &ifupdown), 0);
	assert_reason(&ifupdown, "enp5s0", "a port of vmbr0, line 12 of /etc/network/interfaces");
	assert_reason(&ifupdown, "enp4s0f1np1",
		      "a port of vmbr0, line 12 of /etc/network/interfaces");
	assert_reason(&ifupdown, "enp6s0", "auto, line 7 of /etc/network/interfaces");
	assert_reason(&ifupdown, "enp7s0", "auto, line 7 of /etc/network/interfaces");
	assert_reason(&ifupdown, "enp8s0", "none");
	assert_reason(&ifupdown, "enp9s0", "none");
	assert_reason(&ifupdown, "none", "none");
	assert_reason(&ifupdown, "eno2",
		      "a port of bond0, line 2 of /etc/network/interfaces.d/bond");
}

static void test_name_address(void **state)
{
	static const struct {
		const char *name, *address;
	} rows[] = {
		{ "enp5s0", "0000:05:00.0" },
		{ "enp65s0f1np1", "0000:41:00.1" },
		{ "enP2p1s31f7", "0002:01:1f.7" },
		{ "enp5s0v3", NULL }, /* a virtual function's */
		{ "enp5s0f8", NULL }, /* no such function */
		{ "enp256s0", NULL },
		{ "enp5", NULL },
		{ "eno1", NULL },
		{ "ens1f0", NULL },
		{ "eth0", NULL },
		{ "enps0", NULL },
		{ "enp5s0np", NULL },
		{ "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char address[16] = "";

		assert_int_equal(ifupdown_name_address(rows[i].name, address),
				 rows[i].address != NULL);
		assert_string_equal(address, rows[i].address ? rows[i].address : "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(test_read),
		cmocka_unit_test(test_name_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
