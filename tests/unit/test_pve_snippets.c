/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: vm/snippets.c. */
#include "test.h"
#include "tree.h"

#include "pve/snippets.h"

static const char file[] = "# a remark\n"
			   "dir: local\n\tpath /var/lib/vz\n\tcontent iso,snippets\n\n"
			   "nfs: nas\n\texport /x\n\tserver 192.0.2.1\n\tcontent images\n\n"
			   "dir: tank\n\tpath /tank\n\tcontent snippets\n"
			   "\tcontent-dirs iso=i,snippets=hooks\n\n"
			   "dir: off\n\tpath /off\n\tcontent snippets\n\tdisable\n"
			   "dir: others\n\tpath /o\n\tnodes pve2,pve3\n\tcontent snippets\n\n"
			   "zfspool: zfs\n\tpool rpool\n\tcontent images,snippets\n\n"
			   "nonsense\n\tpath /n\n";

static void test_file(void **state)
{
	struct snippet_stores stores = { 0 };
	struct error err = { 0 };
	char *path;

	(void)state;
	assert_int_equal(snippet_stores_parse(file, strlen(file), "pve1", &stores, &err), 0);
	assert_int_equal(stores.count, 5);
	assert_true(snippet_stores_find(&stores, "local")->snippets);
	assert_false(snippet_stores_find(&stores, "nas")->snippets);
	assert_text(snippet_stores_find(&stores, "nas")->folder, "/mnt/pve/nas/snippets");
	assert_text(snippet_stores_find(&stores, "tank")->folder, "/tank/hooks");
	assert_true(snippet_stores_find(&stores, "off")->disabled);
	assert_true(snippet_stores_find(&stores, "others")->disabled);
	assert_null(snippet_stores_find(&stores, "zfs"));

	path = snippet_path(&stores, "tank:snippets/pve-vfio-hook");
	assert_text(path, "/tank/hooks/pve-vfio-hook");
	free(path);
	assert_null(snippet_path(&stores, "tank:iso/x"));
	assert_null(snippet_path(&stores, "zfs:snippets/x"));
	assert_null(snippet_path(&stores, "tank"));
	snippet_stores_done(&stores);
	assert_int_equal(snippet_stores_parse(file, strlen(file), "pve3", &stores, &err), 0);
	assert_false(snippet_stores_find(&stores, "others")->disabled);
	snippet_stores_done(&stores);
}

/* Proxmox VE has "local" without being told. */
static void test_no_file(void **state)
{
	const struct tree *tree = *state;
	struct snippet_stores stores = { 0 };
	struct error err = { 0 };

	assert_int_equal(snippet_stores_read(&tree->root, "pve1", &stores, &err), 0);
	assert_int_equal(stores.count, 1);
	assert_text(stores.items[0].folder, "/var/lib/vz/snippets");
	snippet_stores_done(&stores);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_file),
		tree_test(test_no_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
