/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: change/journal.c: what is written is read again. */
#include "journal.h"

static void test_round_trip(void **state)
{
	static const struct {
		enum journal_phase phase;
		const char *name;
	} phases[] = {
		{ JOURNAL_STARTING, "starting" }, { JOURNAL_READY, "ready" },
		{ JOURNAL_RUNNING, "running" },	  { JOURNAL_STOPPING, "stopping" },
		{ JOURNAL_KEPT, "kept" },
	};
	cleanup_journal struct journal journal = { 0 };
	struct journals *journals = *state;

	build(journals, &journal);
	for (size_t i = 0; i < COUNT(phases); i++) {
		cleanup_journal struct journal again = { 0 };

		assert_string_equal(journal_phase_name(phases[i].phase), phases[i].name);
		journal_enter(&journal, phases[i].phase);
		journal.qemu =
			i % 2 ? (struct task){ 4711, 9000000000ull } : (struct task){ .pid = 0 };
		journal.watch =
			i % 2 ? (struct task){ .pid = 0 } : (struct task){ 4712, 9000000001ull };
		journal.run = i;
		journal.deadline_s = (unsigned)i + 7;
		write_it(journals, &journal);
		assert_int_equal(read_it(journals, &again), 0);
		assert_same(&journal, &again);
	}
}

/* Every type of action, kept and not: a journal tells what stays when the VM stops. */
static void test_keep(void **state)
{
	static const struct {
		enum action_type type;
		const char *target, *before, *wanted;
	} rows[] = {
		{ ACTION_RESERVE, "0000:01:00.0", NULL, "101" },
		{ ACTION_STOP_UNIT, "lightdm.service", "active", "inactive" },
		{ ACTION_RELEASE_CONSOLE, "vtcon1", "1", "0" },
		{ ACTION_RELEASE_FRAMEBUFFER, "efi-framebuffer.0", "efi-framebuffer", "none" },
		{ ACTION_UNLOAD_MODULE, "nvidia_drm", "loaded", "unloaded" },
		{ ACTION_LOAD_MODULE, "vfio-pci", NULL, "loaded" },
		{ ACTION_KEEP_ATTRIBUTE, "0000:01:00.0/power/control", "on", "any" },
		{ ACTION_SET_ATTRIBUTE, "0000:01:00.0/power/control", "auto", "on" },
		{ ACTION_BIND, "0000:01:00.0", "nouveau", "vfio-pci" },
		{ ACTION_RESCAN, "0000:01:00.0/remove", NULL, "vfio-pci" },
		{ ACTION_RESIZE_BAR, "0000:01:00.0/resource1_resize", "256", "8192" },
	};
	struct journals *journals = *state;

	for (size_t i = 0; i < 2 * COUNT(rows); i++) {
		cleanup_journal struct journal journal = { 0 }, again = { 0 };
		struct action action = { 0 };
		bool keep = i % 2;

		assert_int_equal(journal_begin(&journals->tree.root, 101, &journal, &journals->err),
				 0);
		assert_int_equal(action_make(rows[i / 2].type, rows[i / 2].target,
					     rows[i / 2].before, rows[i / 2].wanted, "hostpci0",
					     &action),
				 0);
		action.keep = keep;
		action.state = ACTION_DONE;
		assert_int_equal(actions_add(&journal.actions, &action), 0);
		write_it(journals, &journal);
		assert_int_equal(read_it(journals, &again), 0);
		assert_same(&journal, &again);
		assert_int_equal(again.actions.items[0].keep, keep);
		/* what is to be kept alone makes it a journal of what is kept */
		assert_int_equal(journal_settle(&journals->state, &again, &journals->err), !keep);
		assert_int_equal(again.phase == JOURNAL_KEPT, keep);
	}
}

static void test_begin(void **state)
{
	cleanup_journal struct journal journal = { 0 };
	struct journals *journals = *state;
	time_t before = time(NULL);

	assert_int_equal(journal_begin(&journals->tree.root, 101, &journal, &journals->err), 0);
	assert_int_equal(journal.vmid, 101);
	assert_int_equal(journal.phase, JOURNAL_STARTING);
	assert_string_equal(journal.boot_id, TREE_BOOT_ID);
	assert_in_range(journal.since, before, before + 60);
	assert_int_equal(journal.actions.count, 0);
	assert_int_equal(journal.qemu.pid, 0);
	assert_int_equal(journal.watch.pid, 0);
	assert_false(tree_has(&journals->tree, FILE_PATH));

	tree_remove(&journals->tree, "proc");
	assert_int_equal(journal_begin(&journals->tree.root, 101, &journal, &journals->err),
			 -ENOENT);
}

/* It lives as long as there is something in it. */
static void test_empty(void **state)
{
	cleanup_journal struct journal journal = { 0 }, again = { 0 };
	struct journals *journals = *state;

	assert_int_equal(read_it(journals, &again), -ENOENT);
	assert_string_equal(journals->err.message, "");
	assert_int_equal(journal_begin(&journals->tree.root, 101, &journal, &journals->err), 0);
	write_it(journals, &journal); /* none there, and none made */
	assert_false(tree_has(&journals->tree, FILE_PATH));
	add_module(&journal);
	write_it(journals, &journal);
	assert_true(tree_has(&journals->tree, FILE_PATH));
	actions_done(&journal.actions);
	write_it(journals, &journal);
	assert_false(tree_has(&journals->tree, FILE_PATH));
	assert_int_equal(read_it(journals, &again), -ENOENT);
}

/* The kernel whose values it records is gone. */
static void test_other_boot(void **state)
{
	cleanup_journal struct journal journal = { 0 }, again = { 0 };
	struct journals *journals = *state;

	build(journals, &journal);
	write_it(journals, &journal);
	tree_boot(&journals->tree, "22222222-2222-3333-4444-555555555555");
	assert_int_equal(read_it(journals, &again), 0);
	assert_int_equal(again.actions.count, 0);
	journal_done(&again);
	/* one cannot tell: an error, and no restore by values of who knows when */
	tree_remove(&journals->tree, "proc");
	assert_int_equal(read_it(journals, &again), -ENOENT);
	assert_non_null(strstr(journals->err.message, "boot_id"));
}

static void test_mode(void **state)
{
	cleanup_journal struct journal journal = { 0 };
	struct journals *journals = *state;
	struct stat status;
	char path[PATH_MAX];

	build(journals, &journal);
	write_it(journals, &journal);
	tree_path(&journals->tree, FILE_PATH, path);
	assert_int_equal(lstat(path, &status), 0);
	assert_int_equal(status.st_mode, S_IFREG | 0600);
}

/* What cannot be put into JSON is not half written. */
static void test_bytes_that_are_no_text(void **state)
{
	cleanup_journal struct journal journal = { 0 };
	struct journals *journals = *state;
	struct journal again;
	int r;

	assert_int_equal(journal_begin(&journals->tree.root, 101, &journal, &journals->err), 0);
	add_bind(&journal, "0000:01:00.0", "e1000e", "caf\xe9", "e1000e", 14, ACTION_ANNOUNCED);
	r = journal_write(&journals->state, &journal, &journals->err);
	if (r < 0) {
		assert_false(tree_has(&journals->tree, FILE_PATH));
		return;
	}
	assert_int_equal(read_it(journals, &again), 0);
	assert_same(&journal, &again);
	journal_done(&again);
}

/* A device without a group: what is written must be readable. */
static void test_no_group(void **state)
{
	cleanup_journal struct journal journal = { 0 }, again = { 0 };
	struct journals *journals = *state;

	assert_int_equal(journal_begin(&journals->tree.root, 101, &journal, &journals->err), 0);
	add_bind(&journal, "0000:01:00.0", "e1000e", NULL, "e1000e", -1, ACTION_FAILED);
	write_it(journals, &journal);
	assert_int_equal(read_it(journals, &again), 0);
	assert_same(&journal, &again);
}

static void assert_listed(struct journals *journals, const uint32_t *vmids, size_t count)
{
	cleanup_vmids struct vmids listed = { 0 };

	assert_int_equal(journal_list(&journals->state, &listed, &journals->err), 0);
	assert_int_equal(listed.count, count);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(listed.items[i], vmids[i]);
}

static void test_list(void **state)
{
	static const char *const others[] = {
		"101.lock",  "claims.lock", ".101.json.tmp", "101.json.tmp",
		"x.json",    "101.jso",	    "101json",	     ".json",
		"1 01.json", "-1.json",	    "101.json.json", "4294967296.json",
	};
	static const uint32_t vmids[] = { 9, 100, 101, 1000, 4294967295 };
	struct journals *journals = *state;

	assert_listed(journals, NULL, 0);
	for (size_t i = 0; i < COUNT(others); i++) {
		char path[PATH_MAX];

		tree_format(path, "run/pve-vfio/%s", others[i]);
		tree_file(&journals->tree, path, "x");
	}
	assert_listed(journals, NULL, 0);
	for (size_t i = COUNT(vmids); i > 0; i--) {
		char path[PATH_MAX];

		tree_format(path, "run/pve-vfio/%u.json", vmids[i - 1]);
		tree_file(&journals->tree, path, "x");
	}
	assert_listed(journals, vmids, COUNT(vmids));
	/* once more: the descriptor of the directory is where it was */
	assert_listed(journals, vmids, COUNT(vmids));
}

/* VMID.json and no other name: 0101.json is not the journal of VM 101. */
static void test_list_other_spellings(void **state)
{
	static const uint32_t vmids[] = { 101 };
	struct journals *journals = *state;

	tree_file(&journals->tree, "run/pve-vfio/101.json", "x");
	tree_file(&journals->tree, "run/pve-vfio/0101.json", "x");
	tree_file(&journals->tree, "run/pve-vfio/0.json", "x");
	assert_listed(journals, vmids, COUNT(vmids));
}

static void test_settle(void **state)
{
	cleanup_journal struct journal journal = { 0 }, again = { 0 };
	struct journals *journals = *state;

	assert_int_equal(journal_begin(&journals->tree.root, 101, &journal, &journals->err), 0);
	journal_enter(&journal, JOURNAL_STOPPING);
	add_bind(&journal, "0000:01:00.0", "e1000e", NULL, NULL, 15, ACTION_DONE); /* kept */
	add_bind(&journal, "0000:02:00.0", "e1000e", NULL, NULL, 14, ACTION_FAILED);
	assert_int_equal(journal_settle(&journals->state, &journal, &journals->err), 1);
	assert_int_equal(journal.phase, JOURNAL_STOPPING);
	actions_remove(&journal.actions, ACTION_BIND, "0000:02:00.0");
	assert_int_equal(journal_settle(&journals->state, &journal, &journals->err), 0);
	assert_int_equal(journal.phase, JOURNAL_KEPT);
	assert_int_equal(read_it(journals, &again), 0);
	assert_same(&journal, &again);

	actions_done(&journal.actions);
	assert_int_equal(journal_settle(&journals->state, &journal, &journals->err), 0);
	assert_false(tree_has(&journals->tree, FILE_PATH));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		journal_test(test_round_trip),
		journal_test(test_keep),
		journal_test(test_begin),
		journal_test(test_empty),
		journal_test(test_other_boot),
		journal_test(test_mode),
		journal_test(test_bytes_that_are_no_text),
		journal_test(test_no_group),
		journal_test(test_list),
		journal_test(test_list_other_spellings),
		journal_test(test_settle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
