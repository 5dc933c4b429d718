/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages of netlink: put together, and taken apart. */
#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "host/netlink.h"
#include "test.h"
#include "tree.h"

static void test_together(void **state)
{
	cleanup_netlink struct netlink_message message = { 0 };
	struct bytes rest, value, inner;
	const uint8_t odd[3] = { 1, 2, 3 };
	uint16_t type;
	size_t nest;

	(void)state;
	netlink_begin(&message, 18, NLM_F_ACK);
	netlink_add(&message, "head", 4);
	netlink_add_attribute(&message, 7, odd, sizeof(odd));
	nest = netlink_begin_nest(&message, 8);
	netlink_add_text(&message, 9, "text");
	netlink_end_nest(&message, nest);
	assert_false(message.failed);
	assert_int_equal(message.size, NLMSG_HDRLEN + 4 + 8 + 4 + 12);

	rest = bytes_from((struct bytes){ message.data, message.size }, NLMSG_HDRLEN + 4);
	assert_true(netlink_find(rest, 8, &inner));
	assert_true(netlink_next(&rest, &type, &value));
	assert_int_equal(type, 7);
	assert_int_equal(value.size, 3);
	assert_memory_equal(value.data, odd, 3);
	assert_true(netlink_next(&inner, &type, &value));
	assert_int_equal(type, 9);
	assert_string_equal((const char *)value.data, "text");
	assert_false(netlink_next(&inner, &type, &value));
	assert_false(netlink_find(rest, 9, &value));
}

/* A length that is not so, and numbers that are not there. */
static void test_apart(void **state)
{
	static const uint16_t short_one[] = { 3, 7 }, long_one[] = { 9, 7, 0, 0 };
	struct bytes rest = { (const uint8_t *)short_one, sizeof(short_one) }, value;
	uint16_t type;

	(void)state;
	assert_false(netlink_next(&rest, &type, &value));
	rest = (struct bytes){ (const uint8_t *)long_one, sizeof(long_one) };
	assert_false(netlink_next(&rest, &type, &value));
	assert_int_equal(netlink_u32(rest, 6), 0);
	assert_int_equal(netlink_u16(rest, 0), 9);
	assert_int_equal(netlink_u16(rest, SIZE_MAX), 0);
}

/* More than any message: it is not sent. */
static void test_too_long(void **state)
{
	cleanup_netlink struct netlink_message message = { 0 };
	const struct tree *tree = *state;
	static char much[65000];
	struct bytes value;
	uint8_t *data = NULL;

	netlink_begin(&message, 18, 0);
	for (size_t i = 0; i < 20; i++)
		netlink_add_attribute(&message, 1, much, sizeof(much));
	assert_true(message.failed);
	assert_int_equal(netlink_ask(&tree->root, NETLINK_ROUTE, &message, &data, &value), -ENOMEM);
}

/* The running kernel has the interface lo, as index 1, and none of another name. */
static void test_kernel(void **state)
{
	const struct sysroot root = { .fd = -1, .live = true };
	const char *const names[] = { "lo", "no-such-name" };

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		struct ifinfomsg header = { .ifi_family = AF_UNSPEC };
		cleanup_netlink struct netlink_message message = { 0 };
		cleanup_free uint8_t *data = NULL;
		struct bytes answer;
		int r;

		netlink_begin(&message, RTM_GETLINK, 0);
		netlink_add(&message, &header, sizeof(header));
		netlink_add_text(&message, IFLA_IFNAME, names[i]);
		r = netlink_ask(&root, NETLINK_ROUTE, &message, &data, &answer);
		assert_int_equal(r, i == 0 ? 0 : -ENODEV);
		if (r == 0)
			assert_int_equal(netlink_u32(answer, 4), 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_together),
		cmocka_unit_test(test_apart),
		tree_test(test_too_long),
		cmocka_unit_test(test_kernel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
