/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: change/displace.c and pve/guest.c: who gives way, who must not, and what is left to whom. */
#include "start.h"

#include "change/claims.h"
#include "change/displace.h"

#define SECOND "0000:03:00.0"

static const char line[] = "hostpci0: 02:00.0\n";

static void settings(const struct machine *machine, const char *displace)
{
	char text[256];

	tree_format(text, "{\"displace\": %s}", displace);
	tree_file(&machine->tree, "etc/pve/pve-vfio/101.json", "%s", text);
}

/* VM 102 runs with the NIC, by its journal. */
static void run_other(const struct machine *machine, const char *config)
{
	machine_other_vm(machine, 102, JOURNAL_RUNNING, NIC, ACTION_DONE);
	tree_config(&machine->tree, 102, config);
	tree_process(&machine->tree, 2001, "kvm", 102);
	tree_file(&machine->tree, "run/qemu-server/102.pid", "2001\n");
}

/* The action of the plan, as "TARGET HOW SECONDS SOURCE [keep]"; "" for none. */
static void assert_displaced(struct machine *machine, const char *config, const char *wanted)
{
	const struct action *action = NULL;
	char text[128] = "";

	machine_prepare(machine, config);
	for (size_t i = 0; i < machine->start.plan.actions.count; i++)
		if (machine->start.plan.actions.items[i].type == ACTION_DISPLACE)
			action = &machine->start.plan.actions.items[i];
	if (action)
		tree_format(text, "%s %s %u %s%s", action->target, action->wanted,
			    action->timeout_s, action->source, action->keep ? " keep" : "");
	assert_string_equal(text, wanted);
}

static void test_who(void **state)
{
	static const struct {
		const char *displace, *other, *config, *wanted;
	} rows[] = {
		{ "{\"guests\": [102]}", "memory: 64\n", line, "vm/102 shutdown 60 0000:02:00.0" },
		{ "{\"guests\": \"any\", \"how\": \"stop\", \"timeout_s\": 5}", "", line,
		  "vm/102 stop 5 0000:02:00.0" },
		{ "{\"guests\": [102], \"start_again\": false}", "", line,
		  "vm/102 shutdown 60 0000:02:00.0 keep" },
		/* not named, not set, a device that it does not have */
		{ "{\"guests\": [103]}", "", line, "" },
		{ "null", "", line, "" },
		{ "{\"guests\": [102]}", "", "hostpci0: 01:00\n", "" },
		/* a backup of it, and a start for a backup */
		{ "{\"guests\": [102]}", "lock: backup\n", line, "" },
		{ "{\"guests\": [102]}", "", "lock: backup\nhostpci0: 02:00.0\n", "" },
		/* what a snapshot says is of then */
		{ "{\"guests\": [102]}", "[old]\nlock: backup\n", line,
		  "vm/102 shutdown 60 0000:02:00.0" },
	};
	struct machine *machine = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		settings(machine, rows[i].displace);
		run_other(machine, rows[i].other);
		assert_displaced(machine, rows[i].config, rows[i].wanted);
	}
}

static void test_managed(void **state)
{
	static const struct {
		const char *resources, *wanted;
	} rows[] = {
		{ "vm: 102\n\tstate started\n", "" },
		{ "vm: 102\n", "" },
		{ "vm: 102\n\tstate ignored\n", "vm/102 shutdown 60 0000:02:00.0" },
		{ "ct: 102\n", "vm/102 shutdown 60 0000:02:00.0" },
	};
	struct machine *machine = *state;

	settings(machine, "{\"guests\": [102]}");
	run_other(machine, "");
	for (size_t i = 0; i < COUNT(rows); i++) {
		tree_file(&machine->tree, "etc/pve/ha/resources.cfg", "%s", rows[i].resources);
		assert_displaced(machine, line, rows[i].wanted);
	}
}

/* One that has the device while it starts, or whose QEMU has ended, is asked for nothing. */
static void test_not_running(void **state)
{
	struct machine *machine = *state;

	settings(machine, "{\"guests\": \"any\"}");
	run_other(machine, "");
	machine_other_vm(machine, 102, JOURNAL_STARTING, NIC, ACTION_DONE);
	assert_displaced(machine, line, "");
	machine_other_vm(machine, 102, JOURNAL_RUNNING, NIC, ACTION_DONE);
	tree_remove(&machine->tree, "run/qemu-server/102.pid");
	assert_displaced(machine, line, "");
}

/* What it has is no reason against the start, while it is to go; and it is said. */
static void test_checks(void **state)
{
	struct machine *machine = *state;

	settings(machine, "{\"guests\": [102]}");
	run_other(machine, "");
	assert_found(machine, check_owner, line, "");
	assert_found(machine, check_displace, line,
		     "guest-gives-way vm/102: VM 102 has 0000:02:00.0 and gives way, as the "
		     "settings of VM 101 allow: it gets 60 s to shut down, and is started again "
		     "after this VM has stopped.\n");
}

/* Another start has asked for it: that one has it. */
static void ask_for(const struct machine *machine, uint32_t vmid, enum journal_phase phase,
		    const char *guest, enum action_state state, const char *device)
{
	struct journal journal = { 0 };
	struct action action = { 0 };
	struct error err = { 0 };

	assert_int_equal(journal_begin(&machine->tree.root, vmid, &journal, &err), 0);
	journal_enter(&journal, phase);
	assert_int_equal(action_make(ACTION_DISPLACE, guest, "running", "shutdown", device,
				     &action),
			 0);
	action.state = state;
	action.timeout_s = 7;
	assert_int_equal(actions_add(&journal.actions, &action), 0);
	assert_int_equal(journal_write(&machine->state, &journal, &err), 0);
	journal_done(&journal);
}

static void ask_by(const struct machine *machine, uint32_t vmid, enum journal_phase phase,
		   const char *guest, enum action_state state)
{
	ask_for(machine, vmid, phase, guest, state, NIC);
}

static void test_asked_by_another(void **state)
{
	struct machine *machine = *state;

	settings(machine, "{\"guests\": [102]}");
	run_other(machine, "");
	ask_by(machine, 103, JOURNAL_STARTING, "vm/102", ACTION_ANNOUNCED);
	assert_found(machine, check_owner, line,
		     "device-owned 0000:02:00.0: VM 103 has it (asked for there; its journal says "
		     "'starting').\n");
	/* it runs, or its start came to nothing */
	ask_by(machine, 103, JOURNAL_RUNNING, "vm/102", ACTION_DONE);
	assert_found(machine, check_owner, line, "");
	ask_by(machine, 103, JOURNAL_STOPPING, "vm/102", ACTION_DONE);
	assert_found(machine, check_owner, line, "");
}

/* What VM 102's post-stop leaves to the start it gives way to. */
static void test_leave(void **state)
{
	static const struct {
		enum journal_phase phase;
		const char *guest;
		int left;
	} rows[] = {
		{ JOURNAL_STARTING, "vm/102", 1 }, { JOURNAL_STARTING, "ct/102", 0 },
		{ JOURNAL_STARTING, "vm/104", 0 }, { JOURNAL_RUNNING, "vm/102", 0 },
		{ JOURNAL_STOPPING, "vm/102", 0 },
	};
	struct machine *machine = *state;

	run_other(machine, "");
	for (size_t i = 0; i < COUNT(rows); i++) {
		cleanup_journal struct journal journal = { 0 };
		bool chosen[1] = { true };
		uint32_t by = 0;

		ask_by(machine, 103, rows[i].phase, rows[i].guest, ACTION_ANNOUNCED);
		assert_int_equal(journal_read(&machine->tree.root, &machine->state, 102, &journal,
					      &machine->err),
				 0);
		assert_int_equal(displace_leave(&machine->tree.root, &machine->state, &journal,
						chosen, &by, &machine->err),
				 rows[i].left);
		assert_int_equal(chosen[0], rows[i].left == 0);
		if (rows[i].left)
			assert_int_equal(by, 103);
	}
}

/* The start that has been given way to takes it over, with the values before. */
static void test_take_over(void **state)
{
	struct machine *machine = *state;
	const struct action *bind;

	ask_by(machine, 101, JOURNAL_STARTING, "vm/102", ACTION_DONE);
	machine_other_vm(machine, 102, JOURNAL_STOPPING, NIC, ACTION_DONE);
	machine_new_start(machine);
	tree_config(&machine->tree, 101, line);
	assert_int_equal(journal_read(&machine->tree.root, &machine->state, 101,
				      &machine->start.journal, &machine->err),
			 0);
	assert_int_equal(machine->start.journal.actions.items[0].timeout_s, 7);
	assert_int_equal(start_prepare(&machine->start, &machine->err), 0);
	assert_int_equal(check_owner(&machine->start, &machine->findings, &machine->err), 0);
	assert_findings(machine, "");
	assert_null(actions_find(&machine->start.plan.actions, ACTION_DISPLACE, "vm/102"));
	bind = actions_find(&machine->start.plan.actions, ACTION_BIND, NIC);
	assert_true(bind->adopted);
	assert_string_equal(bind->before, "e1000e");
	/* without its word that VM is just stopping */
	machine->start.journal.actions.items[0].state = ACTION_ANNOUNCED;
	assert_int_equal(check_owner(&machine->start, &machine->findings, &machine->err), 0);
	assert_int_equal(machine->findings.count, 1);
}

/* A device, and a guest that waits for the end of the VM because of it. */
static void leave_waiting(const struct machine *machine, uint32_t vmid, const char *guest,
			  const char *source, enum action_state waiting)
{
	struct journal journal = { 0 };
	struct action action = { 0 };
	struct error err = { 0 };

	machine_other_vm(machine, vmid, JOURNAL_STOPPING, NIC, ACTION_DONE);
	assert_int_equal(journal_read(&machine->tree.root, &machine->state, vmid, &journal, &err),
			 0);
	assert_int_equal(action_make(ACTION_DISPLACE, guest, "running", "shutdown", source,
				     &action),
			 0);
	action.state = waiting;
	assert_int_equal(actions_add(&journal.actions, &action), 0);
	assert_int_equal(journal_write(&machine->state, &journal, &err), 0);
	journal_done(&journal);
}

/* Who waits for the VM that gives way is handed on with the device, but not we ourselves. */
static void test_hand_on(void **state)
{
	static const struct {
		const char *guest, *source;
		enum action_state waiting;
		bool handed, stays;
	} rows[] = {
		{ "vm/104", NIC, ACTION_DONE, true, false },
		{ "ct/101", "0000:09:00.0 " NIC, ACTION_DONE, true, false },
		/* it waits for something else, or has not given way */
		{ "vm/104", "0000:09:00.0", ACTION_DONE, false, true },
		{ "vm/104", NIC, ACTION_FAILED, false, true },
		/* we start: we wait for nobody */
		{ "vm/101", NIC, ACTION_DONE, false, false },
	};
	struct machine *machine = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		cleanup_journal struct journal other = { 0 };
		const struct action *waiting;

		ask_by(machine, 101, JOURNAL_STARTING, "vm/102", ACTION_DONE);
		leave_waiting(machine, 102, rows[i].guest, rows[i].source, rows[i].waiting);
		machine_new_start(machine);
		tree_config(&machine->tree, 101, line);
		assert_int_equal(journal_read(&machine->tree.root, &machine->state, 101,
					      &machine->start.journal, &machine->err),
				 0);
		assert_int_equal(start_prepare(&machine->start, &machine->err), 0);
		waiting =
			actions_find(&machine->start.plan.actions, ACTION_DISPLACE, rows[i].guest);
		assert_row(rows[i].guest, (waiting != NULL) == rows[i].handed);
		if (waiting)
			assert_true(waiting->adopted && waiting->state == ACTION_DONE);
		actions_done(&machine->start.journal.actions);
		machine->start.journal.actions = machine->start.plan.actions;
		machine->start.plan.actions = (struct actions){ 0 };
		assert_int_equal(actions_add(&machine->start.journal.actions,
					     &(struct action){ .type = ACTION_DISPLACE,
							       .target = strdup("vm/102"),
							       .before = strdup("running"),
							       .wanted = strdup("shutdown"),
							       .source = strdup(NIC),
							       .state = ACTION_DONE }),
				 0);
		assert_int_equal(claims_take_over(&machine->tree.root, &machine->state,
						  &machine->start.claims, &machine->start.journal,
						  &machine->err),
				 0);
		assert_row(rows[i].guest,
			   (journal_read(&machine->tree.root, &machine->state, 102, &other,
					 &machine->err) == 0) == rows[i].stays);
	}
}

/* What waits for another device is given back, and is started again, while the asked one is left. */
static void test_leave_waiting(void **state)
{
	static const struct {
		const char *source;
		bool left;
	} rows[] = { { NIC, true }, { "0000:09:00.0 " NIC, true }, { "0000:09:00.0", false } };
	struct machine *machine = *state;

	ask_by(machine, 103, JOURNAL_STARTING, "vm/102", ACTION_ANNOUNCED);
	for (size_t i = 0; i < COUNT(rows); i++) {
		cleanup_journal struct journal journal = { 0 };
		bool chosen[2] = { true, true };
		uint32_t by = 0;

		leave_waiting(machine, 102, "vm/104", rows[i].source, ACTION_DONE);
		assert_int_equal(journal_read(&machine->tree.root, &machine->state, 102, &journal,
					      &machine->err),
				 0);
		assert_int_equal(displace_leave(&machine->tree.root, &machine->state, &journal,
						chosen, &by, &machine->err),
				 1);
		assert_row(rows[i].source, chosen[1] == !rows[i].left);
	}
}

/* A VM that is only started again displaces nobody: the other would come back in its turn. */
static void test_comes_back(void **state)
{
	struct machine *machine = *state;
	cleanup_close int lock = -1;

	settings(machine, "{\"guests\": [102]}");
	run_other(machine, "");
	ask_by(machine, 103, JOURNAL_STOPPING, "vm/101", ACTION_DONE);
	/* by hand, while nobody starts it */
	assert_displaced(machine, line, "vm/102 shutdown 60 0000:02:00.0");
	lock = state_lock_vm(&machine->state, 103, deadline_in_ms(0), NULL);
	assert_true(lock >= 0);
	assert_displaced(machine, line, "");
	assert_found(machine, check_displace, line, "");
	/* once more, after that has failed */
	ask_by(machine, 103, JOURNAL_STOPPING, "vm/101", ACTION_FAILED);
	assert_displaced(machine, line, "");
	/* another is started again */
	ask_by(machine, 103, JOURNAL_STOPPING, "vm/104", ACTION_DONE);
	assert_displaced(machine, line, "vm/102 shutdown 60 0000:02:00.0");
}

/* Each of three is started again by who has the lock of the one before it. */
static void test_circle(void **state)
{
	static const struct {
		uint32_t vmid;
		const char *guest;
	} rows[] = { { 101, "vm/103" }, { 103, "vm/104" }, { 104, "vm/101" } };
	struct machine *machine = *state;
	int locks[COUNT(rows)];

	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_false(displace_is_circular(&machine->tree.root, &machine->state, 101));
		ask_by(machine, rows[i].vmid, JOURNAL_STOPPING, rows[i].guest, ACTION_FAILED);
		assert_false(displace_is_circular(&machine->tree.root, &machine->state, 101));
		locks[i] = state_lock_vm(&machine->state, rows[i].vmid, deadline_in_ms(0), NULL);
		assert_true(locks[i] >= 0);
	}
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_true(
			displace_is_circular(&machine->tree.root, &machine->state, rows[i].vmid));
	assert_false(displace_is_circular(&machine->tree.root, &machine->state, 102));
	/* one that has started runs, and waits for nobody */
	ask_by(machine, 104, JOURNAL_RUNNING, "vm/101", ACTION_DONE);
	assert_false(displace_is_circular(&machine->tree.root, &machine->state, 101));
	for (size_t i = 0; i < COUNT(rows); i++)
		close(locks[i]);
}

/* A mapping all of whose alternatives are taken: the first whose VM may give way. */
static void test_alternatives(void **state)
{
	static const struct {
		const char *displace, *wanted, *found;
	} rows[] = {
		{ "{\"guests\": [102]}", "vm/102 shutdown 60 0000:02:00.0", "" },
		{ "{\"guests\": [103]}", "vm/103 shutdown 60 0000:03:00.0", "" },
		{ "{\"guests\": \"any\"}", "vm/103 shutdown 60 0000:03:00.0", "" },
		{ "{\"guests\": [104]}", "", "mapping-busy" },
		{ "null", "", "mapping-busy" },
	};
	static const char mapped[] = "hostpci0: mapping=both\n";
	struct machine *machine = *state;

	tree_add_device(&machine->tree,
			&(struct tree_device){ SECOND, .driver = "e1000e", .group = 16 });
	for (size_t i = 0; i < 2; i++) {
		tree_attribute(&machine->tree, i ? SECOND : NIC, "subsystem_vendor", "0x8086");
		tree_attribute(&machine->tree, i ? SECOND : NIC, "subsystem_device", "0x0001");
	}
	tree_file(&machine->tree, "etc/pve/mapping/pci.cfg",
		  "both\n\tmap id=8086:10d3,iommugroup=16,node=pve1,path=" SECOND
		  ",subsystem-id=8086:0001\n\tmap id=8086:10d3,iommugroup=15,node=pve1,path=" NIC
		  ",subsystem-id=8086:0001\n\n");
	run_other(machine, "");
	machine_other_vm(machine, 103, JOURNAL_RUNNING, SECOND, ACTION_DONE);
	tree_config(&machine->tree, 103, "");
	tree_process(&machine->tree, 2002, "kvm", 103);
	tree_file(&machine->tree, "run/qemu-server/103.pid", "2002\n");
	tree_file(&machine->tree, "run/qemu-server/pci-id-reservations",
		  SECOND " 103 pid:2002\n" NIC " 102 pid:2001\n");
	for (size_t i = 0; i < COUNT(rows); i++) {
		bool busy;

		settings(machine, rows[i].displace);
		assert_displaced(machine, mapped, rows[i].wanted);
		busy = machine->start.wanted.problem_count == 1 &&
		       machine->start.wanted.problems[0].kind == WANTED_NONE_FREE;
		assert_row(rows[i].displace, busy == (*rows[i].found != '\0'));
	}
	/* one that is free is taken, and nobody asked; one that starts has it */
	settings(machine, "{\"guests\": \"any\"}");
	machine_other_vm(machine, 103, JOURNAL_STARTING, SECOND, ACTION_DONE);
	assert_displaced(machine, mapped, "vm/102 shutdown 60 0000:02:00.0");
	tree_remove(&machine->tree, "run/pve-vfio/103.json");
	tree_remove(&machine->tree, "run/qemu-server/103.pid");
	assert_displaced(machine, mapped, "");
}

/* Of three that may displace each other one has the device: another is refused, or asks that one. */
static void test_three(void **state)
{
	struct machine *machine = *state;

	settings(machine, "{\"guests\": \"any\"}");
	run_other(machine, "");
	/* 103 has asked 102 first, and 104 has just got the device of it */
	ask_by(machine, 103, JOURNAL_STARTING, "vm/102", ACTION_ANNOUNCED);
	machine_other_vm(machine, 104, JOURNAL_STARTING, NIC, ACTION_DONE);
	machine_prepare(machine, line);
	assert_int_equal(check_owner(&machine->start, &machine->findings, &machine->err), 0);
	assert_true(findings_count(&machine->findings, LEVEL_ERROR) > 0);
	/* each start is of its own; who asks for the same guest is refused */
	findings_done(&machine->findings);
	tree_remove(&machine->tree, "run/pve-vfio/104.json");
	assert_found(machine, check_owner, line,
		     "device-owned 0000:02:00.0: VM 103 has it (asked for there; its journal says "
		     "'starting').\n");
}

/* A guest is asked by one start at a time, though another wants something else that it has. */
static void test_one_at_a_time(void **state)
{
	static const char *const asked =
		"device-owned vm/102: VM 103 is starting just now and has VM 102 give way for "
		"another device; a guest gives way to one start at a time.\n";
	static const struct {
		enum journal_phase phase;
		const char *guest;
		bool refused;
	} rows[] = {
		{ JOURNAL_STARTING, "vm/102", true },  { JOURNAL_STARTING, "ct/102", false },
		{ JOURNAL_STARTING, "vm/104", false }, { JOURNAL_RUNNING, "vm/102", false },
		{ JOURNAL_STOPPING, "vm/102", false },
	};
	struct machine *machine = *state;

	settings(machine, "{\"guests\": [102]}");
	run_other(machine, "");
	for (size_t i = 0; i < COUNT(rows); i++) {
		ask_for(machine, 103, rows[i].phase, rows[i].guest, ACTION_ANNOUNCED,
			"0000:09:00.0");
		assert_found(machine, check_owner, line, rows[i].refused ? asked : "");
		assert_found(machine, check_claims, line, rows[i].refused ? asked : "");
	}
}

/* What a killed start has reserved goes for who comes back; what is another VM's, or of a QEMU, stays. */
static void test_unreserve(void **state)
{
	static const char *const left = "0000:09:00.0 103 time:9999999999\n"
					"0000:0a:00.0 104 time:9999999999\n"
					"0000:0b:00.0 103 pid:4711\n";
	struct machine *machine = *state;
	struct action action = { .type = ACTION_DISPLACE,
				 .source = (char *)(uintptr_t)NIC " 0000:0a:00.0 0000:0b:00.0" };
	cleanup_free char *text = NULL;

	assert_int_equal(displace_unreserve(&machine->tree.root, &action, 103), 0);
	tree_file(&machine->tree, "run/qemu-server/pci-id-reservations",
		  "%s 103 time:9999999999\n%s", NIC, left);
	assert_int_equal(displace_unreserve(&machine->tree.root, &action, 103), 0);
	text = tree_read(&machine->tree, "run/qemu-server/pci-id-reservations");
	assert_string_equal(text, left);
}

static void test_names(void **state)
{
	static const char *const wrong[] = {
		"", "101", "vm/", "vm/0", "vm/x", "ct/1/2", "vm/101 "
	};
	struct guest guest;
	char name[GUEST_NAME];

	(void)state;
	assert_int_equal(guest_parse("ct/200", &guest), 0);
	assert_int_equal(guest.kind, GUEST_CONTAINER);
	assert_string_equal(guest_name(&guest, name), "ct/200");
	assert_int_equal(guest_parse("vm/4294967295", &guest), 0);
	assert_string_equal(guest_name(&guest, name), "vm/4294967295");
	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_int_equal(guest_parse(wrong[i], &guest), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		machine_test(test_who),
		machine_test(test_managed),
		machine_test(test_not_running),
		machine_test(test_checks),
		machine_test(test_asked_by_another),
		machine_test(test_leave),
		machine_test(test_take_over),
		machine_test(test_hand_on),
		machine_test(test_leave_waiting),
		machine_test(test_comes_back),
		machine_test(test_circle),
		machine_test(test_alternatives),
		machine_test(test_three),
		machine_test(test_one_at_a_time),
		machine_test(test_unreserve),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
