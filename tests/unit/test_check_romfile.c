/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: check/romfile.c: each of its checks found in one situation and absent in another. */
#include "start.h"

#include <sys/inotify.h>

#define FAULT(path, why) "romfile hostpci0: QEMU cannot use the option ROM '" path "': " why ".\n"

static void test_hostpci(void **state)
{
	static const struct {
		const char *name, *lines;
	} rows[] = {
		{ "good.rom", "" },
		{ "sub/good.rom", "" },
		{ "a b.rom", "" },
		{ "link.rom", "" },
		{ "nosuch.rom", FAULT("/usr/share/kvm/nosuch.rom", "No such file or directory") },
		{ "empty.rom", FAULT("/usr/share/kvm/empty.rom", "empty") },
		{ "sub", FAULT("/usr/share/kvm/sub", "not a regular file") },
		{ "fifo", FAULT("/usr/share/kvm/fifo", "not a regular file") },
		/* PVE puts its folder in front of whatever it says */
		{ "/root/good.rom",
		  FAULT("/usr/share/kvm//root/good.rom", "No such file or directory") },
		{ "../../../root/good.rom", "romfile-outside hostpci0: Proxmox VE reads it as "
					    "'/usr/share/kvm/../../../root/good.rom'.\n" },
		{ "sub/../../x.rom", "romfile-outside hostpci0: Proxmox VE reads it as "
				     "'/usr/share/kvm/sub/../../x.rom'.\n" },
	};
	struct machine *machine = *state;
	const struct tree *tree = &machine->tree;
	char fifo[PATH_MAX], config[256];

	tree_file(tree, "usr/share/kvm/good.rom", "x");
	tree_file(tree, "usr/share/kvm/sub/good.rom", "x");
	tree_file(tree, "usr/share/kvm/a b.rom", "x");
	tree_file(tree, "usr/share/kvm/empty.rom", "%s", "");
	tree_link(tree, "usr/share/kvm/link.rom", "/root/good.rom");
	tree_file(tree, "root/good.rom", "x");
	tree_file(tree, "usr/share/x.rom", "x");
	tree_path(tree, "usr/share/kvm/fifo", fifo);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_found(machine, check_romfile, "hostpci0: 02:00.0\n", "");
	for (size_t i = 0; i < COUNT(rows); i++) {
		snprintf(config, sizeof(config), "hostpci0: 02:00.0,romfile=%s\n", rows[i].name);
		assert_found(machine, check_romfile, config, rows[i].lines);
	}
	/* a template starts without its devices */
	assert_found(machine, check_romfile, "hostpci0: 02:00.0,romfile=nosuch.rom\ntemplate: 1\n",
		     "");
}

/* What is of another kind is not opened: inotify sees each open(2) but one of a path alone. */
static void test_not_opened(void **state)
{
	struct machine *machine = *state;
	const struct tree *tree = &machine->tree;
	int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	char path[PATH_MAX], event[512];

	tree_file(tree, "usr/share/kvm/node", "x");
	tree_path(tree, "usr/share/kvm/node", path);
	assert_true(inotify_add_watch(watch, path, IN_OPEN) >= 0);
	machine_prepare(machine, "hostpci0: 02:00.0,romfile=node\n");
	assert_int_equal(check_romfile(&machine->start, &machine->findings, &machine->err), 0);
	assert_true(read(watch, event, sizeof(event)) > 0);

	tree_remove(tree, "usr/share/kvm/node");
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_true(inotify_add_watch(watch, path, IN_OPEN) >= 0);
	while (read(watch, event, sizeof(event)) > 0)
		continue;
	machine_prepare(machine, "hostpci0: 02:00.0,romfile=node\n"
				 "args: -device vfio-pci,host=01:00.0,romfile=node\n");
	assert_int_equal(check_romfile(&machine->start, &machine->findings, &machine->err), 0);
	assert_int_equal(machine->findings.count, 2);
	assert_int_equal(check_romimage(&machine->start, &machine->findings, &machine->err), 0);
	assert_int_equal(read(watch, event, sizeof(event)), -1);
	close(watch);
}

static void test_args(void **state)
{
	static const struct {
		const char *name;
		bool found;
	} rows[] = {
		{ "/root/good.rom", false },
		{ "good.rom", false },
		{ "nosuch.rom", true },
		{ "/root/nosuch.rom", true },
	};
	struct machine *machine = *state;
	char config[256], lines[256];

	tree_file(&machine->tree, "usr/share/kvm/good.rom", "x");
	tree_file(&machine->tree, "root/good.rom", "x");
	for (size_t i = 0; i < COUNT(rows); i++) {
		snprintf(config, sizeof(config), "args: -device vfio-pci,host=02:00.0,romfile=%s\n",
			 rows[i].name);
		snprintf(lines, sizeof(lines),
			 "romfile args: QEMU cannot use the option ROM '%s': No such file or "
			 "directory.\n",
			 rows[i].name);
		assert_found(machine, check_romfile, config, rows[i].found ? lines : "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		machine_test(test_hostpci),
		machine_test(test_not_opened),
		machine_test(test_args),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
