/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Containers that are given a device's nodes. */
#include "test.h"
#include "tree.h"
#include "use/container.h"

#define ADDRESS "0000:01:00.0"
#define DRM	"devices/pci0000:00/" ADDRESS "/drm/"

static void add_node(const struct tree *tree, const char *folder, const char *number,
		     const char *node)
{
	char path[PATH_MAX], target[PATH_MAX];

	tree_format(path, "sys/%s/uevent", folder);
	tree_file(tree, path, "MAJOR=226\nDEVNAME=%s\nDEVTYPE=drm_minor\n", node);
	tree_format(path, "dev/%s", node);
	tree_file(tree, path, "%s", "");
	tree_format(path, "sys/dev/char/%s", number);
	tree_format(target, "../../%s", folder);
	tree_link(tree, path, target);
}

/* A card with two nodes, another card, and container 200, which runs. */
static void build(const struct tree *tree)
{
	tree_add_device(tree, &(struct tree_device){ .address = ADDRESS, .class_code = 0x030000 });
	add_node(tree, DRM "card1", "226:1", "dri/card1");
	add_node(tree, DRM "renderD129", "226:129", "dri/renderD129");
	add_node(tree, "devices/pci0000:00/0000:00:02.0/drm/card0", "226:0", "dri/card0");
	tree_file(
		tree, "proc/net/unix",
		"Num       RefCount Protocol Flags    Type St Inode Path\n"
		"ffff8880: 00000002 00000000 00010000 0001 01 20001 @/var/lib/lxc/200/command\n"
		"ffff8881: 00000002 00000000 00010000 0001 01 20002 @/var/lib/lxc/2011/command\n");
}

/* Of the device at ADDRESS. */
static int find(const struct tree *tree, struct container_uses *ret)
{
	cleanup_pci_device struct pci_device device = { 0 };
	cleanup_nodes struct device_nodes nodes = { 0 };
	struct pci_address address;

	assert_int_equal(pci_address_parse(ADDRESS, &address), 0);
	assert_int_equal(pci_device_read(&tree->root, address, &device, NULL), 0);
	assert_int_equal(nodes_find(&tree->root, &device, &nodes, NULL), 0);
	return container_uses_find(&tree->root, &nodes, ADDRESS, ret, NULL);
}

static void lines_that_give_the_device(void **state)
{
	static const struct {
		const char *line;
		int found; /* 0 not, 1 a sign, 2 it does */
	} rows[] = {
		{ "dev0: /dev/dri/renderD129,gid=104", 2 },
		{ "dev12: gid=104,path=/dev/dri/card1", 2 },
		{ "dev0: /dev/dri/card0", 0 },
		{ "dev0: /dev/dri/card11", 0 },
		{ "device: /dev/dri/card1", 0 },
		{ "lxc.cgroup2.devices.allow: c 226:129 rwm", 2 },
		{ "lxc.cgroup2.devices.allow = c 226:1 rwm", 2 },
		{ "lxc.cgroup2.devices.allow: c 226:* rwm", 2 },
		{ "lxc.cgroup2.devices.allow: c *:129 rw", 2 },
		{ "lxc.cgroup2.devices.allow: c 226:* m", 0 },
		{ "lxc.cgroup2.devices.allow: c *:* rwm", 1 },
		{ "lxc.cgroup2.devices.allow: c 226:12 rwm", 0 },
		{ "lxc.cgroup2.devices.allow: c 22:* rwm", 0 },
		{ "lxc.cgroup2.devices.allow: b 226:1 rwm", 0 },
		{ "lxc.cgroup2.devices.allow: a", 1 },
		{ "lxc.cgroup2.devices.allow:", 0 },
		{ "lxc.mount.entry: /dev/dri/card1 dev/dri/card1 none bind,create=file", 2 },
		{ "lxc.mount.entry: /dev/dri dev/dri none bind,optional,create=dir", 2 },
		{ "lxc.mount.entry: /dev/dri/ dev/dri none bind", 2 },
		{ "lxc.mount.entry: /dev/dri/by-path/x dev/x none bind", 2 },
		{ "lxc.mount.entry: /srv/link dev/x none bind,create=file", 2 },
		{ "lxc.mount.entry: /srv/link dev/x none bind", 0 },
		{ "dev0: /dev/dri/by-path/x", 2 },
		{ "dev0: /dev/dri/by-path/gone", 0 },
		{ "mp0: /dev/dri,mp=/dev/dri", 2 },
		{ "mp1: mp=/x,volume=/dev/dri/by-path", 0 },
		{ "mp0: local:100/x,mp=/dev/dri", 0 },
		{ "lxc.mount.entry: /dev dev none bind", 1 },
		{ "lxc.mount.entry: /dev/dr dev/dr none bind", 0 },
		{ "mp0: /dev/dri/card1,mp=/x", 2 },
		{ "#dev0: /dev/dri/card1", 0 },
		{ "[snapshot]\ndev0: /dev/dri/card1", 0 },
		{ "lxc.cgroup2.devices.allow: c 226:* rwm\ndev0: /dev/dri/card1", 2 },
		/* it is given another card, so the rule is about that */
		{ "lxc.cgroup2.devices.allow: c 226:* rwm\ndev0: /dev/dri/card0", 1 },
		{ "dev0: /dev/dri/card0\nlxc.cgroup2.devices.allow: c 226:* rwm", 1 },
	};
	struct tree *tree = *state;

	build(tree);
	tree_link(tree, "dev/dri/by-path/x", "../renderD129");
	tree_link(tree, "dev/dri/by-path/y", "../card0");
	tree_link(tree, "srv/link", "/dev/dri/card1");
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct container_uses uses = { 0 };

		tree_file(tree, "etc/pve/lxc/200.conf", "arch: amd64\n%s\nmemory: 512\n",
			  rows[i].line);
		assert_row(rows[i].line, find(tree, &uses) == 0);
		assert_row(rows[i].line, uses.count == (rows[i].found > 0));
		if (uses.count > 0) {
			assert_row(rows[i].line, uses.items[0].gives == (rows[i].found == 2));
			assert_row(rows[i].line, uses.items[0].running);
			assert_int_equal(uses.items[0].vmid, 200);
		}
		container_uses_done(&uses);
	}
}

static void who_runs_and_who_does_not(void **state)
{
	struct tree *tree = *state;
	struct container_uses uses = { 0 };

	build(tree);
	tree_file(tree, "etc/pve/lxc/200.conf", "dev0: /dev/dri/card1\n");
	tree_file(tree, "etc/pve/lxc/201.conf", "dev0: /dev/dri/card1\r\n");
	tree_file(tree, "etc/pve/lxc/x.conf", "dev0: /dev/dri/card1\n");
	tree_file(tree, "etc/pve/lxc/202.conf.tmp", "dev0: /dev/dri/card1\n");
	assert_int_equal(find(tree, &uses), 0);
	assert_int_equal(uses.count, 2);
	assert_true(uses.items[0].running);
	assert_int_equal(uses.items[1].vmid, 201);
	assert_false(uses.items[1].running);
	assert_string_equal(uses.items[1].line, "dev0: /dev/dri/card1");
	container_uses_done(&uses);
}

static void the_line_that_gives_it_is_told(void **state)
{
	struct tree *tree = *state;
	struct container_uses uses = { 0 };

	build(tree);
	tree_file(tree, "etc/pve/lxc/200.conf",
		  "lxc.cgroup2.devices.allow: c 226:* rwm\n"
		  "lxc.mount.entry: /dev/dri dev/dri none bind\n");
	assert_int_equal(find(tree, &uses), 0);
	assert_int_equal(uses.count, 1);
	assert_string_equal(uses.items[0].line, "lxc.mount.entry: /dev/dri dev/dri none bind");
	container_uses_done(&uses);
}

static void nvidias_nodes_come_from_its_own_files(void **state)
{
	struct tree *tree = *state;
	struct container_uses uses = { 0 };

	tree_add_device(tree, &(struct tree_device){ .address = ADDRESS,
						     .class_code = 0x030000,
						     .driver = "nvidia" });
	tree_file(tree, "proc/driver/nvidia/gpus/" ADDRESS "/information",
		  "Model: \t\t NVIDIA GeForce\nBus Location: \t " ADDRESS "\nDevice Minor: \t 1\n");
	tree_file(tree, "proc/net/unix", "Num\n");
	tree_file(tree, "etc/pve/lxc/200.conf", "dev0: /dev/nvidia0\ndev1: /dev/nvidiactl\n");
	tree_file(tree, "etc/pve/lxc/201.conf", "lxc.cgroup2.devices.allow: c 195:1 rwm\n");
	assert_int_equal(find(tree, &uses), 0);
	assert_int_equal(uses.count, 1);
	assert_int_equal(uses.items[0].vmid, 201);
	container_uses_done(&uses);
}

static void without_containers_nothing_is_asked(void **state)
{
	struct tree *tree = *state;
	struct container_uses uses = { 0 };

	build(tree);
	tree_remove(tree, "proc/net/unix");
	assert_int_equal(find(tree, &uses), 0);
	assert_int_equal(uses.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(lines_that_give_the_device),
		tree_test(who_runs_and_who_does_not),
		tree_test(the_line_that_gives_it_is_told),
		tree_test(nvidias_nodes_come_from_its_own_files),
		tree_test(without_containers_nothing_is_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
