/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: report/anonymise.c. */
#include "test.h"
#include "tree.h"

#include "report/anonymise.h"

static void test_words(void **state)
{
	static char first[] = "pve1", second[] = "node-b";
	static char *hosts[] = { first, second }, domain[] = "example.org";
	const struct anonymiser anonymiser = { { hosts, 2 }, domain };
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
		/* Proxmox VE's own for the second mediated device of VM 105: a number, and no secret */
		{ "00000001-0000-0000-0000-000000000105 left",
		  "00000001-0000-0000-0000-000000000105 left" },
		{ "00000001-0000-0000-0000-00000000010f left", "UUID left" },
		{ "00000001-0000-0000-0000-000000000000", "UUID" },
		{ "type=1,serial=ABC,x", "type=1,serial=SERIAL,x" },
		{ "/dev/disk/by-id/ata-X_S123,size=1G", "/dev/disk/by-id/REMOVED,size=1G" },
		/* the domain tells a node's name from any other word */
		{ "pve1.example.org node-b.example.org, xpve1.example.org pve1.example.organ",
		  "host1 host2, xpve1.example.org pve1.example.organ" },
		{ "pve1.example.org's", "host1's" },
		{ "pve1.example.com pve1.conf pve1 'pve1'",
		  "pve1.example.com pve1.conf pve1 'pve1'" },
		/* so do the places of one */
		{ "etc/pve/nodes/node-b/qemu-server", "etc/pve/nodes/host2/qemu-server" },
		{ "nodes/pve1", "nodes/host1" },
		{ "nodes/pve12 nodes/pve1-2 nodes/pve1_x subnodes/pve1",
		  "nodes/pve12 nodes/pve1-2 nodes/pve1_x subnodes/pve1" },
		{ "\tmap id=1:2,node=pve1,path=pve1", "\tmap id=1:2,node=host1,path=pve1" },
		{ "dir: pve1\n\tpath /pve1\n\tnodes pve1,x,node-b\n\tcontent pve1",
		  "dir: pve1\n\tpath /pve1\n\tnodes host1,x,host2\n\tcontent pve1" },
		{ "nodes x,pve1 node-b,pve1", "nodes x,host1 node-b,pve1" },
		{ "all nodes pve1", "all nodes pve1" },
		{ "the node 'pve1' has it", "the node 'host1' has it" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char *got = anonymise(&anonymiser, rows[i].text);

		assert_string_equal(got, rows[i].wanted);
		free(got);
	}
}

/* A node can have any name: its letters elsewhere are not its name. */
static void test_names_that_are_words(void **state)
{
	static char pve[] = "pve", sys[] = "sys", a[] = "a", node[] = "node", nodes[] = "nodes";
	static char *hosts[] = { pve, sys, a, node, nodes };
	const struct anonymiser anonymiser = { { hosts, 5 }, NULL };
	static const struct {
		const char *text, *wanted;
	} rows[] = {
		{ "etc/pve/qemu-server/101.conf", "etc/pve/qemu-server/101.conf" },
		{ "sys/bus/pci/devices", "sys/bus/pci/devices" },
		{ "../../sys/a/pve.conf a sys", "../../sys/a/pve.conf a sys" },
		{ "root=/dev/mapper/pve-root vgname pve", "root=/dev/mapper/pve-root vgname pve" },
		{ "etc/pve/nodes/a/lxc", "etc/pve/nodes/host3/lxc" },
		{ "etc/pve/nodes/nodes/lxc", "etc/pve/nodes/host5/lxc" },
		{ "node=node,path=0000:0a:00.0", "node=host4,path=0000:0a:00.0" },
		{ "\tnodes nodes,node,sys", "\tnodes host5,host4,host2" },
		{ "pve.sys.a", "pve.sys.a" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char *got = anonymise(&anonymiser, rows[i].text);

		assert_string_equal(got, rows[i].wanted);
		free(got);
	}
}

static void test_host(void **state)
{
	static char first[] = "pve", second[] = "pve1";
	static char *hosts[] = { first, second };
	const struct anonymiser anonymiser = { { hosts, 2 }, NULL };
	static const struct {
		const char *name, *wanted;
	} rows[] = {
		{ "pve", "host1" }, { "pve1", "host2" },	  { "pve1.example.org", "host2" },
		{ "pve2", "pve2" }, { "localhost", "localhost" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char *got = anonymise_host(&anonymiser, rows[i].name);

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
	assert_string_equal(anonymiser.domain, "example.org");
	anonymiser_done(&anonymiser);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_names_that_are_words),
		cmocka_unit_test(test_host),
		tree_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
