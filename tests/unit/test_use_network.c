/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the host does with network interfaces, on built trees. */
#include "test.h"
#include "tree.h"

#include <errno.h>
#include <linux/rtnetlink.h>

#include "host/netlink.h"
#include "use/network.h"

#define ADDRESS "0000:01:00.0"
#define VIRTUAL "devices/virtual/net/"
#define TITLES4 "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\n"

static void add_interface(const struct tree *tree, const char *folder, const char *name,
			  const char *flags)
{
	char path[PATH_MAX], target[PATH_MAX];

	tree_format(path, "sys/%s/%s/flags", folder, name);
	tree_file(tree, path, "%s\n", flags);
	tree_format(path, "sys/class/net/%s", name);
	tree_format(target, "../../%s/%s", folder, name);
	tree_link(tree, path, target);
}

/* `upper` is built on `name`; as its master it has it as a port. */
static void stack(const struct tree *tree, const char *name, const char *upper, bool is_master)
{
	char path[PATH_MAX], target[PATH_MAX];

	tree_format(target, "../../../../virtual/net/%s", upper);
	tree_format(path, "sys/class/net/%s/upper_%s", name, upper);
	tree_link(tree, path, target);
	tree_format(path, "sys/class/net/%s/master", name);
	if (is_master)
		tree_link(tree, path, target);
}

/* A NIC that is up and not used, with another one that the host lives on. */
static void build(const struct tree *tree)
{
	tree_add_device(tree, &(struct tree_device){ .address = ADDRESS });
	add_interface(tree, "devices/pci0000:00/" ADDRESS "/net", "enp1s0", "0x1003");
	add_interface(tree, "devices/pci0000:00/0000:02:00.0/net", "enp2s0", "0x1003");
	tree_file(tree, "sys/class/net/bonding_masters", "%s", "");
	tree_file(tree, "proc/net/route",
		  TITLES4 "enp2s0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\n"
			  "enp2s0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\n");
	tree_file(tree, "proc/net/fib_trie",
		  "Local:\n        |-- 127.0.0.1\n           /32 host LOCAL\n"
		  "        |-- 192.0.2.2\n           /32 host LOCAL\n"
		  "        |-- 192.0.2.255\n           /32 link BROADCAST\n");
	tree_file(tree, "proc/net/if_inet6",
		  "fe800000000000005054fffffe123456 02 40 20 80   enp1s0\n"
		  "20010db8000000000000000000000002 03 40 00 80   enp2s0\n");
	tree_file(
		tree, "proc/net/ipv6_route",
		"fe800000000000000000000000000000 40 00000000000000000000000000000000 00 "
		"00000000000000000000000000000000 00000100 00000001 00000000 00000001   enp1s0\n"
		"ff000000000000000000000000000000 08 00000000000000000000000000000000 00 "
		"00000000000000000000000000000000 00000100 00000003 00000000 00000001   enp1s0\n");
}

static void expect(const struct tree *tree, size_t count, const char *const *expected)
{
	cleanup_network_sight struct network_sight sight = { 0 };
	struct strings uses = { 0 };
	struct error err = { 0 };

	assert_int_equal(network_uses_find(&tree->root, ADDRESS, &sight, &uses, &err), 0);
	for (size_t i = 0; i < count && i < uses.count; i++)
		assert_string_equal(uses.items[i], expected[i]);
	assert_int_equal(uses.count, count);
	strings_done(&uses);
}

#define EXPECT(tree, ...)                                                                          \
	expect(tree, COUNT(((const char *const[]){ __VA_ARGS__ })),                                \
	       (const char *const[]){ __VA_ARGS__ })

static void an_interface_that_is_merely_up_is_not_used(void **state)
{
	build(*state);
	expect(*state, 0, NULL);
}

static void no_interface_needs_no_proc(void **state)
{
	tree_add_device(*state, &(struct tree_device){ .address = ADDRESS });
	expect(*state, 0, NULL);
}

static void addresses_and_the_default_route_are_uses(void **state)
{
	build(*state);
	tree_file(*state, "proc/net/route",
		  TITLES4 "enp1s0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\n"
			  "enp1s0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\n");
	tree_file(*state, "proc/net/if_inet6",
		  "20010db8000000000000000000000001 02 40 00 80   enp1s0\n");
	EXPECT(*state, "enp1s0 has the address 192.0.2.2 and 2001:db8::1, carries the default "
		       "route");
}

static void a_route_alone_is_a_use(void **state)
{
	build(*state);
	tree_file(*state, "proc/net/route",
		  TITLES4 "enp1s0\t0000000A\t010200C0\t0003\t0\t0\t0\t000000FF\n");
	EXPECT(*state, "enp1s0 carries a route");
	tree_file(*state, "proc/net/route", TITLES4);
	tree_file(
		*state, "proc/net/ipv6_route",
		"00000000000000000000000000000000 00 00000000000000000000000000000000 00 "
		"fe800000000000000000000000000001 00000400 00000001 00000000 00000003   enp1s0\n");
	EXPECT(*state, "enp1s0 carries the default route");
	/* The one that refuses everything is no route. */
	tree_file(
		*state, "proc/net/ipv6_route",
		"00000000000000000000000000000000 00 00000000000000000000000000000000 00 "
		"00000000000000000000000000000000 ffffffff 00000001 00000000 00200201   enp1s0\n");
	expect(*state, 0, NULL);
}

static void a_port_of_a_bridge_that_is_up(void **state)
{
	struct tree *tree = *state;

	build(tree);
	add_interface(tree, VIRTUAL, "vmbr0", "0x1002");
	tree_folder(tree, "sys/" VIRTUAL "vmbr0/bridge");
	stack(tree, "enp1s0", "vmbr0", true);
	expect(tree, 0, NULL);
	add_interface(tree, VIRTUAL, "vmbr0", "0x1003");
	EXPECT(tree, "enp1s0 is a port of the bridge vmbr0, which is up");
	tree_file(tree, "proc/net/if_inet6",
		  "20010db8000000000000000000000001 02 40 00 80    vmbr0\n");
	EXPECT(tree, "enp1s0 is a port of the bridge vmbr0, which is up",
	       "vmbr0, built on enp1s0, has the address 2001:db8::1");
}

/* A VM or a container has it, and the host no address on it. */
static void a_macvtap_or_macvlan_that_is_up(void **state)
{
	struct tree *tree = *state;

	build(tree);
	add_interface(tree, VIRTUAL, "top0", "0x1002");
	stack(tree, "enp1s0", "top0", false);
	tree_folder(tree, "sys/" VIRTUAL "top0/tap5");
	expect(tree, 0, NULL);
	add_interface(tree, VIRTUAL, "top0", "0x1003");
	EXPECT(tree, "top0, built on enp1s0, is up for a VM or a container (macvlan, macvtap or "
		     "ipvlan)");
	tree_remove(tree, "sys/" VIRTUAL "top0/tap5");
	expect(tree, 0, NULL);
	tree_file(tree, "sys/" VIRTUAL "top0/uevent", "DEVTYPE=ipvlan\nINTERFACE=top0\n");
	EXPECT(tree, "top0, built on enp1s0, is up for a VM or a container (macvlan, macvtap or "
		     "ipvlan)");
}

static void a_bond_with_a_vlan_in_a_bridge(void **state)
{
	struct tree *tree = *state;

	build(tree);
	add_interface(tree, VIRTUAL, "bond0", "0x1002");
	tree_folder(tree, "sys/" VIRTUAL "bond0/bonding");
	add_interface(tree, VIRTUAL, "bond0.5", "0x1003");
	add_interface(tree, VIRTUAL, "vmbr5", "0x1003");
	tree_folder(tree, "sys/" VIRTUAL "vmbr5/bridge");
	stack(tree, "enp1s0", "bond0", true);
	stack(tree, "bond0", "bond0.5", false);
	stack(tree, "bond0.5", "vmbr5", true);
	EXPECT(tree, "bond0.5, built on enp1s0, is a port of the bridge vmbr5, which is up");
}

static void a_vlan_with_an_address_that_is_corosyncs(void **state)
{
	struct tree *tree = *state;

	build(tree);
	add_interface(tree, VIRTUAL, "enp1s0.7", "0x1003");
	stack(tree, "enp1s0", "enp1s0.7", false);
	tree_file(tree, "proc/net/if_inet6",
		  "20010db8000000000000000000000001 02 40 00 80 enp1s0.7\n");
	tree_file(tree, "etc/corosync/corosync.conf",
		  "nodelist {\n  node {\n    name: l1\n    ring0_addr: 2001:db8:0::1\n  }\n}\n");
	EXPECT(tree, "enp1s0.7, built on enp1s0, has the address 2001:db8::1 (corosync's)");
}

static void ports_of_open_vswitch_and_pppoe(void **state)
{
	struct tree *tree = *state;

	build(tree);
	add_interface(tree, VIRTUAL, "ovs-system", "0x1002");
	stack(tree, "enp1s0", "ovs-system", true);
	tree_file(tree, "proc/net/pppoe",
		  "Id       Address              Device\n0000002A 52:54:00:12:34:56   enp1s0\n");
	EXPECT(tree, "enp1s0 carries PPPoE, is a port of Open vSwitch");
}

static void an_interface_behind_virtio_counts(void **state)
{
	struct tree *tree = *state;

	build(tree);
	tree_remove(tree, "sys/class/net/enp1s0");
	tree_remove(tree, "sys/devices/pci0000:00/" ADDRESS "/net");
	add_interface(tree, "devices/pci0000:00/" ADDRESS "/virtio3/net", "eth7", "0x1003");
	tree_file(tree, "proc/net/if_inet6", "20010db8000000000000000000000001 02 40 00 80 eth7\n");
	EXPECT(tree, "eth7 has the address 2001:db8::1");
}

static void an_interface_in_a_container_counts(void **state)
{
	struct tree *tree = *state;

	build(tree);
	tree_remove(tree, "sys/class/net/enp1s0");
	tree_remove(tree, "sys/devices/pci0000:00/" ADDRESS "/net/enp1s0");
	EXPECT(tree, "its network interface is in another network namespace, a container's");
	tree_remove(tree, "sys/devices/pci0000:00/" ADDRESS "/net");
	tree_folder(tree, "sys/devices/pci0000:00/" ADDRESS "/virtio0/net");
	EXPECT(tree, "its network interface is in another network namespace, a container's");
}

/* A container that has a macvlan; one with a pair of its own, of the same number. */
static void what_is_built_on_it_in_a_container_counts(void **state)
{
	static const char eth0[] = "proc/200/root/sys/class/net/eth0/";
	struct tree *tree = *state;
	char path[PATH_MAX];

	build(tree);
	tree_file(tree, "sys/devices/pci0000:00/" ADDRESS "/net/enp1s0/ifindex", "2\n");
	tree_process(tree, 1, "systemd", 0);
	tree_process(tree, 200, "init", 0);
	tree_process(tree, 201, "sh", 0);
	tree_link(tree, "proc/1/ns/net", "net:[1]");
	tree_link(tree, "proc/200/ns/net", "net:[2]");
	tree_link(tree, "proc/201/ns/net", "net:[2]");
	tree_file(tree, "proc/200/cgroup", "0::/lxc/200/ns/init.scope\n");
	tree_format(path, "%siflink", eth0);
	tree_file(tree, path, "2\n");
	tree_format(path, "%suevent", eth0);
	tree_file(tree, path, "INTERFACE=eth0\nIFINDEX=2\n");
	expect(tree, 0, NULL);
	tree_file(tree, path, "DEVTYPE=macvlan\nINTERFACE=eth0\nIFINDEX=5\n");
	EXPECT(tree, "enp1s0 has eth0 of container 200 (process 200, init) built on it (macvlan, "
		     "macvtap or ipvlan)");
	/* a macvtap has no such line */
	tree_file(tree, path, "INTERFACE=eth0\n");
	tree_format(path, "%stap7/dev", eth0);
	tree_file(tree, path, "240:1\n");
	EXPECT(tree, "enp1s0 has eth0 of container 200 (process 200, init) built on it (macvlan, "
		     "macvtap or ipvlan)");
	tree_format(path, "%siflink", eth0);
	tree_file(tree, path, "3\n");
	expect(tree, 0, NULL);
}

/* On this interface alone; a listener on all of them loses nothing. */
static void packet_sockets_are_told_apart(void **state)
{
	cleanup_network_sight struct network_sight sight = { 0 };
	cleanup_strings struct strings uses = { 0 }, sockets = { 0 };
	struct tree *tree = *state;

	build(tree);
	tree_file(tree, "sys/devices/pci0000:00/" ADDRESS "/net/enp1s0/ifindex", "2\n");
	tree_file(tree, "proc/net/packet",
		  "sk               RefCnt Type Proto  Iface R Rmem   User   Inode\n"
		  "0000000000000000 3      3    88cc   2     1 0      0      4711\n"
		  "0000000000000000 3      3    88cc   3     1 0      0      4712\n"
		  "0000000000000000 3      3    0003   0     1 0      0      4713\n");
	tree_process(tree, 812, "lldpd", 0);
	tree_process_opens(tree, 812, 5, "socket:[4711]");
	sight.sockets = &sockets;
	assert_int_equal(network_uses_find(&tree->root, ADDRESS, &sight, &uses, NULL), 0);
	assert_int_equal(uses.count, 0);
	assert_int_equal(sockets.count, 1);
	assert_string_equal(sockets.items[0], "enp1s0 has a packet socket of process 812 (lldpd)");
}

/* The kernel's answer, with a program attached or without; or none in time. */
static int answer_with_xdp(const struct sysroot *root, int protocol,
			   const struct netlink_message *request, uint8_t **ret_data,
			   size_t *ret_size)
{
	const struct ifinfomsg header = { .ifi_index = 2 };
	struct netlink_message answer = { 0 };
	uint32_t id = 42, length;
	uint8_t attached = sysroot_exists(root, "xdp");
	size_t nest;

	(void)request;
	assert_int_equal(protocol, NETLINK_ROUTE);
	if (sysroot_exists(root, "silent"))
		return -ETIMEDOUT;
	netlink_begin(&answer, RTM_NEWLINK, 0);
	netlink_add(&answer, &header, sizeof(header));
	nest = netlink_begin_nest(&answer, IFLA_XDP);
	netlink_add_attribute(&answer, IFLA_XDP_ATTACHED, &attached, sizeof(attached));
	if (attached)
		netlink_add_attribute(&answer, IFLA_XDP_PROG_ID, &id, sizeof(id));
	netlink_end_nest(&answer, nest);
	length = (uint32_t)answer.size;
	memcpy(answer.data, &length, sizeof(length));
	*ret_data = answer.data;
	*ret_size = answer.size;
	return 0;
}

static void an_xdp_program_counts(void **state)
{
	cleanup_network_sight struct network_sight sight = { 0 };
	struct strings uses = { 0 };
	struct tree *tree = *state;
	struct error err = { 0 };

	build(tree);
	tree_file(tree, "sys/devices/pci0000:00/" ADDRESS "/net/enp1s0/ifindex", "2\n");
	tree->root.fake_netlink = answer_with_xdp;
	expect(tree, 0, NULL);
	tree_file(tree, "xdp", "%s", "");
	EXPECT(tree, "enp1s0 has the XDP program 42");
	tree_file(tree, "silent", "%s", "");
	assert_int_equal(network_uses_find(&tree->root, ADDRESS, &sight, &uses, &err), -ETIMEDOUT);
	assert_string_equal(err.message,
			    "cannot ask for the XDP program of enp1s0: Connection timed out");
	tree->root.fake_netlink = NULL;
}

static void a_kernel_without_ipv6_is_fine(void **state)
{
	build(*state);
	tree_remove(*state, "proc/net/if_inet6");
	tree_remove(*state, "proc/net/ipv6_route");
	expect(*state, 0, NULL);
}

static void what_cannot_be_read_is_an_error(void **state)
{
	struct tree *tree = *state;
	cleanup_network_sight struct network_sight sight = { 0 };
	struct strings uses = { 0 };
	struct error err = { 0 };

	build(tree);
	tree_remove(tree, "proc/net/route");
	assert_int_equal(network_uses_find(&tree->root, ADDRESS, &sight, &uses, &err), -ENOENT);
	assert_non_null(strstr(err.message, "addresses and routes"));
	assert_int_equal(uses.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(an_interface_that_is_merely_up_is_not_used),
		tree_test(no_interface_needs_no_proc),
		tree_test(addresses_and_the_default_route_are_uses),
		tree_test(a_route_alone_is_a_use),
		tree_test(a_port_of_a_bridge_that_is_up),
		tree_test(a_macvtap_or_macvlan_that_is_up),
		tree_test(a_bond_with_a_vlan_in_a_bridge),
		tree_test(a_vlan_with_an_address_that_is_corosyncs),
		tree_test(ports_of_open_vswitch_and_pppoe),
		tree_test(an_interface_behind_virtio_counts),
		tree_test(an_interface_in_a_container_counts),
		tree_test(what_is_built_on_it_in_a_container_counts),
		tree_test(packet_sockets_are_told_apart),
		tree_test(an_xdp_program_counts),
		tree_test(a_kernel_without_ipv6_is_fine),
		tree_test(what_cannot_be_read_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
