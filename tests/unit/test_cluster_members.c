/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The nodes of a cluster, as pmxcfs prints them. */
#include "test.h"
#include "tree.h"

#include "cluster/members.h"

#define MEMBERS "etc/pve/.members"

/* "pve1 pve2- quorate", '-' for one that is not online. */
static void assert_members(const struct tree *tree, const char *expected)
{
	cleanup_members struct members members = { 0 };
	cleanup_text struct text text = { 0 };

	assert_int_equal(members_read(&tree->root, "pve1", &members, NULL), 0);
	for (size_t i = 0; i < members.count; i++)
		text_add(&text, "%s%s ", members.items[i].node, members.items[i].online ? "" : "-");
	text_add(&text, "%s", members.quorate ? "quorate" : "alone");
	assert_string_equal(text.data, expected);
}

static void test_members(void **state)
{
	const struct tree *tree = *state;
	cleanup_members struct members members = { 0 };
	struct error err = { 0 };

	assert_members(tree, "pve1 quorate");
	tree_file(tree, MEMBERS, "{\n\"nodename\": \"pve1\",\n\"version\": 1\n}\n");
	assert_members(tree, "pve1 quorate");
	/* in a cluster, and corosync does not run */
	tree_file(tree, "etc/pve/corosync.conf", "totem {\n}\n");
	assert_members(tree, "pve1 alone");
	tree_file(tree, MEMBERS,
		  "{\n\"nodename\": \"pve1\",\n\"version\": 4,\n\"cluster\": { \"name\": \"c\", "
		  "\"version\": 3, \"nodes\": 3, \"quorate\": 1 },\n\"nodelist\": {\n"
		  "  \"pve10\": { \"id\": 3, \"online\": 1, \"ip\": \"10.0.0.3\"},\n"
		  "  \"pve1\": { \"id\": 1, \"online\": 1, \"ip\": \"10.0.0.1\"},\n"
		  "  \"pve2\": { \"id\": 2, \"online\": 0}\n  }\n}\n");
	assert_members(tree, "pve1 pve2- pve10 quorate");
	/* this node is among them in any case */
	tree_file(tree, MEMBERS,
		  "{\"cluster\": {\"quorate\": 0}, \"nodelist\": {\"pve2\": {\"online\": 1}}}");
	assert_members(tree, "pve1 pve2 alone");
	tree_file(tree, MEMBERS, "{\"cluster\": 7, \"nodelist\": {\"pve2\": 7}}");
	assert_members(tree, "pve1 pve2- alone");
	tree_file(tree, MEMBERS, "{");
	assert_int_equal(members_read(&tree->root, "pve1", &members, &err), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(test_members),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
