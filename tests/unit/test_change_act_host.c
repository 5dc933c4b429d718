/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: change/act_host.c: what is there already, and what is no longer, is no failure. */
#include <errno.h>

#include "test.h"
#include "tree.h"

#include "change/action.h"

#define PLATFORM "sys/bus/platform/"

/* Makes or reverts an action of the host; `ret_note` gets what a revert says, or NULL. */
static int act(const struct tree *tree, enum action_type type, const char *target, bool revert,
	       const char **ret_note, struct error *err)
{
	const struct action_operations *operations = action_operations(type);
	struct action action = { 0 };
	int r;

	*err = (struct error){ 0 };
	*ret_note = NULL;
	assert_true(operations->host_wide);
	assert_int_equal(action_make(type, target, "before", "wanted", "hostpci0", &action), 0);
	r = revert ? operations->revert(&tree->root, &action, ret_note, err)
		   : operations->apply(&tree->root, &action, err);
	action_done(&action);
	return r;
}

/* A row: what is asked, and what it comes to. */
struct row {
	const char *name;
	enum action_type type;
	const char *target;
	bool revert;
	int result;
	const char *note, *words;
};

static void assert_rows(const struct tree *tree, const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const char *note;
		struct error err;

		assert_row(rows[i].name, act(tree, rows[i].type, rows[i].target, rows[i].revert,
					     &note, &err) == rows[i].result);
		assert_row(rows[i].name, text_equal(note, rows[i].note));
		if (rows[i].words && strcmp(err.message, rows[i].words) != 0)
			fail_msg("%s: %s", rows[i].name, err.message);
	}
}

/* A tree has no systemd, and its modules are none of the running kernel's. */
static void test_not_live(void **state)
{
	const struct tree *tree = *state;
	char unit[PATH_MAX], load[PATH_MAX], unload[PATH_MAX];
	const struct row rows[] = {
		{ "stop a unit", ACTION_STOP_UNIT, "a.service", false, -EOPNOTSUPP, NULL, unit },
		{ "start a unit", ACTION_STOP_UNIT, "a.service", true, -EOPNOTSUPP, NULL, unit },
		{ "unload", ACTION_UNLOAD_MODULE, "nvidia_uvm", false, -EOPNOTSUPP, NULL, unload },
		{ "unload what is not there", ACTION_UNLOAD_MODULE, "nvidia", false, 0, NULL, "" },
		{ "load again", ACTION_UNLOAD_MODULE, "nvidia", true, -EOPNOTSUPP, NULL, load },
		{ "load what is there", ACTION_UNLOAD_MODULE, "nvidia_uvm", true, 0, NULL, "" },
		{ "load for the VM", ACTION_LOAD_MODULE, "nvidia-uvm", false, 0, NULL, "" },
	};

	tree_file(tree, "sys/module/nvidia_uvm/initstate", "live\n");
	snprintf(unit, sizeof(unit), "no unit can be changed in '%s'", tree->path);
	snprintf(unload, sizeof(unload), "no module can be unloaded in '%s'", tree->path);
	snprintf(load, sizeof(load),
		 "module 'nvidia' is not loaded, and none can be loaded in '%s'", tree->path);
	assert_rows(tree, rows, COUNT(rows));
}

/* The entry of the text console goes with the last framebuffer, and comes with a new one. */
static void test_console(void **state)
{
	const struct tree *tree = *state;
	static const struct row rows[] = {
		{ "released already", ACTION_RELEASE_CONSOLE, "vtcon1", false, 0, NULL, "" },
		{ "given back already", ACTION_RELEASE_CONSOLE, "vtcon2", true, 0, NULL, "" },
		{ "gone: nothing to release", ACTION_RELEASE_CONSOLE, "vtcon9", false, 0, NULL,
		  "" },
		{ "gone: nothing to give back", ACTION_RELEASE_CONSOLE, "vtcon9", true, 0,
		  NOTE_GONE, "" },
	};

	tree_file(tree, "sys/class/vtconsole/vtcon1/bind", "0\n");
	tree_file(tree, "sys/class/vtconsole/vtcon2/bind", "1\n");
	assert_rows(tree, rows, COUNT(rows));
}

/* The kernel drops the platform device for good once vfio-pci has the card: no failure. */
static void test_framebuffer(void **state)
{
	const struct tree *tree = *state;
	static const struct row rows[] = {
		{ "released already", ACTION_RELEASE_FRAMEBUFFER, "efi-framebuffer.0", false, 0,
		  NULL, "" },
		{ "not bound", ACTION_RELEASE_FRAMEBUFFER, "efi-framebuffer.0", true, -EIO, NULL,
		  NULL },
		{ "dropped", ACTION_RELEASE_FRAMEBUFFER, "gone.0", true, 0,
		  "dropped by the kernel until the next boot", NULL },
		{ "dropped: nothing to release", ACTION_RELEASE_FRAMEBUFFER, "gone.0", false, 0,
		  NULL, "" },
	};

	tree_folder(tree, PLATFORM "devices/efi-framebuffer.0");
	tree_file(tree, PLATFORM "drivers/before/bind", "%s", "");
	assert_rows(tree, rows, COUNT(rows));
}

/* A reservation of ours goes with the start that it was for. */
static void test_reservation(void **state)
{
	const struct tree *tree = *state;
	struct action action = { 0 };
	struct error err = { 0 };
	const char *note = NULL;
	cleanup_free char *reserved = NULL, *after = NULL;

	tree_folder(tree, "run/qemu-server");
	assert_int_equal(action_make(ACTION_RESERVE, "0000:01:00", NULL, "101", "the VM", &action),
			 0);
	assert_int_equal(action_operations(ACTION_RESERVE)->apply(&tree->root, &action, &err), 0);
	reserved = tree_read(tree, "run/qemu-server/pci-id-reservations");
	assert_non_null(strstr(reserved, "0000:01:00 101 time:"));
	assert_int_equal(action_operations(ACTION_RESERVE)
				 ->revert(&tree->root, &action, &note, &err),
			 0);
	assert_string_equal(note, "no longer reserved");
	after = tree_read(tree, "run/qemu-server/pci-id-reservations");
	assert_null(strstr(after, "0000:01:00"));
	action_done(&action);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(test_not_live),
		tree_test(test_console),
		tree_test(test_framebuffer),
		tree_test(test_reservation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
