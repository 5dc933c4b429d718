/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The warnings about memory. */
#include "test_check_topic.h"

#define ADDRESS "0000:01:00.0"

static void build(const struct tree *tree, struct check_case *check)
{
	tree_add_device(tree, &(struct tree_device){ .address = ADDRESS });
	tree_file(tree, "proc/meminfo", "MemAvailable:    2097152 kB\n");
	tree_file(tree, "proc/spl/kstat/zfs/arcstats", "c_min 4 1073741824\nsize 4 2147483648\n");
	tree_file(tree, "sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "512\n");
	check_add(tree, check, ADDRESS);
}

static void run(const struct tree *tree, struct check_case *check, const char *config)
{
	vm_config_done(&check->start.config);
	assert_int_equal(vm_config_parse(NULL, "101.conf", config, strlen(config),
					 &check->start.config, NULL),
			 0);
	check_run(tree, check, check_memory);
}

static void memory_is_compared_with_what_can_be_had(void **state)
{
	static const struct {
		const char *config;
		size_t findings;
	} rows[] = {
		{ "memory: 3072\n", 0 },
		{ "memory: 3073\n", 1 },
		{ "memory: current=3073\n", 1 },
		{ "memory: current=3073,x=1\n", 1 },
		{ "memory: 4096\nhugepages: 2\n", 0 },
		{ "memory: 4097\nhugepages: any\n", 1 },
		{ "memory: lots\n", 0 },
		{ "", 0 },
	};
	struct check_case check = { 0 };

	build(*state, &check);
	for (size_t i = 0; i < COUNT(rows); i++) {
		run(*state, &check, rows[i].config);
		assert_row(rows[i].config, check.findings.count == rows[i].findings);
	}
	run(*state, &check, "memory: 3073\n");
	check_expect(&check, 0, "memory-short", LEVEL_WARNING, "memory",
		     "VM 101 wants 3073 MiB, and 3072 MiB are available: 2048 free or page cache, "
		     "1024 of the ZFS cache, 0 in huge pages.");
	tree_file(*state, "proc/meminfo", "MemAvailable:    1024 kB\n");
	tree_remove(*state, "proc/spl");
	run(*state, &check, "");
	check_expect(
		&check, 0, "memory-short", LEVEL_WARNING, "memory",
		"VM 101 wants 512 MiB, and 1 MiB are available: 1 free or page cache, 0 of the "
		"ZFS cache, 0 in huge pages.");
	/* no VM has less than a GiB for a remedy, let alone none at all */
	assert_string_equal(finding_remedy(&check.findings.items[0]), "Stop other VMs.");
	check_over(&check);
}

static void ballooning_is_told(void **state)
{
	struct check_case check = { 0 };

	build(*state, &check);
	run(*state, &check, "memory: 1024\nballoon: 1024\n");
	assert_int_equal(check.findings.count, 0);
	run(*state, &check, "memory: 1024\nballoon: 0\n");
	assert_int_equal(check.findings.count, 0);
	run(*state, &check, "memory: 1024\nballoon: 512\n");
	assert_int_equal(check.findings.count, 1);
	check_expect(&check, 0, "balloon-set", LEVEL_WARNING, "balloon",
		     "VM 101 may be shrunk to 512 MiB by its configuration; with these devices it "
		     "keeps all of its 1024 MiB.");
	check_over(&check);
}

static void without_devices_nothing_is_told(void **state)
{
	struct check_case check = { 0 };

	tree_file(*state, "proc/meminfo", "MemAvailable:    1024 kB\n");
	run(*state, &check, "memory: 1024\nballoon: 512\n");
	assert_int_equal(check.findings.count, 0);
	check_over(&check);
}

/* What a VM that runs has already is not wanted a second time: for plan, and for a device that joins it. */
static void a_vm_that_runs_has_some_of_it(void **state)
{
	const struct tree *tree = *state;
	struct check_case check = { 0 };

	build(tree, &check);
	check.start.qemu.pid = 4711;
	run(tree, &check, "memory: 8192\n");
	assert_int_equal(check.findings.count, 1);
	tree_file(tree, "proc/4711/status", "VmRSS:\t 3145728 kB\nHugetlbPages:\t 2097152 kB\n");
	run(tree, &check, "memory: 8192\n");
	assert_int_equal(check.findings.count, 0);
	run(tree, &check, "memory: 9216\n");
	check_expect(
		&check, 0, "memory-short", LEVEL_WARNING, "memory",
		"VM 101 wants 9216 MiB (4096 more than it has now), and 3072 MiB are available: "
		"2048 free or page cache, 1024 of the ZFS cache, 0 in huge pages.");
	assert_non_null(strstr(finding_remedy(&check.findings.items[0]), "--memory 8192'"));
	run(tree, &check, "memory: 1024\n");
	assert_int_equal(check.findings.count, 0);
	check_over(&check);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(memory_is_compared_with_what_can_be_had),
		tree_test(a_vm_that_runs_has_some_of_it),
		tree_test(ballooning_is_told),
		tree_test(without_devices_nothing_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
