/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: change/journal.c: what is written is read again, and nothing else is. */
#include "test.h"
#include "tree.h"

#include <sys/wait.h>

#include "change/journal.h"

#define FILE_PATH "run/pve-vfio/101.json"

struct journals {
	struct tree tree;
	struct state state;
	struct error err;
};

static int setup(void **state)
{
	struct journals *journals = calloc(1, sizeof(*journals));

	if (!journals)
		return -1;
	tree_make(&journals->tree);
	tree_boot(&journals->tree, TREE_BOOT_ID);
	tree_folder(&journals->tree, "run");
	if (state_open(&journals->tree.root, true, &journals->state, &journals->err) < 0)
		return -1;
	*state = journals;
	return 0;
}

static int teardown(void **state)
{
	struct journals *journals = *state;

	state_done(&journals->state);
	tree_done(&journals->tree);
	free(journals);
	return 0;
}

static int read_it(struct journals *journals, struct journal *journal)
{
	*journal = (struct journal){ 0 };
	journals->err = (struct error){ 0 };
	return journal_read(&journals->tree.root, &journals->state, 101, journal, &journals->err);
}

static void add_module(struct journal *journal)
{
	struct action action = { 0 };

	assert_int_equal(action_make(ACTION_LOAD_MODULE, "vfio-pci", NULL, "loaded", "the VM",
				     &action),
			 0);
	action.state = ACTION_DONE;
	assert_int_equal(actions_add(&journal->actions, &action), 0);
}

static void add_bind(struct journal *journal, const char *target, const char *before,
		     const char *override, const char *module, int group, enum action_state state)
{
	struct action action = { 0 };

	assert_int_equal(action_make(ACTION_BIND, target, before, "vfio-pci", "hostpci0", &action),
			 0);
	assert_int_equal(action_set_binding(&action, override, module, group), 0);
	action.state = state;
	action.keep = group % 2;
	assert_int_equal(actions_add(&journal->actions, &action), 0);
}

static void build(struct journals *journals, struct journal *journal)
{
	assert_int_equal(journal_begin(&journals->tree.root, 101, journal, &journals->err), 0);
	add_module(journal);
	add_bind(journal, "0000:01:00.0", "nouveau", NULL, "nouveau", 14, ACTION_ANNOUNCED);
	add_bind(journal, "0000:01:00.1", NULL, "none", NULL, 15, ACTION_DONE);
	add_bind(journal, "0000:02:00.0", "e1000e", "e1000e", "e1000e", 0, ACTION_FAILED);
	add_bind(journal, "10000:e1:00.0", "nvme", NULL, NULL, 2147483647, ACTION_STUCK);
	add_bind(journal, "0000:03:00.0", "xhci_hcd", NULL, NULL, 17, ACTION_FORESEEN);
}

static void write_it(struct journals *journals, const struct journal *journal)
{
	if (journal_write(&journals->state, journal, &journals->err) != 0)
		fail_msg("%s", journals->err.message);
}

static void assert_same(const struct journal *a, const struct journal *b)
{
	assert_int_equal(a->vmid, b->vmid);
	assert_int_equal(a->phase, b->phase);
	assert_string_equal(a->boot_id, b->boot_id);
	assert_int_equal(a->since, b->since);
	assert_int_equal(a->deadline_s, b->deadline_s);
	assert_int_equal(a->run, b->run);
	assert_int_equal(a->watch.pid, b->watch.pid);
	assert_int_equal(a->watch.start_time, b->watch.start_time);
	assert_int_equal(a->qemu.pid, b->qemu.pid);
	assert_int_equal(a->qemu.start_time, b->qemu.start_time);
	assert_int_equal(a->actions.count, b->actions.count);
	for (size_t i = 0; i < a->actions.count; i++) {
		const struct action *left = &a->actions.items[i], *right = &b->actions.items[i];

		assert_int_equal(left->type, right->type);
		assert_int_equal(left->state, right->state);
		assert_text(left->target, right->target);
		assert_text(left->before, right->before);
		assert_text(left->wanted, right->wanted);
		assert_text(left->source, right->source);
		assert_text(left->override, right->override);
		assert_text(left->module, right->module);
		assert_int_equal(left->group, right->group);
		assert_int_equal(left->keep, right->keep);
	}
}

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

#define HEAD                                                                                       \
	"{\"format\": 1, \"vmid\": 101, \"run\": 7, \"boot_id\": \"" TREE_BOOT_ID                  \
	"\", \"phase\": \"ready\", \"since\": 1, \"deadline_s\": 30, "
#define BIND                                                                                       \
	"{\"type\": \"bind\", \"state\": \"done\", \"target\": \"0000:01:00.0\", \"source\": "     \
	"\"hostpci0\", \"before\": \"e1000e\", \"wanted\": \"vfio-pci\", \"override\": null, "     \
	"\"module\": null, \"group\": 14, \"keep\": false}"
#define WHOLE HEAD "\"actions\": [" BIND "]}"

/* Replaces `what` in the whole one; it must be there. */
static char *with(const char *what, const char *instead)
{
	const char *at = strstr(WHOLE, what);
	char *text;

	assert_non_null(at);
	assert_true(asprintf(&text, "%.*s%s%s", (int)(at - WHOLE), WHOLE, instead,
			     at + strlen(what)) > 0);
	return text;
}

static void test_refuses_members(void **state)
{
	static const struct {
		const char *what, *instead;
		const char *why;
	} rows[] = {
		{ "\"format\": 1", "\"format\": 2", "format 2; this version of pve-vfio reads 1" },
		{ "\"format\": 1", "\"format\": 0", "format 0; this version of pve-vfio reads 1" },
		{ "\"format\": 1, ", "",
		  "'format' is missing or not a number from 0 to 2147483647" },
		{ "\"format\": 1", "\"format\": \"1\"",
		  "'format' is missing or not a number from 0 to 2147483647" },
		{ "\"format\": 1", "\"format\": 1, \"format\": 1", NULL },
		{ "\"vmid\": 101", "\"vmid\": 102", "it is of VM 102" },
		{ "\"vmid\": 101", "\"vmid\": 0", "it is of VM 0" },
		{ "\"vmid\": 101", "\"vmid\": 4294967397",
		  "'vmid' is missing or not a number from 0 to 4294967295" },
		{ "\"vmid\": 101, ", "", "'vmid' is missing or not a number from 0 to 4294967295" },
		{ "\"boot_id\": \"" TREE_BOOT_ID "\"", "\"boot_id\": 7",
		  "'boot_id' is missing or not a string" },
		{ "\"boot_id\"", "\"bootid\"", "'boot_id' is missing or not a string" },
		{ "\"phase\": \"ready\"", "\"phase\": \"Ready\"", "'Ready' is no phase" },
		{ "\"phase\": \"ready\", ", "", "'phase' is missing or not a string" },
		{ "\"since\": 1", "\"since\": -1",
		  "'since' is missing or not a number from 0 to 9223372036854775807" },
		{ "\"since\": 1", "\"since\": 1.5",
		  "'since' is missing or not a number from 0 to 9223372036854775807" },
		{ "\"since\": 1", "\"since\": 1, \"qemu\": 7",
		  "'pid' is missing or not a number from 0 to 2147483647" },
		{ "\"run\": 7", "\"run\": \"7\"",
		  "'run' is missing or not a number from 0 to 9223372036854775807" },
		{ "\"since\": 1", "\"since\": 1, \"watch\": {\"pid\": -1}",
		  "'pid' is missing or not a number from 0 to 2147483647" },
		{ "\"since\": 1", "\"since\": 1, \"watch\": {\"pid\": 1}",
		  "'start_time' is missing or not a number from 0 to 9223372036854775807" },
		{ "\"since\": 1", "\"since\": 1, \"qemu\": {\"pid\": 2147483648}",
		  "'pid' is missing or not a number from 0 to 2147483647" },
		{ "\"since\": 1", "\"since\": 1, \"qemu\": {\"pid\": 1}",
		  "'start_time' is missing or not a number from 0 to 9223372036854775807" },
		{ "\"actions\"", "\"action\"", "'actions' is missing or not an array" },
		{ "[" BIND "]", "{}", "'actions' is missing or not an array" },
		{ BIND, "7", "'type' is missing or not a string" },
		{ BIND, "null", "'type' is missing or not a string" },
		{ BIND, BIND ", {}", "'type' is missing or not a string" },
		{ "\"bind\"", "\"unbind\"", "'unbind' is no type of action" },
		{ "\"done\"", "\"undone\"", "'undone' is no state of an action" },
		{ "\"state\": \"done\", ", "", "'state' is missing or not a string" },
		{ "\"target\": \"0000:01:00.0\"", "\"target\": null",
		  "'target' is missing or not a string" },
		{ "\"0000:01:00.0\"", "\"01:00.0\"", "'01:00.0' is not a PCI address" },
		{ "\"0000:01:00.0\"", "\"../../../etc\"", "'../../../etc' is not a PCI address" },
		{ "\"source\": \"hostpci0\", ", "", "'source' is missing or not a string" },
		{ "\"wanted\": \"vfio-pci\", ", "", "'wanted' is missing or not a string" },
		{ "\"before\": \"e1000e\"", "\"before\": 7",
		  "'before' is missing or not a string" },
		{ "\"override\": null", "\"override\": []",
		  "'override' is missing or not a string" },
		{ "\"module\": null", "\"module\": false", "'module' is missing or not a string" },
		{ ", \"group\": 14", "",
		  "'group' is missing or not a number from 0 to 2147483647" },
		{ "\"group\": 14", "\"group\": -1",
		  "'group' is missing or not a number from 0 to 2147483647" },
		{ "\"group\": 14", "\"group\": \"14\"",
		  "'group' is missing or not a number from 0 to 2147483647" },
		{ ", \"keep\": false", "", "'keep' is missing or neither true nor false" },
		{ "\"keep\": false", "\"keep\": 0", "'keep' is missing or neither true nor false" },
		{ BIND,
		  "{\"type\": \"stop-unit\", \"state\": \"done\", \"target\": \"a.service\", "
		  "\"source\": \"settings\", \"before\": \"active\", \"wanted\": \"inactive\"}",
		  "'keep' is missing or neither true nor false" },
		{ "\"deadline_s\": 30", "\"deadline_s\": \"30\"",
		  "'deadline_s' is missing or not a number from 0 to 2147483647" },
	};
	struct journals *journals = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		cleanup_free char *text = with(rows[i].what, rows[i].instead);
		struct journal journal;
		char message[ERROR_MAX];

		tree_file(&journals->tree, FILE_PATH, "%s", text);
		assert_row(text, read_it(journals, &journal) == -EBADMSG);
		assert_row(text, journal.actions.count == 0 && !journal.boot_id);
		snprintf(message, sizeof(message),
			 "/run/pve-vfio/101.json cannot be understood: %s",
			 rows[i].why ? rows[i].why : "");
		if (rows[i].why)
			assert_string_equal(journals->err.message, message);
		else
			assert_non_null(strstr(journals->err.message, "duplicate object key"));
	}
}

static void test_takes_members(void **state)
{
	static const struct {
		const char *what, *instead;
	} rows[] = {
		{ "\"since\": 1", "\"since\": 1, \"qemu\": null" },
		{ "\"since\": 1", "\"since\": 1, \"qemu\": {\"pid\": 1, \"start_time\": 0}" },
		{ "\"run\": 7, ", "" }, /* of an earlier version */
		{ "\"since\": 1", "\"since\": 1, \"watch\": null" },
		{ "\"since\": 1", "\"since\": 1, \"watch\": {\"pid\": 1, \"start_time\": 0}" },
		{ "\"since\": 1", "\"later\": {}, \"since\": 1" },
		{ "\"before\": \"e1000e\", ", "" },
		{ "\"override\": null, ", "" },
		{ BIND, BIND ", " BIND },
	};
	struct journals *journals = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		cleanup_free char *text = with(rows[i].what, rows[i].instead);
		cleanup_journal struct journal journal = { 0 };

		tree_file(&journals->tree, FILE_PATH, "%s", text);
		if (read_it(journals, &journal) != 0)
			fail_msg("'%s': %s", text, journals->err.message);
		assert_true(journal.actions.count >= 1);
	}
}

static void test_garbage(void **state)
{
	static const struct {
		const char *data;
		size_t size;
	} rows[] = {
#define BYTES(text) text, sizeof(text) - 1
		{ BYTES("") },
		{ BYTES("\n") },
		{ BYTES("null") },
		{ BYTES("[]") },
		{ BYTES("{}") },
		{ BYTES("\0\0\0\0") },
		{ BYTES("\xff\xfe{}") },
		{ BYTES(WHOLE "x") },
		{ BYTES(WHOLE WHOLE) },
		{ BYTES(WHOLE "\0") },
		{ BYTES("{\"format\": 1e0}") },
	};
	struct journals *journals = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct journal journal;

		tree_bytes(&journals->tree, FILE_PATH, rows[i].data, rows[i].size);
		assert_row(rows[i].data, read_it(journals, &journal) == -EBADMSG);
		assert_non_null(strstr(journals->err.message,
				       "/run/pve-vfio/101.json cannot be understood: "));
	}
}

static void test_truncated(void **state)
{
	cleanup_journal struct journal journal = { 0 };
	struct journals *journals = *state;
	cleanup_free char *text = NULL;

	build(journals, &journal);
	write_it(journals, &journal);
	text = tree_read(&journals->tree, FILE_PATH);
	/* the last byte is the newline, without which it is whole */
	for (size_t size = 0; size < strlen(text) - 1; size++) {
		struct journal again;

		tree_bytes(&journals->tree, FILE_PATH, text, size);
		assert_int_equal(read_it(journals, &again), -EBADMSG);
	}
}

static void test_too_large(void **state)
{
	struct journals *journals = *state;
	size_t size = 1024 * 1024 + 1;
	char *data = malloc(size);
	struct journal journal;

	memset(data, ' ', size);
	tree_bytes(&journals->tree, FILE_PATH, data, size);
	free(data);
	assert_int_equal(read_it(journals, &journal), -EBADMSG);
	assert_string_equal(journals->err.message,
			    "/run/pve-vfio/101.json cannot be understood: larger than 1 MiB");
}

/* In place of the file. */
static void test_symbolic_link(void **state)
{
	cleanup_journal struct journal journal = { 0 };
	struct journals *journals = *state;
	cleanup_free char *content = NULL;
	struct journal again;

	tree_file(&journals->tree, "elsewhere", "%s", WHOLE);
	tree_link(&journals->tree, FILE_PATH, "../../elsewhere");
	assert_int_equal(read_it(journals, &again), -ELOOP);
	assert_string_equal(journals->err.message, "cannot read /run/pve-vfio/101.json: Too many "
						   "levels of symbolic links");
	/* written, it is a file of its own */
	build(journals, &journal);
	write_it(journals, &journal);
	content = tree_read(&journals->tree, "elsewhere");
	assert_string_equal(content, WHOLE);
	assert_int_equal(read_it(journals, &again), 0);
	assert_same(&journal, &again);
	journal_done(&again);

	tree_remove(&journals->tree, FILE_PATH);
	tree_folder(&journals->tree, FILE_PATH);
	assert_int_equal(read_it(journals, &again), -EISDIR);
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

#define journal_test(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		journal_test(test_round_trip),
		journal_test(test_keep),
		journal_test(test_begin),
		journal_test(test_empty),
		journal_test(test_other_boot),
		journal_test(test_mode),
		journal_test(test_refuses_members),
		journal_test(test_takes_members),
		journal_test(test_garbage),
		journal_test(test_truncated),
		journal_test(test_too_large),
		journal_test(test_symbolic_link),
		journal_test(test_bytes_that_are_no_text),
		journal_test(test_no_group),
		journal_test(test_list),
		journal_test(test_list_other_spellings),
		journal_test(test_settle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
