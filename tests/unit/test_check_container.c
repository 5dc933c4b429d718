/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The checks of containers: an error where one runs and names the node, else a warning. */
#include "test_check_topic.h"

#define ADDRESS "0000:01:00.0"
#define FOLDER	"devices/pci0000:00/" ADDRESS "/drm/card0"

static void build(const struct tree *tree, struct check_case *check)
{
	tree_add_device(tree, &(struct tree_device){ .address = ADDRESS, .class_code = 0x030000 });
	tree_file(tree, "sys/" FOLDER "/uevent", "DEVNAME=dri/card0\n");
	tree_link(tree, "sys/dev/char/226:0", "../../" FOLDER);
	tree_file(tree, "proc/net/unix", "ffff: 2 0 10000 0001 01 1 @/var/lib/lxc/200/command\n");
	check_add(tree, check, ADDRESS);
}

static void the_level_follows_from_both(void **state)
{
	static const struct {
		const char *file, *line, *id, *runs;
		enum check_level level;
	} rows[] = {
		{ "etc/pve/lxc/200.conf", "dev0: /dev/dri/card0", "container-uses",
		  "200, which runs", LEVEL_ERROR },
		{ "etc/pve/lxc/201.conf", "dev0: /dev/dri/card0", "container-lists",
		  "201, which does not run", LEVEL_WARNING },
		{ "etc/pve/lxc/200.conf", "lxc.cgroup2.devices.allow: c 226:* rwm",
		  "container-uses", "200, which runs", LEVEL_ERROR },
		{ "etc/pve/lxc/200.conf", "lxc.cgroup2.devices.allow: a", "container-lists",
		  "200, which runs", LEVEL_WARNING },
	};
	struct check_case check = { 0 };

	build(*state, &check);
	for (size_t i = 0; i < COUNT(rows); i++) {
		char evidence[256];

		tree_file(*state, rows[i].file, "%s\n", rows[i].line);
		check_run(*state, &check, check_container);
		assert_int_equal(check.findings.count, 1);
		snprintf(evidence, sizeof(evidence), "Container %s, has the line '%s'.",
			 rows[i].runs, rows[i].line);
		check_expect(&check, 0, rows[i].id, rows[i].level, ADDRESS, evidence);
		tree_remove(*state, rows[i].file);
	}
	check_over(&check);
}

/* A start of its own asks nobody: it is said how it can. */
static void it_is_said_how_it_can_ask(void **state)
{
	struct check_case check = { 0 };

	build(*state, &check);
	tree_file(*state, "etc/pve/lxc/201.conf", "dev0: /dev/dri/card0\n");
	check_run(*state, &check, check_container);
	assert_int_equal(check.findings.count, 1);
	assert_non_null(strstr(
		finding_remedy(&check.findings.items[0]),
		"a hookscript of it ('pct set 201 --hookscript local:snippets/NAME') can run"));
	check_over(&check);
}

static void what_cannot_be_told_is_a_warning(void **state)
{
	struct check_case check = { 0 };

	build(*state, &check);
	tree_file(*state, "etc/pve/lxc/200.conf", "dev0: /dev/dri/card0\n");
	tree_remove(*state, "proc/net/unix");
	check_run(*state, &check, check_container);
	assert_int_equal(check.findings.count, 1);
	check_expect(&check, 0, "container-lists", LEVEL_WARNING, ADDRESS,
		     "It cannot be determined whether a container is given it: cannot read the "
		     "containers in /etc/pve/lxc: No such file or directory.");
	check_over(&check);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(the_level_follows_from_both),
		tree_test(it_is_said_how_it_can_ask),
		tree_test(what_cannot_be_told_is_a_warning),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
