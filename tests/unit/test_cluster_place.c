/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a VM could start, by what two nodes have published; and the commands for HA. */
#include "test.h"
#include "tree.h"

#include "cluster/ha.h"
#include "cluster/place.h"

#define NOW ((time_t)1764320000)

/* A node with one card, at 01:00.0, and a hookscript in the storage local. */
static void publish(const struct tree *tree, const char *node, const char *pass, time_t written)
{
	char path[128];

	snprintf(path, sizeof(path), "etc/pve/pve-vfio/nodes/%s.json", node);
	tree_file(
		tree, path,
		"{\"format\":1,\"node\":\"%s\",\"version\":\"0.2.0\",\"qemu_server\":\"9.2.6\","
		"\"kernel\":\"6.17\",\"written\":%jd,\"hooks\":{\"local\":\"0.2.0\"},"
		"\"devices\":[{\"address\":\"0000:01:00.0\",\"id\":\"10de:2484\","
		"\"subsystem_id\":\"1462:3909\",\"class\":\"030000\",\"group\":14,\"name\":\"GPU\","
		"\"pass\":\"%s\",\"why\":%s,\"mdev\":false}],\"left_out\":0}",
		node, (intmax_t)written, pass,
		strcmp(pass, "no") == 0 ? "\"storage-in-use\"" : "null");
}

static void build(const struct tree *tree)
{
	tree_folder(tree, "etc/pve/qemu-server");
	tree_folder(tree, "etc/pve/nodes/pve2/qemu-server");
	tree_file(tree, "etc/pve/.members",
		  "{\"cluster\": {\"quorate\": 1}, \"nodelist\": {\"pve1\": {\"online\": 1}, "
		  "\"pve2\": {\"online\": 1}, \"pve3\": {\"online\": 0}}}");
	tree_file(tree, "etc/pve/mapping/pci.cfg",
		  "gpu\n"
		  "\tmap id=10de:2484,iommugroup=14,node=pve1,path=0000:01:00.0,"
		  "subsystem-id=1462:3909\n"
		  "\tmap id=10de:2484,iommugroup=14,node=pve2,path=0000:01:00.0,"
		  "subsystem-id=1462:3909\n");
	tree_file(tree, "etc/pve/qemu-server/101.conf",
		  "hookscript: local:snippets/pve-vfio-hook\nhostpci0: mapping=gpu\n");
	tree_file(tree, "etc/pve/qemu-server/102.conf", "hostpci0: 01:00\n");
	tree_file(tree, "etc/pve/nodes/pve2/qemu-server/103.conf",
		  "hostpci0: mapping=gpu\ntemplate: 1\n");
	publish(tree, "pve1", "yes", NOW);
	publish(tree, "pve2", "yes", NOW);
}

/* "pve1 yes, pve2 no storage-in-use", for each member. */
static void assert_places(const struct tree *tree, uint32_t vmid, const char *expected)
{
	cleanup_cluster struct cluster cluster = { .root = &tree->root,
						   .self = "pve1",
						   .now = NOW };
	struct facts own = { 0 };
	cleanup_text struct text text = { 0 };
	const struct cluster_vm *vm;

	if (facts_read(&tree->root, "pve1", &own, NULL) < 0)
		tree_broken("read", "pve1.json");
	assert_int_equal(cluster_read(&cluster, &own, vmid, NULL), 0);
	vm = cluster_find(&cluster, vmid);
	assert_non_null(vm);
	for (size_t i = 0; i < cluster.members.count; i++) {
		cleanup_place struct place place = { 0 };

		assert_int_equal(place_judge(&cluster, vm, i, &place, NULL), 0);
		text_add(&text, "%s%s %s%s%s", i ? ", " : "", cluster.members.items[i].node,
			 place_start_name(place.start), place.id ? " " : "",
			 place.id ? place.id : "");
	}
	assert_string_equal(text.data, expected);
	facts_done(&own);
}

static void test_judge(void **state)
{
	const struct tree *tree = *state;

	build(tree);
	assert_places(tree, 101, "pve1 yes, pve2 yes, pve3 no offline");
	assert_places(tree, 102, "pve1 yes, pve2 no local-device, pve3 no offline");
	assert_places(tree, 103, "pve1 no template, pve2 no template, pve3 no template");
	publish(tree, "pve2", "no", NOW);
	assert_places(tree, 101, "pve1 yes, pve2 no storage-in-use, pve3 no offline");
	publish(tree, "pve2", "yes", NOW - FACTS_OLD_S - 1);
	assert_places(tree, 101, "pve1 yes, pve2 unknown facts-old, pve3 no offline");
	tree_file(tree, "etc/pve/pve-vfio/nodes/pve2.json", "{");
	assert_places(tree, 101, "pve1 yes, pve2 unknown facts-broken, pve3 no offline");
}

static void test_user(void **state)
{
	const struct tree *tree = *state;
	cleanup_cluster struct cluster cluster = { .root = &tree->root,
						   .self = "pve1",
						   .now = NOW };
	struct facts own = { 0 };

	build(tree);
	assert_int_equal(facts_read(&tree->root, "pve1", &own, NULL), 0);
	assert_int_equal(cluster_read(&cluster, &own, 0, NULL), 0);
	facts_done(&own);
	assert_int_equal(cluster_user(&cluster, 0, "0000:01:00.0", 0), 101);
	assert_int_equal(cluster_user(&cluster, 0, "0000:01:00.0", 101), 102);
	assert_int_equal(cluster_user(&cluster, 0, "0000:02:00.0", 0), 0);
	assert_int_equal(cluster_user(&cluster, 1, "0000:01:00.0", 103), 0);
}

static void assert_commands(const struct tree *tree, const char *version, const char *first,
			    const char *last)
{
	cleanup_strings struct strings commands = { 0 };

	assert_int_equal(ha_commands(&tree->root, 101, "pve1,pve2", version, &commands), 0);
	assert_string_equal(commands.items[0], first);
	assert_string_equal(commands.items[commands.count - 1], last);
}

static void test_ha(void **state)
{
	static const char rule[] = "ha-manager rules add node-affinity pve-vfio-101 --resources "
				   "vm:101 --nodes pve1,pve2 --strict 1";
	const struct tree *tree = *state;

	assert_commands(tree, "9.0.1", "ha-manager add vm:101", rule);
	assert_commands(tree, "", "ha-manager add vm:101", rule);
	assert_commands(tree, "8.4.10",
			"ha-manager groupadd pve-vfio-101 --nodes pve1,pve2 --restricted 1",
			"ha-manager add vm:101 --group pve-vfio-101");
	tree_file(tree, "etc/pve/ha/resources.cfg", "vm: 101\n\tstate started\n\nvm: 1010\n");
	assert_commands(tree, "10.1", rule, rule);
	tree_file(tree, "etc/pve/ha/rules.cfg",
		  "node-affinity: a\n\tnodes pve1\n\tresources vm:101,vm:102\n");
	assert_commands(tree, "9.0.1", "ha-manager rules set node-affinity a --resources vm:102",
			rule);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(test_judge),
		tree_test(test_user),
		tree_test(test_ha),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
