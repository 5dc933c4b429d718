/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz: a VM's journal. What can be read is written so that the same is read again; of what cannot be
 * understood no action is recognised that could not have been written.
 */
#include "change/recover.h"
#include "tests/unit/tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FILE_PATH "run/pve-vfio/101.json"

static void must(bool holds)
{
	if (!holds)
		abort();
}

/* The file as it is written, but for when. */
static char *write_anew(const struct tree *tree, const struct state *state, struct journal *journal)
{
	struct error err = { 0 };

	must(journal_write(state, journal, &err) == 0);
	return tree_read(tree, FILE_PATH);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct tree tree;
	static struct state state;
	cleanup_journal struct journal journal = { 0 }, again = { 0 };
	cleanup_free char *once = NULL, *twice = NULL;
	struct error err = { 0 };
	bool broken;

	if (!tree.root.path) {
		tree_make(&tree);
		tree_boot(&tree, TREE_BOOT_ID);
		tree_folder(&tree, "run");
		must(state_open(&tree.root, true, &state, &err) == 0);
	}
	tree_bytes(&tree, FILE_PATH, data, size);
	if (journal_recover(&tree.root, &state, 101, &journal, &broken, &err) < 0)
		return 0;
	must(!broken || journal.phase == JOURNAL_STARTING);
	for (size_t i = 0; i < journal.actions.count; i++)
		must(journal.actions.items[i].target && *journal.actions.items[i].target);
	once = write_anew(&tree, &state, &journal);
	must(journal_read(&tree.root, &state, 101, &again, &err) == 0);
	must(again.actions.count == journal.actions.count && again.run == journal.run);
	twice = write_anew(&tree, &state, &again);
	must(strcmp(once, twice) == 0);
	return 0;
}
