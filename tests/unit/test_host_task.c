/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Processes distinguished from later ones with their pid. */
#include <errno.h>

#include "host/task.h"
#include "test.h"
#include "tree.h"

#define FIELDS(start) "S 1 1 1 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 " start " 1 2 3"

static void a_name_may_hold_anything(void **state)
{
	const struct tree *tree = *state;
	struct task task = { 0 };

	tree_file(tree, "proc/9/stat", "9 (kvm) 1 ) (x) " FIELDS("4711") "\n");
	assert_int_equal(task_read(&tree->root, 9, &task), 0);
	assert_int_equal(task.pid, 9);
	assert_int_equal(task.start_time, 4711);
	assert_true(task_is_alive(&tree->root, &task));
	tree_file(tree, "proc/9/stat", "9 (kvm) " FIELDS("4712") "\n");
	assert_false(task_is_alive(&tree->root, &task));
	assert_int_equal(task_read(&tree->root, 10, &task), -ENOENT);
	assert_false(task_is_alive(&tree->root, &(struct task){ 0 }));
}

static void what_is_no_stat_is_an_error(void **state)
{
	static const char *const texts[] = { "", "9", "9 (kvm)", "9 (kvm) S 1", "9 (kvm)S 1 2" };
	const struct tree *tree = *state;
	struct task task = { 0 };

	for (size_t i = 0; i < COUNT(texts); i++) {
		tree_file(tree, "proc/9/stat", "%s", texts[i]);
		assert_row(texts[i], task_read(&tree->root, 9, &task) == -EBADMSG);
	}
	tree_file(tree, "proc/9/stat", "9 (kvm) " FIELDS("many") "\n");
	assert_int_equal(task_read(&tree->root, 9, &task), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(a_name_may_hold_anything),
		tree_test(what_is_no_stat_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
