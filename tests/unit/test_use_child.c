/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What hangs on a PCI function. */
#include <errno.h>

#include "test.h"
#include "tree.h"
#include "use/child.h"

static void a_path_names_its_parents(void **state)
{
	static const struct {
		const char *path;
		bool below;
	} rows[] = {
		{ "../../devices/pci0000:00/0000:01:00.0/net/eth0", true },
		{ "/devices/pci0000:00/0000:00:01.0/0000:01:00.0/usb1/1-2/input1", true },
		{ "../../devices/pci0000:00/0000:01:00.0", false },
		{ "../../devices/pci0000:00/0000:01:00.01/net/eth0", false },
		{ "../../devices/pci0000:00/10000:01:00.0/net/eth0", false },
		{ "../../devices/pci0000:00/10000:01:00.0/0000:01:00.0/net/eth0", true },
		{ "0000:01:00.0/net/eth0", false },
		{ "", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_row(rows[i].path,
			   child_is_below(rows[i].path, "0000:01:00.0") == rows[i].below);
}

static void links_are_listed_and_files_are_not(void **state)
{
	struct tree *tree = *state;
	struct strings names = { 0 };

	tree_link(tree, "sys/class/net/eth1", "../../devices/pci0000:00/0000:01:00.0/net/eth1");
	tree_link(tree, "sys/class/net/eth0", "../../devices/pci0000:00/0000:01:00.0/net/eth0");
	tree_link(tree, "sys/class/net/lo", "../../devices/virtual/net/lo");
	tree_file(tree, "sys/class/net/bonding_masters", "%s", "");
	assert_int_equal(child_list(&tree->root, "sys/class/net", "0000:01:00.0", &names), 0);
	assert_int_equal(names.count, 2);
	assert_string_equal(names.items[0], "eth0");
	assert_int_equal(child_list(&tree->root, "sys/class/none", "0000:01:00.0", &names), 0);
	assert_int_equal(child_list(&tree->root, "sys/class/net/bonding_masters", "0000:01:00.0",
				    &names),
			 -ENOTDIR);
	assert_int_equal(names.count, 2);
	strings_done(&names);
}

/* A folder is read once for all functions; one that is not there, or cannot be read, has none. */
static void what_was_read_is_remembered(void **state)
{
	struct tree *tree = *state;
	cleanup_child_memory struct child_memory memory = { 0 };
	struct sysroot root = tree->root;
	struct strings names = { 0 };

	root.children = &memory;
	tree_link(tree, "sys/class/net/eth0", "../../devices/pci0000:00/0000:01:00.0/net/eth0");
	tree_link(tree, "sys/class/net/eth1", "../../devices/pci0000:00/0000:02:00.0/net/eth1");
	tree_link(tree, "sys/class/drm/card0", "../../devices/pci0000:00/0000:02:00.0/drm/card0");
	assert_int_equal(child_list(&root, "sys/class/net", "0000:01:00.0", &names), 0);
	tree_remove(tree, "sys/class/net/eth1");
	assert_int_equal(child_list(&root, "sys/class/net", "0000:02:00.0", &names), 0);
	assert_int_equal(child_list(&root, "sys/class/drm", "0000:02:00.0", &names), 0);
	assert_int_equal(child_list(&root, "sys/class/none", "0000:02:00.0", &names), 0);
	assert_int_equal(child_list(&root, "sys/class/none", "0000:02:00.0", &names), 0);
	assert_int_equal(names.count, 3);
	assert_string_equal(names.items[0], "eth0");
	assert_string_equal(names.items[1], "eth1");
	assert_string_equal(names.items[2], "card0");
	tree_file(tree, "sys/class/file", "%s", "");
	assert_int_equal(child_list(&root, "sys/class/file", "0000:02:00.0", &names), -ENOTDIR);
	assert_int_equal(child_list(&root, "sys/class/file", "0000:02:00.0", &names), -ENOTDIR);
	assert_int_equal(child_list(&tree->root, "sys/class/net", "0000:02:00.0", &names), 0);
	assert_int_equal(names.count, 3);
	strings_done(&names);
}

static void the_node_stands_in_uevent(void **state)
{
	struct tree *tree = *state;
	char *node = NULL;

	tree_file(tree, "sys/devices/x/uevent", "MAJOR=226\nMINOR=0\nDEVNAME=dri/card0\n");
	tree_file(tree, "sys/devices/y/uevent", "MAJOR=226\n");
	assert_int_equal(child_node(&tree->root, "sys/devices/x", &node), 0);
	assert_string_equal(node, "dev/dri/card0");
	free(node);
	assert_int_equal(child_node(&tree->root, "sys/devices/y", &node), -ENOENT);
	assert_int_equal(child_node(&tree->root, "sys/devices/z", &node), -ENOENT);
}

static void what_hangs_on_usb_is_told_by_its_path(void **state)
{
	static const struct {
		const char *target;
		bool usb;
	} rows[] = {
		{ "../../devices/pci0000:00/0000:00:14.0/usb1/1-2/1-2:1.0/sound/card1", true },
		{ "/devices/pci0000:00/0000:01:00.0/0000:02:00.0/usb12/12-1/block/sda", true },
		{ "../../devices/pci0000:00/0000:01:00.0/sound/card0", false },
		{ "../../devices/virtual/sound/seq", false },
		{ "", false },
	};
	struct tree *tree = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		if (*rows[i].target)
			tree_link(tree, "sys/class/sound/card", rows[i].target);
		else
			tree_remove(tree, "sys/class/sound/card");
		assert_row(rows[i].target,
			   child_is_behind_usb(&tree->root, "sys/class/sound/card") == rows[i].usb);
	}
	/* no link */
	tree_file(tree, "sys/class/sound/card", "usb1");
	assert_false(child_is_behind_usb(&tree->root, "sys/class/sound/card"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_path_names_its_parents),
		tree_test(links_are_listed_and_files_are_not),
		tree_test(what_was_read_is_remembered),
		tree_test(the_node_stands_in_uevent),
		tree_test(what_hangs_on_usb_is_told_by_its_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
