/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests: a start of VM 101 on a built machine, up to the checks; for the tests of lib/check.
 */
#pragma once

#include "test.h"
#include "tree.h"

#include "check/check.h"

#define GPU   "0000:01:00.0"
#define AUDIO "0000:01:00.1"
#define NIC   "0000:02:00.0"
#define PORT  "0000:00:01.0"

/* PVE's journal of nobody, its node "pve1", and these four devices; GPU and AUDIO share a group. */
struct machine {
	struct tree tree;
	struct state state;
	struct start start;
	struct findings findings;
	struct error err;
};

typedef int check_topic(const struct start *start, struct findings *findings, struct error *err);

static inline int machine_setup(void **state)
{
	struct machine *machine = calloc(1, sizeof(*machine));
	const struct tree *tree;

	if (!machine)
		return -1;
	*state = machine;
	tree = &machine->tree;
	tree_make(&machine->tree);
	tree_boot(tree, TREE_BOOT_ID);
	tree_file(tree, "proc/sys/kernel/hostname", "pve1\n");
	tree_folder(tree, "run/qemu-server");
	tree_folder(tree, "etc/pve/qemu-server");
	tree_driver(tree, "vfio-pci", "vfio_pci");
	tree_add_device(tree,
			&(struct tree_device){ PORT, 0x8086, 0x3420, 0x060400, .driver = "pcieport",
					       .module = "", .group = 14, .bridge = true });
	tree_add_device(tree, &(struct tree_device){ GPU, 0x10de, 0x2484, 0x030000,
						     .driver = "nouveau", .group = 14 });
	tree_add_device(tree, &(struct tree_device){ AUDIO, 0x10de, 0x228b, 0x040300,
						     .driver = "snd_hda_intel", .group = 14 });
	tree_add_device(tree, &(struct tree_device){ NIC, .driver = "e1000e", .group = 15 });
	tree_attribute(tree, GPU, "reset_method", "flr bus");
	tree_attribute(tree, AUDIO, "reset_method", "flr");
	tree_attribute(tree, NIC, "reset_method", "flr bus");
	return state_open(&tree->root, true, &machine->state, &machine->err);
}

static inline int machine_teardown(void **state)
{
	struct machine *machine = *state;

	findings_done(&machine->findings);
	start_done(&machine->start);
	state_done(&machine->state);
	tree_done(&machine->tree);
	free(machine);
	return 0;
}

#define machine_test(function)                                                                     \
	cmocka_unit_test_setup_teardown(function, machine_setup, machine_teardown)

/* A start of VM 101 that nothing is known of yet. */
static inline void machine_new_start(struct machine *machine)
{
	start_done(&machine->start);
	machine->start = (struct start){
		.root = &machine->tree.root,
		.state = &machine->state,
		.vmid = 101,
		.dry = true,
	};
}

/* Makes the start of a VM with this configuration, reserving nothing. */
static inline void machine_prepare(struct machine *machine, const char *config)
{
	findings_done(&machine->findings);
	machine_new_start(machine);
	tree_config(&machine->tree, 101, config);
	if (start_prepare(&machine->start, &machine->err) != 0)
		fail_msg("start_prepare: %s", machine->err.message);
}

/* What was found, a line each: "ID SUBJECT: EVIDENCE". */
static inline void assert_findings(const struct machine *machine, const char *lines)
{
	struct text text = { 0 };
	char *found;

	for (size_t i = 0; i < machine->findings.count; i++) {
		const struct finding *finding = &machine->findings.items[i];

		text_add(&text, "%s %s: %s\n", check_describe(finding->id)->id, finding->subject,
			 finding->evidence);
		assert_filled_in(finding_remedy(finding));
	}
	found = text_take(&text);
	assert_string_equal(found, lines);
	free(found);
}

/* Prepares the start, runs one topic, and looks at what it finds. */
static inline void assert_found(struct machine *machine, check_topic *topic, const char *config,
				const char *lines)
{
	machine_prepare(machine, config);
	if (topic(&machine->start, &machine->findings, &machine->err) != 0)
		fail_msg("the check failed: %s", machine->err.message);
	assert_findings(machine, lines);
}

/* The journal of another VM that has one device. */
static inline void machine_other_vm(const struct machine *machine, uint32_t vmid,
				    enum journal_phase phase, const char *address,
				    enum action_state state)
{
	struct journal journal = { 0 };
	struct action action = { 0 };
	struct error err = { 0 };

	assert_int_equal(journal_begin(&machine->tree.root, vmid, &journal, &err), 0);
	journal_enter(&journal, phase);
	assert_int_equal(action_make(ACTION_BIND, address, "e1000e", "vfio-pci", "hostpci3",
				     &action),
			 0);
	assert_int_equal(action_set_binding(&action, NULL, "e1000e", 15), 0);
	action.state = state;
	assert_int_equal(actions_add(&journal.actions, &action), 0);
	assert_int_equal(journal_write(&machine->state, &journal, &err), 0);
	journal_done(&journal);
}
