/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Block devices that are served to other machines. */
#include "test.h"
#include "tree.h"
#include "use/export.h"

#define NVMET "sys/kernel/config/nvmet/subsystems/nqn.a/"

static void assert_export(const struct tree *tree, const char *node, const char *name,
			  const char *words)
{
	cleanup_exports struct exports exports = { 0 };
	const struct export *export;

	assert_int_equal(exports_read(&tree->root, &exports), 0);
	export = export_find(&exports, &(struct node_id){ 0 }, node, name);
	assert_text(export ? export->words : NULL, words);
}

static void both_targets_are_read(void **state)
{
	const struct tree *tree = *state;

	assert_export(tree, "/dev/nvme0n1", "nvme0n1", NULL);
	tree_file(tree, NVMET "namespaces/1/device_path", "/dev/disk/by-id/a\n");
	tree_file(tree, NVMET "namespaces/1/enable", "0\n");
	tree_link(tree, "dev/disk/by-id/a", "../../nvme0n1");
	assert_export(tree, "/dev/nvme0n1", "nvme0n1", NULL);
	tree_file(tree, NVMET "namespaces/1/enable", "1\n");
	assert_export(tree, "/dev/nvme0n1", "nvme0n1", "exported over NVMe as nqn.a");
	assert_export(tree, "/dev/nvme0n2", "nvme0n2", NULL);
	tree_file(tree, NVMET "passthru/device_path", "/dev/nvme1\n");
	assert_export(tree, "/dev/nvme1n2", "nvme1n2", "exported over NVMe as nqn.a");
	assert_export(tree, "/dev/nvme11n2", "nvme11n2", NULL);
	tree_file(tree, "sys/kernel/config/target/core/iblock_0/disk0/udev_path", "/dev/sda\n");
	tree_file(tree, "sys/kernel/config/target/core/iblock_0/hba_info", "x\n");
	assert_export(tree, "/dev/sda", "sda", "exported by the SCSI target as disk0");
	assert_export(tree, "/dev/sdb", "sdb", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = { tree_test(both_targets_are_read) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
