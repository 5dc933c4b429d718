/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is set for virtual functions: as text, and in messages of the kernel. */
#include <errno.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include "host/netlink.h"
#include "test.h"
#include "tree.h"
#include "use/eswitch.h"
#include "use/vf.h"

#define CARD "0000:01:00.0"

static void test_text(void **state)
{
	static const char *const rows[] = {
		"none",
		"0:mac=00:00:00:00:00:00",
		"0:mac=52:54:00:12:34:56,vlan=4095,qos=7,proto=802.1ad",
		"3:mac=02:00:00:00:00:0f,min-rate=1,max-rate=25000,link-state=disable,trust=on,"
		"spoof-check=off,rss-query=on 4:mac=02:00:00:00:00:10,link-state=enable,trust=off",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		cleanup_vfs struct vfs vfs = { 0 };
		cleanup_free char *again = NULL;

		assert_row(rows[i], vfs_parse(rows[i], &vfs) == 0);
		again = vfs_format(&vfs);
		assert_string_equal(again, rows[i]);
	}
}

static void test_text_refused(void **state)
{
	static const char *const rows[] = {
		"",
		"0",
		"mac=52:54:00:12:34:56",
		"65536:mac=52:54:00:12:34:56",
		"-1:mac=52:54:00:12:34:56",
		"0:mac=52:54:00:12:34",
		"0:mac=52:54:00:12:34:56:78",
		"0:mac=52-54-00-12-34-56",
		"0:mac=5g:54:00:12:34:56",
		"0:mac=",
		"0:vlan=4096",
		"0:vlan=5,qos=8",
		"0:vlan=5,proto=802.1q",
		"0:trust=yes",
		"0:link-state=up",
		"0:max-rate=4294967296",
		"0:mac",
		"0:mac=52:54:00:12:34:56  1:mac=52:54:00:12:34:56",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		cleanup_vfs struct vfs vfs = { 0 };

		assert_row(rows[i], vfs_parse(rows[i], &vfs) < 0 && vfs.count == 0);
	}
}

/* What a later version may add is passed over. */
static void test_text_later(void **state)
{
	cleanup_vfs struct vfs vfs = { 0 };

	(void)state;
	assert_int_equal(vfs_parse("0:mac=52:54:00:12:34:56,queues=4,trust=on", &vfs), 0);
	assert_int_equal(vfs.count, 1);
	assert_int_equal(vfs.items[0].trust, VF_ON);
}

#define HEADER(type, size) ((uint32_t)(type) << 16 | (uint32_t)(size))
#define NEST(type, size)   HEADER(NLA_F_NESTED | (type), size)

/*
 * The answer to RTM_GETLINK for a card with one virtual function of those it says it has, as
 * rtnl_fill_vfinfo() in net/core/rtnetlink.c writes it, without what is not about them.
 */
/* clang-format off */
static const uint32_t written[] = {
	0, /* the length, filled in */
	RTM_NEWLINK, 1, 0,
	/* struct ifinfomsg: family and type, index, flags, change */
	ARPHRD_ETHER << 16, 2, 0x1003, 0,
	HEADER(IFLA_NUM_VF, 8), 2,
	NEST(IFLA_VFINFO_LIST, 4 + 4 + 40 + 12 + 16 + 12 + 12 + 24),
	NEST(IFLA_VF_INFO, 4 + 40 + 12 + 16 + 12 + 12 + 24),
	HEADER(IFLA_VF_MAC, 40), 0, 0x00000002, 0x00000a00, 0, 0, 0, 0, 0, 0,
	HEADER(IFLA_VF_SPOOFCHK, 12), 0, 0,
	HEADER(IFLA_VF_RATE, 16), 0, 0, 500,
	HEADER(IFLA_VF_TRUST, 12), 0, 1,
	HEADER(IFLA_VF_RSS_QUERY_EN, 12), 0, 0xffffffff,
	NEST(IFLA_VF_VLAN_LIST, 24),
	HEADER(IFLA_VF_VLAN_INFO, 20), 0, 100, 3, 0x0081,
};
/* clang-format on */

/* So many bytes of it, and what they come to. */
static size_t answered;

static int answer(const struct sysroot *root, int protocol, const struct netlink_message *request,
		  uint8_t **ret_data, size_t *ret_size)
{
	uint32_t length = (uint32_t)answered;

	(void)root;
	assert_int_equal(protocol, NETLINK_ROUTE);
	assert_int_equal(netlink_u16((struct bytes){ request->data, request->size }, 4),
			 RTM_GETLINK);
	*ret_data = malloc(answered + 1);
	if (!*ret_data)
		return -ENOMEM;
	memcpy(*ret_data, written, answered);
	if (answered >= sizeof(length))
		memcpy(*ret_data, &length, sizeof(length));
	*ret_size = answered;
	return 0;
}

static void add_card(const struct tree *tree)
{
	tree_add_device(tree, &(struct tree_device){ CARD, .driver = "igb" });
	tree_file(tree, "sys/devices/pci0000:00/" CARD "/net/enp1s0/ifindex", "2\n");
	tree_link(tree, "sys/class/net/enp1s0", "../../devices/pci0000:00/" CARD "/net/enp1s0");
}

static void test_message(void **state)
{
	cleanup_vfs struct vfs vfs = { 0 };
	cleanup_free char *text = NULL;
	struct tree *tree = *state;

	add_card(tree);
	tree->root.fake_netlink = answer;
	answered = sizeof(written);
	assert_int_equal(vfs_read(&tree->root, CARD, &vfs, NULL), 0);
	text = vfs_format(&vfs);
	assert_string_equal(text, "0:mac=02:00:00:00:00:0a,vlan=100,qos=3,proto=802.1Q,"
				  "max-rate=500,trust=on,spoof-check=off");
}

/* Cut off anywhere it says less, or nothing; a cut within the header is an error. */
static void test_message_cut(void **state)
{
	struct tree *tree = *state;

	add_card(tree);
	tree->root.fake_netlink = answer;
	for (answered = 0; answered < sizeof(written); answered++) {
		cleanup_vfs struct vfs vfs = { 0 };
		struct error err = { 0 };
		int r = vfs_read(&tree->root, CARD, &vfs, &err);

		assert_int_equal(r, answered < 16 ? -EBADMSG : 0);
		assert_true(vfs.count <= 1);
	}
}

/* A record of a machine has no netlink: nothing is known. */
static void test_tree(void **state)
{
	cleanup_vfs struct vfs vfs = { 0 };
	struct tree *tree = *state;
	struct error err = { 0 };
	char *mode = NULL;

	add_card(tree);
	assert_int_equal(vfs_read(&tree->root, CARD, &vfs, &err), 0);
	assert_int_equal(vfs.count, 0);
	assert_int_equal(eswitch_read(&tree->root, CARD, &mode), -ENOENT);
	assert_int_equal(vf_set(&tree->root, CARD, &(struct vf){ .number = 0 }, &err), -ENODEV);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),	   cmocka_unit_test(test_text_refused),
		cmocka_unit_test(test_text_later), tree_test(test_message),
		tree_test(test_message_cut),	   tree_test(test_tree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
