/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests: the journal of VM 101 in a state directory of its own; for the tests of change/journal.c.
 */
#pragma once

#include "test.h"
#include "tree.h"

#include "change/journal.h"

#define FILE_PATH "run/pve-vfio/101.json"

struct journals {
	struct tree tree;
	struct state state;
	struct error err;
};

static inline int setup(void **state)
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

static inline int teardown(void **state)
{
	struct journals *journals = *state;

	state_done(&journals->state);
	tree_done(&journals->tree);
	free(journals);
	return 0;
}

static inline int read_it(struct journals *journals, struct journal *journal)
{
	*journal = (struct journal){ 0 };
	journals->err = (struct error){ 0 };
	return journal_read(&journals->tree.root, &journals->state, 101, journal, &journals->err);
}

static inline void add_module(struct journal *journal)
{
	struct action action = { 0 };

	assert_int_equal(action_make(ACTION_LOAD_MODULE, "vfio-pci", NULL, "loaded", "the VM",
				     &action),
			 0);
	action.state = ACTION_DONE;
	assert_int_equal(actions_add(&journal->actions, &action), 0);
}

static inline void add_bind(struct journal *journal, const char *target, const char *before,
			    const char *override, const char *module, int group,
			    enum action_state state)
{
	struct action action = { 0 };

	assert_int_equal(action_make(ACTION_BIND, target, before, "vfio-pci", "hostpci0", &action),
			 0);
	assert_int_equal(action_set_binding(&action, override, module, group), 0);
	action.state = state;
	action.keep = group % 2;
	assert_int_equal(actions_add(&journal->actions, &action), 0);
}

static inline void build(struct journals *journals, struct journal *journal)
{
	assert_int_equal(journal_begin(&journals->tree.root, 101, journal, &journals->err), 0);
	add_module(journal);
	add_bind(journal, "0000:01:00.0", "nouveau", NULL, "nouveau", 14, ACTION_ANNOUNCED);
	add_bind(journal, "0000:01:00.1", NULL, "none", NULL, 15, ACTION_DONE);
	add_bind(journal, "0000:02:00.0", "e1000e", "e1000e", "e1000e", 0, ACTION_FAILED);
	add_bind(journal, "10000:e1:00.0", "nvme", NULL, NULL, 2147483647, ACTION_STUCK);
	add_bind(journal, "0000:03:00.0", "xhci_hcd", NULL, NULL, 17, ACTION_FORESEEN);
}

static inline void write_it(struct journals *journals, const struct journal *journal)
{
	if (journal_write(&journals->state, journal, &journals->err) != 0)
		fail_msg("%s", journals->err.message);
}

static inline void assert_same(const struct journal *a, const struct journal *b)
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

#define journal_test(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
