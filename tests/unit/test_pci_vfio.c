/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: pci/vfio.c. */
#include "test.h"
#include "tree.h"

#include <sys/wait.h>

#include "pci/vfio.h"

static void test_there(void **state)
{
	const struct tree *tree = *state;
	struct error err = { 0 };

	tree_bytes(tree, "dev/vfio/14", "", 0);
	/* without any time left it is seen all the same */
	assert_int_equal(vfio_group_node_wait(&tree->root, 14, deadline_in_ms(0), &err), 0);
}

static void test_never(void **state)
{
	const struct tree *tree = *state;
	struct error err = { 0 };
	uint64_t began = clock_now_us();

	tree_bytes(tree, "dev/vfio/15", "", 0);
	assert_int_equal(vfio_group_node_wait(&tree->root, 14, deadline_in_ms(200), &err),
			 -ETIMEDOUT);
	assert_true(clock_now_us() - began >= 200000);
	assert_string_equal(err.message,
			    "/dev/vfio/14 did not appear: IOMMU group 14 cannot be opened");
}

static void test_later(void **state)
{
	const struct tree *tree = *state;
	struct error err = { 0 };
	pid_t pid = fork();

	if (pid == 0) {
		clock_sleep_ms(200);
		tree_bytes(tree, "dev/vfio/14", "", 0);
		_exit(0);
	}
	assert_int_equal(vfio_group_node_wait(&tree->root, 14, deadline_in_ms(30000), &err), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(test_there),
		tree_test(test_never),
		tree_test(test_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
