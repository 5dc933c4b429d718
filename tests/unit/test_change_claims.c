/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: change/claims.c and change/choose.c: which VM has what, and who gets the next. */
#include "start.h"

#define OTHER	     "0000:03:00.0"

#define RESERVATIONS "run/qemu-server/pci-id-reservations"

static void read_claims(struct machine *machine, uint32_t vmid, struct claims *claims)
{
	*claims = (struct claims){ 0 };
	if (claims_read(&machine->tree.root, &machine->state, vmid, claims, &machine->err) != 0)
		fail_msg("%s", machine->err.message);
}

static uint32_t owner_of(const struct claims *claims, const char *address)
{
	const struct journal *owner = NULL;
	const struct action *action = claims_find(claims, address, &owner);

	if (!action)
		return 0;
	assert_string_equal(action->target, address);
	return owner->vmid;
}

static void test_find(void **state)
{
	struct machine *machine = *state;
	cleanup_claims struct claims claims = { 0 };

	read_claims(machine, 101, &claims);
	assert_int_equal(claims.count, 0);
	machine_other_vm(machine, 101, JOURNAL_RUNNING, NIC, ACTION_DONE);
	machine_other_vm(machine, 102, JOURNAL_RUNNING, GPU, ACTION_DONE);
	machine_other_vm(machine, 103, JOURNAL_RUNNING, AUDIO, ACTION_FORESEEN);
	machine_other_vm(machine, 104, JOURNAL_KEPT, OTHER, ACTION_DONE);
	claims_done(&claims);
	read_claims(machine, 101, &claims);
	assert_int_equal(claims.count, 3);
	assert_int_equal(owner_of(&claims, NIC), 0); /* its own */
	assert_int_equal(owner_of(&claims, GPU), 102);
	assert_int_equal(owner_of(&claims, AUDIO), 0); /* a mere alternative */
	assert_int_equal(owner_of(&claims, OTHER), 104);

	tree_file(&machine->tree, "run/pve-vfio/105.json", "garbage");
	claims_done(&claims);
	assert_int_equal(claims_read(&machine->tree.root, &machine->state, 101, &claims,
				     &machine->err),
			 -EBADMSG);
	assert_int_equal(claims.count, 0);
}

/* Devices that were kept from the host change hands; the others of that journal stay. */
static void test_take_over(void **state)
{
	struct machine *machine = *state;
	cleanup_claims struct claims claims = { 0 };
	cleanup_journal struct journal own = { 0 };
	struct action action = { 0 };

	machine_other_vm(machine, 102, JOURNAL_KEPT, NIC, ACTION_DONE);
	machine_other_vm(machine, 103, JOURNAL_KEPT, GPU, ACTION_DONE);
	read_claims(machine, 101, &claims);
	assert_int_equal(journal_begin(&machine->tree.root, 101, &own, &machine->err), 0);
	assert_int_equal(action_make(ACTION_BIND, NIC, "e1000e", "vfio-pci", "hostpci0", &action),
			 0);
	assert_int_equal(actions_add(&own.actions, &action), 0);
	assert_int_equal(claims_take_over(&machine->tree.root, &machine->state, &claims, &own,
					  &machine->err),
			 0);
	assert_false(tree_has(&machine->tree, "run/pve-vfio/102.json"));
	assert_true(tree_has(&machine->tree, "run/pve-vfio/103.json"));
	/* once more: there is nothing left to take */
	assert_int_equal(claims_take_over(&machine->tree.root, &machine->state, &claims, &own,
					  &machine->err),
			 0);
}

/* A phase of that VM is at work: what it has may be different in a moment. */
static void test_take_over_busy(void **state)
{
	struct machine *machine = *state;
	cleanup_claims struct claims claims = { 0 };
	cleanup_journal struct journal own = { 0 };
	int lock;

	machine_other_vm(machine, 102, JOURNAL_KEPT, NIC, ACTION_DONE);
	read_claims(machine, 101, &claims);
	assert_int_equal(journal_begin(&machine->tree.root, 101, &own, &machine->err), 0);
	lock = state_lock_vm(&machine->state, 102, deadline_in_ms(0), &machine->err);
	assert_true(lock >= 0);
	assert_int_equal(claims_take_over(&machine->tree.root, &machine->state, &claims, &own,
					  &machine->err),
			 -EBUSY);
	assert_string_equal(machine->err.message,
			    "VM 102, which had a device, is starting or stopping");
	close(lock);
	assert_true(tree_has(&machine->tree, "run/pve-vfio/102.json"));
}

/* ---- choosing between NIC and OTHER, and both together as a third */

static void build_choice(struct machine *machine, struct pci_addresses alternatives[3])
{
	static const char *const names[] = { NIC, OTHER };

	tree_add_device(&machine->tree,
			&(struct tree_device){ OTHER, .driver = "e1000e", .group = 16 });
	for (size_t i = 0; i < 3; i++) {
		alternatives[i] = (struct pci_addresses){ 0 };
		for (size_t k = 0; k < 2; k++) {
			struct pci_address address;

			if (i < 2 && i != k)
				continue;
			assert_int_equal(pci_address_parse(names[k], &address), 0);
			assert_int_equal(pci_addresses_add(&alternatives[i], address), 0);
		}
	}
}

/* Which is chosen, or -errno. */
static int choose(struct machine *machine, const struct pci_addresses *alternatives, size_t count,
		  bool dry, struct journal *journal)
{
	cleanup_claims struct claims claims = { 0 };
	struct wanted so_far = { 0 };
	struct wanted_choice choice = {
		.source = "hostpci0",
		.alternatives = alternatives,
		.count = count,
	};
	struct choosing choosing = {
		.root = &machine->tree.root,
		.state = &machine->state,
		.claims = &claims,
		.journal = journal,
		.vmid = 101,
		.dry = dry,
	};
	size_t chosen = 4711;
	int r;

	read_claims(machine, 101, &claims);
	r = choose_alternative(&choice, &so_far, &choosing, &chosen, &machine->err);
	return r < 0 ? r : (int)chosen;
}

static void test_choose(void **state)
{
	static const struct {
		const char *reservations;
		int chosen;
	} rows[] = {
		{ "", 0 },
		{ NIC " 102 time:1\n", 0 },
		{ NIC " 101 time:9999999999\n", 0 }, /* this VM's own */
		{ NIC " 102 time:9999999999\n", 1 },
		{ OTHER " 102 time:9999999999\n", 0 },
		{ NIC " 102 time:9999999999\n" OTHER " 103 time:9999999999\n", -EBUSY },
	};
	struct machine *machine = *state;
	struct pci_addresses alternatives[3];

	build_choice(machine, alternatives);
	for (size_t i = 0; i < COUNT(rows); i++) {
		cleanup_journal struct journal journal = { 0 };
		cleanup_free char *after = NULL;

		assert_int_equal(journal_begin(&machine->tree.root, 101, &journal, &machine->err),
				 0);
		tree_file(&machine->tree, RESERVATIONS, "%s", rows[i].reservations);
		/* a look reserves nothing */
		assert_int_equal(choose(machine, alternatives, 2, true, &journal), rows[i].chosen);
		after = tree_read(&machine->tree, RESERVATIONS);
		assert_string_equal(after, rows[i].reservations);
		assert_int_equal(journal.actions.count, 0);

		assert_int_equal(choose(machine, alternatives, 2, false, &journal), rows[i].chosen);
		assert_int_equal(journal.actions.count, rows[i].chosen < 0 ? 0 : 1);
		free(after);
		after = tree_read(&machine->tree, RESERVATIONS);
		if (rows[i].chosen < 0) {
			assert_string_equal(after, rows[i].reservations);
			continue;
		}
		assert_string_equal(journal.actions.items[0].target, rows[i].chosen ? OTHER : NIC);
		assert_int_equal(journal.actions.items[0].type, ACTION_RESERVE);
		assert_int_equal(journal.actions.items[0].state, ACTION_DONE);
		assert_string_equal(journal.actions.items[0].wanted, "101");
		assert_non_null(
			strstr(after, rows[i].chosen ? OTHER " 101 time:" : NIC " 101 time:"));
	}
	for (size_t i = 0; i < 3; i++)
		pci_addresses_done(&alternatives[i]);
}

/* All of an alternative or none: what was reserved before one that is not free goes again. */
static void test_choose_whole(void **state)
{
	struct machine *machine = *state;
	struct pci_addresses alternatives[3];
	cleanup_journal struct journal journal = { 0 };
	cleanup_free char *after = NULL;

	build_choice(machine, alternatives);
	assert_int_equal(journal_begin(&machine->tree.root, 101, &journal, &machine->err), 0);
	tree_file(&machine->tree, RESERVATIONS, OTHER " 102 time:9999999999\n");
	assert_int_equal(choose(machine, &alternatives[2], 1, false, &journal), -EBUSY);
	assert_int_equal(journal.actions.count, 0);
	assert_false(tree_has(&machine->tree, "run/pve-vfio/101.json"));
	after = tree_read(&machine->tree, RESERVATIONS);
	assert_string_equal(after, OTHER " 102 time:9999999999\n");
	for (size_t i = 0; i < 3; i++)
		pci_addresses_done(&alternatives[i]);
}

/* Another VM of ours has it, and has not reserved it with PVE yet. */
static void test_choose_claimed(void **state)
{
	struct machine *machine = *state;
	struct pci_addresses alternatives[3];
	cleanup_journal struct journal journal = { 0 };

	build_choice(machine, alternatives);
	assert_int_equal(journal_begin(&machine->tree.root, 101, &journal, &machine->err), 0);
	machine_other_vm(machine, 102, JOURNAL_STARTING, NIC, ACTION_ANNOUNCED);
	assert_int_equal(choose(machine, alternatives, 2, true, &journal), 1);
	machine_other_vm(machine, 102, JOURNAL_KEPT, NIC, ACTION_DONE);
	assert_int_equal(choose(machine, alternatives, 2, true, &journal), 0);
	for (size_t i = 0; i < 3; i++)
		pci_addresses_done(&alternatives[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		machine_test(test_find),	   machine_test(test_take_over),
		machine_test(test_take_over_busy), machine_test(test_choose),
		machine_test(test_choose_whole),   machine_test(test_choose_claimed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
