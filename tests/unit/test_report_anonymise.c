/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: report/anonymise.c. */
#include "test.h"
#include "tree.h"

#include "report/anonymise.h"

static void test_words(void **state)
{
	static char first[] = "pve1", second[] = "node-b";
	static char *hosts[] = { first, second };
	const struct anonymiser anonymiser = { { hosts, 2 } };
	static const struct {
		const char *text, *wanted;
	} rows[] = {
		{ "", "" },
		{ "0000:01:00.0 10de:2484", "0000:01:00.0 10de:2484" },
		{ "10000:e1:00.0 in 01:00.0", "10000:e1:00.0 in 01:00.0" },
		{ "kernel 6.8.12-4-pve, qemu 9.0.2-1", "kernel 6.8.12-4-pve, qemu 9.0.2-1" },
		{ "mac=52:54:00:Ab:cd:ef,x", "mac=xx:xx:xx:xx:xx:xx,x" },
		{ "52-54-00-ab-cd-ef", "xx:xx:xx:xx:xx:xx" },
		{ "b8-3f-d2-03-00-a1-b2-c3", "SERIAL" },
		{ "enx525400abcdef is up", "enxMAC is up" },
		{ "enp1s0 enxyz", "enp1s0 enxyz" },
		{ "192.168.1.20/24", "IP/24" },
		{ "1.2.3.4.5 and 256.1.1.1", "1.2.3.4.5 and 256.1.1.1" },
		{ "fe80::1 2001:db8:0:0:0:0:0:1", "IP IP" },
		{ "root=UUID=3c5d9a1e-6a3f-4f0e-9b0e-1f2e3d4c5b6a", "root=UUID=UUID" },
		{ "type=1,serial=ABC,x", "type=1,serial=SERIAL,x" },
		{ "/dev/disk/by-id/ata-X_S123,size=1G", "/dev/disk/by-id/REMOVED,size=1G" },
		{ "pve1 pve1.example.org xpve1 pve12 pve1-2 pve1_x",
		  "host1 host1 xpve1 pve12 pve1-2 pve1_x" },
		{ "nodes/node-b/qemu-server", "nodes/host2/qemu-server" },
		{ "pve1's", "host1's" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char *got = anonymise(&anonymiser, rows[i].text);

		assert_string_equal(got, rows[i].wanted);
		free(got);
	}
}

static void test_names(void **state)
{
	const struct tree *tree = *state;
	struct anonymiser anonymiser = { 0 };

	tree_file(tree, "proc/sys/kernel/hostname", "pve1.example.org\n");
	tree_folder(tree, "etc/pve/nodes/pve1");
	tree_folder(tree, "etc/pve/nodes/pve2");
	assert_int_equal(anonymiser_read(&tree->root, &anonymiser), 0);
	assert_int_equal(anonymiser.hosts.count, 2);
	assert_string_equal(anonymiser.hosts.items[0], "pve1");
	assert_string_equal(anonymiser.hosts.items[1], "pve2");
	anonymiser_done(&anonymiser);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		tree_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
