/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which processes have device nodes open. */
#include <errno.h>

#include "test.h"
#include "tree.h"
#include "use/opener.h"

static void each_process_and_node_counts_once(void **state)
{
	char *items[] = { (char[]){ "/dev/dm-0" }, (char[]){ "/dev/sda" } };
	const struct strings nodes = { items, COUNT(items) };
	struct openers openers = { 0 };
	struct tree *tree = *state;

	tree_process(tree, 9, "kvm", 0);
	tree_process_opens(tree, 9, 3, "/dev/sda");
	tree_process_opens(tree, 9, 4, "/dev/sda");
	tree_process_opens(tree, 9, 5, "/dev/dm-0");
	tree_process_opens(tree, 9, 6, "/dev/sda1");
	tree_process_opens(tree, 9, 7, "pipe:[1]");
	tree_folder(tree, "proc/10");
	tree_folder(tree, "proc/99999999999/fd");
	tree_folder(tree, "proc/sys/fd");
	assert_int_equal(openers_find(&tree->root, &nodes, &openers, NULL), 0);
	assert_int_equal(openers.count, 2);
	assert_int_equal(openers.items[0].pid, 9);
	assert_string_equal(openers.items[0].command, "kvm");
	assert_string_equal(openers.items[0].node, "/dev/sda");
	assert_string_equal(openers.items[1].node, "/dev/dm-0");
	openers_done(&openers);
}

static void a_process_that_cannot_be_read_is_an_error(void **state)
{
	const struct strings nodes = { 0 };
	struct openers openers = { 0 };
	struct error err = { 0 };
	struct tree *tree = *state;

	tree_file(tree, "proc/9/fd", "%s", "");
	assert_int_equal(openers_find(&tree->root, &nodes, &openers, &err), -ENOTDIR);
	assert_string_equal(err.message,
			    "cannot read which files the processes have open: Not a directory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(each_process_and_node_counts_once),
		tree_test(a_process_that_cannot_be_read_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
