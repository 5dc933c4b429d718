/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Journals that cannot be understood: what is recognised, and what is not believed. */
#include <errno.h>

#include "change/recover.h"
#include "test.h"
#include "tree.h"

#define JOURNAL "run/pve-vfio/101.json"
#define BROKEN	"run/pve-vfio/101.json.broken"

#define BIND(address)                                                                              \
	"{ \"type\": \"bind\", \"state\": \"done\", \"target\": \"" address                        \
	"\", \"source\": \"hostpci0\", \"before\": \"e1000e\", \"wanted\": \"vfio-pci\", "         \
	"\"keep\": false, \"override\": null, \"module\": \"e1000e\", \"group\": 15 }"
#define HEAD(format, boot) HEAD_OF("101", format, boot)
#define HEAD_OF(vmid, format, boot)                                                                \
	"{ \"format\": " format ", \"vmid\": " vmid ", \"boot_id\": \"" boot                       \
	"\", \"phase\": \"ready\", \"since\": 1, \"deadline_s\": 30, \"actions\": ["

/* /run/pve-vfio is there before a journal is: state_open() wants it to be root's alone. */
static void make_state(const struct tree *tree, struct state *state)
{
	struct error err = { 0 };

	tree_boot(tree, TREE_BOOT_ID);
	tree_folder(tree, "run");
	assert_int_equal(state_open(&tree->root, true, state, &err), 0);
}

/* The targets that are recognised in a text. */
static void assert_recognised(const struct tree *tree, const struct state *state, const char *text,
			      size_t size, const char *targets)
{
	cleanup_journal struct journal journal = { 0 };
	struct error err = { 0 };
	struct text found = { 0 };
	bool broken = false;
	char *words;
	int r;

	tree_file(tree, JOURNAL, "%.*s", (int)size, text);
	r = journal_recover(&tree->root, state, 101, &journal, &broken, &err);
	if (r != (*targets ? 0 : -ENOENT))
		fail_msg("'%.*s': %s", (int)size, text, err.message);
	for (size_t i = 0; i < journal.actions.count; i++) {
		text_add(&found, "%s ", journal.actions.items[i].target);
		assert_true(journal.actions.items[i].state == ACTION_ANNOUNCED);
	}
	words = text_take(&found);
	assert_string_equal(words, targets);
	free(words);
	assert_true(broken);
	assert_true(strstr(err.message, "cannot be understood"));
	assert_true(sysroot_exists(&tree->root, BROKEN));
	assert_int_equal(sysroot_exists(&tree->root, JOURNAL), journal.actions.count > 0);
}

static void what_is_whole_is_recognised(void **state)
{
	static const struct {
		const char *text, *targets;
	} rows[] = {
		{ HEAD("2", TREE_BOOT_ID) BIND("0000:02:00.0") "]}", "0000:02:00.0 " },
		{ HEAD("1", TREE_BOOT_ID) BIND("0000:02:00.0") "," BIND("0000:03:00.0"),
		  "0000:02:00.0 0000:03:00.0 " },
		{ HEAD("1", TREE_BOOT_ID) BIND("0000:02:00.0") ", { \"type\": \"bind\", \"sta",
		  "0000:02:00.0 " },
		{ "garbage " BIND("0000:02:00.0") " more", "0000:02:00.0 " },
		{ BIND("0000:02:00.0") BIND("0000:02:00.0"), "0000:02:00.0 " },
		{ HEAD("1", TREE_BOOT_ID) "{ \"type\": \"future\", \"state\": \"done\" }, " BIND(
			  "0000:02:00.0"),
		  "0000:02:00.0 " },
		{ HEAD("2", "22222222-0000-0000-0000-000000000000") BIND("0000:02:00.0") "]}", "" },
		{ "{ \"type\": \"bind\" }", "" },
		{ "", "" },
		{ "[]", "" },
		{ "{{{{{{", "" },
	};
	cleanup_state struct state folder = { .fd = -1 };
	const struct tree *tree = *state;

	make_state(tree, &folder);
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_recognised(tree, &folder, rows[i].text, strlen(rows[i].text),
				  rows[i].targets);
}

/* Cut anywhere, nothing but what is whole, and no crash. */
static void a_journal_cut_anywhere(void **state)
{
	static const char text[] = HEAD("1", TREE_BOOT_ID) BIND("0000:02:00.0") "]}";
	const char *end = strstr(text, "15 }") + strlen("15 }");
	cleanup_state struct state folder = { .fd = -1 };
	const struct tree *tree = *state;

	make_state(tree, &folder);
	for (size_t size = 0; size < strlen(text); size++)
		assert_recognised(tree, &folder, text, size,
				  text + size >= end ? "0000:02:00.0 " : "");
}

/* A copy by hand under another VM's name gives away nothing of the VM that it was copied from. */
static void what_another_has_is_left_to_it(void **state)
{
	static const char copy[] = HEAD_OF("102", "1", TREE_BOOT_ID)
		BIND("0000:02:00.0") "," BIND("0000:03:00.0") "]}";
	static const struct {
		const char *other, *targets;
	} rows[] = {
		{ copy, "" },
		{ HEAD_OF("102", "1", TREE_BOOT_ID) BIND("0000:03:00.0") "]}", "0000:02:00.0 " },
		/* not its VM's any more, or not to be understood either: given back from here */
		{ NULL, "0000:02:00.0 0000:03:00.0 " },
		{ HEAD_OF("102", "1", "22222222-0000-0000-0000-000000000000")
			  BIND("0000:03:00.0") "]}",
		  "0000:02:00.0 0000:03:00.0 " },
		{ "garbage", "0000:02:00.0 0000:03:00.0 " },
	};
	cleanup_state struct state folder = { .fd = -1 };
	const struct tree *tree = *state;

	make_state(tree, &folder);
	for (size_t i = 0; i < COUNT(rows); i++) {
		tree_remove(tree, "run/pve-vfio/102.json");
		if (rows[i].other)
			tree_file(tree, "run/pve-vfio/102.json", "%s", rows[i].other);
		assert_recognised(tree, &folder, copy, strlen(copy), rows[i].targets);
	}
}

/* In a full /run what is recognised cannot be written; the file stays to be recognised again. */
static void what_cannot_be_written_is_not_lost(void **state)
{
	static const char text[] = HEAD("2", TREE_BOOT_ID) BIND("0000:02:00.0") "]}";
	cleanup_state struct state folder = { .fd = -1 };
	const struct tree *tree = *state;

	make_state(tree, &folder);
	tree_file(tree, JOURNAL, "%s", text);
	tree_folder(tree, JOURNAL ".tmp");
	for (int i = 0; i < 2; i++) {
		cleanup_journal struct journal journal = { 0 };
		cleanup_free char *content = NULL;
		struct error err = { 0 };
		bool broken = false;

		assert_int_equal(journal_recover(&tree->root, &folder, 101, &journal, &broken,
						 &err),
				 0);
		assert_true(broken);
		assert_int_equal(journal.actions.count, 1);
		content = tree_read(tree, JOURNAL);
		assert_string_equal(content, text);
	}
}

static void one_that_is_too_large_is_put_aside(void **state)
{
	cleanup_state struct state folder = { .fd = -1 };
	cleanup_journal struct journal journal = { 0 };
	cleanup_free char *text = malloc((1 << 20) + 1);
	const struct tree *tree = *state;
	struct error err = { 0 };
	bool broken = false;

	make_state(tree, &folder);
	memset(text, '{', (1 << 20) + 1);
	tree_bytes(tree, JOURNAL, text, (1 << 20) + 1);
	assert_int_equal(journal_recover(&tree->root, &folder, 101, &journal, &broken, &err),
			 -ENOENT);
	assert_true(broken);
	assert_string_equal(err.message, "/run/pve-vfio/101.json cannot be understood: larger than "
					 "1 MiB");
	assert_false(sysroot_exists(&tree->root, JOURNAL));
	assert_true(sysroot_exists(&tree->root, BROKEN));
}

static void a_good_one_is_read(void **state)
{
	cleanup_state struct state folder = { .fd = -1 };
	cleanup_journal struct journal journal = { 0 };
	const struct tree *tree = *state;
	struct error err = { 0 };
	bool broken = true;

	make_state(tree, &folder);
	assert_int_equal(journal_recover(&tree->root, &folder, 101, &journal, &broken, &err),
			 -ENOENT);
	assert_false(broken);
	tree_file(tree, JOURNAL, "%s", HEAD("1", TREE_BOOT_ID) BIND("0000:02:00.0") "]}");
	assert_int_equal(journal_recover(&tree->root, &folder, 101, &journal, &broken, &err), 0);
	assert_false(broken);
	assert_int_equal(journal.phase, JOURNAL_READY);
	assert_false(sysroot_exists(&tree->root, BROKEN));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(what_is_whole_is_recognised),
		tree_test(a_journal_cut_anywhere),
		tree_test(what_another_has_is_left_to_it),
		tree_test(what_cannot_be_written_is_not_lost),
		tree_test(one_that_is_too_large_is_put_aside),
		tree_test(a_good_one_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
