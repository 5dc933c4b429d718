/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: host/unit.c, as far as it goes without stopping anything: tests/vm does that. */
#include <errno.h>

#include "test.h"
#include "tree.h"

#include "host/unit.h"

/* They become arguments of systemctl. */
static void test_names(void **state)
{
	static const struct {
		const char *name;
		bool service;
	} rows[] = {
		{ "lightdm.service", true },
		{ "user@1000.service", true },
		{ "dev-disk-by\\x2duuid.service", true },
		{ "a:b_c.d-e.service", true },
		{ "", false },
		{ ".service", false },
		{ "service", false },
		{ "lightdm", false },
		{ "lightdm.socket", false },
		{ "lightdm.service ", false },
		{ "light dm.service", false },
		{ "-H.service", false },
		{ "--now.service", false },
		{ "../a.service", false },
		{ "a\n.service", false },
		{ "*.service", false },
		{ "caf\xc3\xa9.service", false },
	};
	char name[300];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_row(rows[i].name, unit_name_is_service(rows[i].name) == rows[i].service);
	/* systemd.unit(5): 255 letters at most */
	for (size_t size = 254; size <= 256; size++) {
		memset(name, 'x', size);
		memcpy(name + size - 8, ".service", 9);
		assert_int_equal(unit_name_is_service(name), size <= 255);
	}
}

static void test_unit_of_process(void **state)
{
	static const struct {
		const char *name, *cgroup, *unit;
	} rows[] = {
		{ "v2, a service", "0::/system.slice/lightdm.service\n", "lightdm.service" },
		{ "v2, below one", "0::/system.slice/system-getty.slice/getty@tty1.service/a/b\n",
		  "getty@tty1.service" },
		{ "v2, a session", "0::/user.slice/user-1000.slice/session-2.scope\n",
		  "session-2.scope" },
		{ "v2, a user's own service",
		  "0::/user.slice/user-1000.slice/user@1000.service/app.slice/pipewire.service\n",
		  "user@1000.service" },
		{ "v2, a VM", "0::/qemu.slice/101.scope\n", "101.scope" },
		{ "v2, a container's service",
		  "0::/lxc/101/ns/system.slice/nvidia-persistenced.service\n", NULL },
		{ "v2, none", "0::/\n", NULL },
		{ "v2, a slice alone", "0::/system.slice\n", NULL },
		{ "v2, no name before the dot", "0::/system.slice/.service\n", NULL },
		{ "v1",
		  "12:pids:/system.slice/other.service\n"
		  "1:name=systemd:/system.slice/lightdm.service\n",
		  "lightdm.service" },
		{ "v1 and v2",
		  "2:cpu:/\n1:name=systemd:/system.slice/lightdm.service\n"
		  "0::/system.slice/lightdm.service\n",
		  "lightdm.service" },
		{ "v1, and v2 that is not used",
		  "0::/\n1:name=systemd:/system.slice/lightdm.service\n", "lightdm.service" },
		{ "v1, other controllers alone", "12:pids:/system.slice/other.service\n", NULL },
		{ "v1, a container's", "1:name=systemd:/lxc/101/ns/system.slice/lightdm.service\n",
		  NULL },
		{ "no path", "0::\n", NULL },
		{ "nothing", "", NULL },
	};
	const struct tree *tree = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		cleanup_free char *unit = NULL;

		tree_file(tree, "proc/4711/cgroup", "%s", rows[i].cgroup);
		unit = unit_of_process(&tree->root, 4711);
		assert_row(rows[i].name, text_equal(unit, rows[i].unit));
	}
	/* it has ended */
	assert_null(unit_of_process(&tree->root, 4712));
}

static void test_active_in_a_tree(void **state)
{
	const struct tree *tree = *state;
	bool active = true;

	assert_int_equal(unit_is_active(&tree->root, "lightdm.service", &active, NULL), 0);
	assert_false(active);
	tree_folder(tree, "sys/fs/cgroup/system.slice/lightdm.service");
	assert_int_equal(unit_is_active(&tree->root, "lightdm.service", &active, NULL), 0);
	assert_true(active);
	assert_int_equal(unit_is_active(&tree->root, "gdm.service", &active, NULL), 0);
	assert_false(active);
}

/* The services that run are the machine's, whatever the tree shows. */
static void test_no_change_in_a_tree(void **state)
{
	const struct tree *tree = *state;
	struct error err = { 0 };
	char message[256];

	tree_folder(tree, "sys/fs/cgroup/system.slice/lightdm.service");
	snprintf(message, sizeof(message), "no unit can be changed in '%s'", tree->path);
	assert_int_equal(unit_stop(&tree->root, "lightdm.service", 1000, &err), -EOPNOTSUPP);
	assert_string_equal(err.message, message);
	err = (struct error){ 0 };
	assert_int_equal(unit_start(&tree->root, "lightdm.service", 1000, &err), -EOPNOTSUPP);
	assert_string_equal(err.message, message);
}

/* systemctl knows no such unit; where there is no systemd, it says so in one line. */
static void test_machine(void **state)
{
	struct tree *tree = *state;
	struct error err = { 0 };
	bool active = true;
	int r;

	tree->root.live = true;
	r = unit_is_active(&tree->root, "pve-vfio-no-such-unit.service", &active, &err);
	if (r == 0) {
		assert_false(active);
		return;
	}
	assert_true(*err.message);
	assert_null(strchr(err.message, '\n'));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),	  tree_test(test_unit_of_process),
		tree_test(test_active_in_a_tree), tree_test(test_no_change_in_a_tree),
		tree_test(test_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
