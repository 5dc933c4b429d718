/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is told of a process that does not come back from the kernel. */
#include "change/stuck.h"
#include "test.h"
#include "tree.h"

static void assert_words(const struct tree *tree, const char *words)
{
	cleanup_free char *told = NULL;
	struct action action = { 0 };

	assert_int_equal(action_make(ACTION_BIND, "0000:01:00.0", "rigpci", "vfio-pci", "hostpci0",
				     &action),
			 0);
	told = stuck_words(&tree->root, 412, &action);
	assert_string_equal(told, words);
	action_done(&action);
}

static void the_kernel_tells_what_it_waits_in(void **state)
{
	struct tree *tree = *state;

	tree_add_device(tree, &(struct tree_device){ .address = "0000:01:00.0" });
	assert_words(tree, "process 412 is stuck in the kernel");
	tree_file(tree, "proc/412/wchan", "0");
	assert_words(tree, "process 412 is stuck in the kernel");
	tree_file(tree, "proc/412/wchan", "rigpci_remove");
	assert_words(tree, "process 412 is stuck in the kernel in rigpci_remove");
	tree_file(tree, "proc/412/stack", "%s",
		  "[<0>] snd_card_free+0x3e/0x60 [snd]\n[<0>] azx_remove+0x1/0x2\n"
		  "[<0>] pci_device_remove+0x1/0x2\n[<0>] device_release_driver+0x1/0x2\n"
		  "[<0>] unbind_store+0x1/0x2\n");
	assert_words(tree, "process 412 is stuck in the kernel in snd_card_free, called by "
			   "azx_remove, pci_device_remove, device_release_driver");
	tree_file(tree, "proc/412/stack", "%s", "");
	assert_words(tree, "process 412 is stuck in the kernel in rigpci_remove");
}

int main(void)
{
	const struct CMUnitTest tests[] = { tree_test(the_kernel_tells_what_it_waits_in) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
