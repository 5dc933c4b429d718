/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: use/pids.c, on trees with processes. */
#include "test.h"
#include "tree.h"

#include "use/opener.h"
#include "use/pids.h"

static void add_process(const struct tree *tree, unsigned pid, const char *program,
			const char *open)
{
	char path[64];

	tree_format(path, "proc/%u/fd", pid);
	tree_folder(tree, path);
	if (program) {
		tree_format(path, "proc/%u/exe", pid);
		tree_link(tree, path, program);
	}
	if (open) {
		tree_format(path, "proc/%u/fd/3", pid);
		tree_link(tree, path, open);
	}
}

/* "1 2K 700 ": a K for what the kernel has started. */
static void assert_pids(const struct tree *tree, const char *expected)
{
	cleanup_pids struct pids pids = { 0 };
	cleanup_text struct text text = { 0 };

	assert_int_equal(pids_list(&tree->root, &pids), 0);
	for (size_t i = 0; i < pids.count; i++)
		text_add(&text, "%d%s ", (int)pids.items[i].pid, pids.items[i].kernels ? "K" : "");
	assert_string_equal(text.data, expected);
}

static void the_kernels_own_are_told(void **state)
{
	const struct tree *tree = *state;

	add_process(tree, 1, "/sbin/init", NULL);
	add_process(tree, 2, NULL, NULL);
	add_process(tree, 10, NULL, NULL);
	add_process(tree, 9, NULL, NULL);
	tree_file(tree, "proc/stat", "%s", "");
	assert_pids(tree, "1 2 9 10 ");
	tree_file(tree, "proc/2/task/2/children", "9 10 4711 ");
	assert_pids(tree, "1 2 9K 10K ");
	/* in a PID namespace process 2 is anybody */
	tree_link(tree, "proc/2/exe", "/usr/bin/bash");
	assert_pids(tree, "1 2 9 10 ");
}

/* A program that the kernel has started may have a device open as any other may. */
static void a_program_of_the_kernel_is_looked_at(void **state)
{
	const struct tree *tree = *state;
	cleanup_openings struct openings openings = { 0 };

	add_process(tree, 2, NULL, NULL);
	add_process(tree, 5, NULL, "/dev/sda");
	add_process(tree, 6, "/usr/lib/systemd/systemd-coredump", "/dev/sdb");
	add_process(tree, 7, "/usr/bin/tool", "/dev/sdc");
	tree_file(tree, "proc/2/task/2/children", "5 6 ");
	openings_read(&tree->root, &openings);
	assert_int_equal(openings.unseen, 0);
	assert_int_equal(openings.count, 2);
	assert_int_equal(openings.items[0].pid, 6);
	assert_int_equal(openings.items[1].pid, 7);
}

static void without_proc_nothing_is_known(void **state)
{
	const struct tree *tree = *state;
	cleanup_pids struct pids pids = { 0 };

	assert_int_equal(pids_list(&tree->root, &pids), -ENOENT);
	assert_int_equal(pids.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(the_kernels_own_are_told),
		tree_test(a_program_of_the_kernel_is_looked_at),
		tree_test(without_proc_nothing_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
