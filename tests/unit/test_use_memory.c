/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How much memory can be had. */
#include "test.h"
#include "tree.h"
#include "use/memory.h"

#define MEMINFO                                                                                    \
	"MemTotal:       32768000 kB\nMemFree:          512000 kB\nMemAvailable:    8192000 kB\n"

static void plain_hosts_have_no_zfs_and_no_huge_pages(void **state)
{
	struct tree *tree = *state;
	struct memory memory;

	tree_file(tree, "proc/meminfo", MEMINFO);
	assert_int_equal(memory_read(&tree->root, &memory, NULL), 0);
	assert_int_equal(memory.available_kib, 8192000);
	assert_int_equal(memory.arc_kib, 0);
	assert_int_equal(memory.hugepages_kib, 0);
}

static void the_zfs_cache_counts_above_its_least(void **state)
{
	struct tree *tree = *state;
	struct memory memory;

	tree_file(tree, "proc/meminfo", MEMINFO);
	tree_file(tree, "proc/spl/kstat/zfs/arcstats",
		  "9 1 0x01 147 39984 3735872 2000\nname                            type data\n"
		  "hits                            4    12345\n"
		  "c                               4    4294967296\n"
		  "c_min                           4    1073741824\n"
		  "size                            4    3221225472\n"
		  "compressed_size                 4    77\n");
	assert_int_equal(memory_read(&tree->root, &memory, NULL), 0);
	assert_int_equal(memory.arc_kib, 2097152);
}

static void huge_pages_of_all_sizes_are_added(void **state)
{
	struct tree *tree = *state;
	struct memory memory;

	tree_file(tree, "proc/meminfo", MEMINFO);
	tree_file(tree, "sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "512\n");
	tree_file(tree, "sys/kernel/mm/hugepages/hugepages-1048576kB/free_hugepages", "2\n");
	assert_int_equal(memory_read(&tree->root, &memory, NULL), 0);
	assert_int_equal(memory.hugepages_kib, 512 * 2048 + 2 * 1048576);
}

static void what_is_not_there_is_an_error(void **state)
{
	struct tree *tree = *state;
	struct error err = { 0 };
	struct memory memory;

	assert_int_equal(memory_read(&tree->root, &memory, &err), -ENOENT);
	assert_non_null(strstr(err.message, "how much memory"));
	tree_file(tree, "proc/meminfo", "MemTotal: 1 kB\n");
	assert_int_equal(memory_read(&tree->root, &memory, &err), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(plain_hosts_have_no_zfs_and_no_huge_pages),
		tree_test(the_zfs_cache_counts_above_its_least),
		tree_test(huge_pages_of_all_sizes_are_added),
		tree_test(what_is_not_there_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
