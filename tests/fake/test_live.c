/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests: devices that join a VM that runs and leave it, over a fake kernel, with something that answers
 * as its QEMU; killed before and after every write.
 */
#include "fake_kernel.h"

#include "../unit/qmp_server.h"
#include "base/array.h"
#include "change/live.h"
#include "pve/reservation.h"

#define NIC	     "0000:01:00.0"
#define CARD	     "0000:02:00.0" /* of two functions */
#define OTHER	     "0000:02:00.1"
#define QEMU	     4711

#define OK	     "{\"return\": {}, \"id\": @}\r\n"
#define REFUSED	     "{\"error\": {\"class\": \"GenericError\", \"desc\": \"no\"}, \"id\": @}\r\n"
#define LIST(device) "{\"return\": [{\"bus\": 0, \"devices\": [" device "]}], \"id\": @}\r\n"
#define LISTED(id)                                                                                 \
	"{\"slot\": 16, \"function\": 0, \"qdev_id\": \"" id                                       \
	"\", \"class_info\": {\"class\": 512}, \"regions\": [{\"address\": 4096}]}"

/* A row of the answers: to what, with what; in which state, and the state after it. */
#define ROW(words_, answer_, when_, then_)                                                         \
	{                                                                                          \
		.words = (words_), .answer = (answer_), .when = (when_), .then = (then_)           \
	}
#define HELLO ROW("qmp_capabilities", OK, 0, 0)
#define END   ROW(NULL, NULL, 0, 0)

/* It takes a device, lists it, and lets it go; in state 2 it has it. */
static const struct qmp_answer obeys[] = {
	HELLO,
	ROW("\"device_add\"", OK, 1, 2),
	ROW("\"device_del\"", OK, 2, 1),
	ROW("query-pci", LIST(""), 1, 0),
	ROW("query-pci", LIST(LISTED("hostpci0")), 2, 0),
	END,
};

/* The functions come in this order alone, and any of them is asked for. */
static const struct qmp_answer obeys_twice[] = {
	HELLO,
	ROW("\"addr\":\"0x10.1\"}", OK, 1, 2),
	ROW("\"addr\":\"0x10.0\",\"multifunction\":true}", OK, 2, 3),
	ROW("{\"id\":\"hostpci0.0\"}", OK, 3, 1),
	ROW("query-pci", LIST(""), 1, 0),
	ROW("query-pci", LIST(LISTED("hostpci0.1") "," LISTED("hostpci0.0")), 3, 0),
	END,
};

/* The second is refused: the first goes again, which the guest has not seen. */
static const struct qmp_answer refuses_second[] = {
	HELLO,
	ROW("\"addr\":\"0x10.1\"}", OK, 1, 2),
	ROW("\"device_add\"", REFUSED, 2, 0),
	ROW("{\"id\":\"hostpci0.1\"}", OK, 2, 1),
	ROW("\"device_del\"", REFUSED, 1, 0),
	ROW("query-pci", LIST(LISTED("hostpci0.1")), 2, 0),
	ROW("query-pci", LIST(""), 1, 0),
	END,
};

static const struct qmp_answer refuses[] = {
	HELLO,
	ROW("\"device_add\"", REFUSED, 0, 0),
	ROW("query-pci", LIST(""), 0, 0),
	END,
};

static const struct qmp_answer says_nothing[] = { HELLO, ROW("\"device_add\"", NULL, 0, 0), END };

static const struct qmp_answer keeps[] = {
	HELLO,
	ROW("\"device_del\"", OK, 1, 2),
	ROW("\"device_del\"",
	    "{\"error\": {\"class\": \"GenericError\", \"desc\": \"Device hostpci0 is already in the "
	    "process of unplug\"}, \"id\": @}\r\n",
	    2, 0),
	ROW("query-pci", LIST(LISTED("hostpci0")), 0, 0),
	END,
};

static int setup(void **state)
{
	struct fake_kernel *kernel;

	if (fake_setup(state) < 0)
		return -1;
	kernel = *state;
	fake_driver(kernel, "e1000e", "e1000e", "8086:10d3");
	fake_device(kernel, &(struct tree_device){ NIC, .driver = "e1000e", .group = 14 });
	fake_device(kernel, &(struct tree_device){ CARD, .driver = "e1000e", .group = 15 });
	fake_device(kernel, &(struct tree_device){ OTHER, .driver = "e1000e", .group = 15 });
	tree_process(&kernel->tree, QEMU, "kvm", 101);
	return 0;
}

#define live_test(function) cmocka_unit_test_setup_teardown(function, setup, fake_teardown)

static void ignore_told(const struct action *action, const struct run_result *result, void *context)
{
	(void)action, (void)result, (void)context;
}

static struct live make_live(struct fake_kernel *kernel, struct journal *journal)
{
	return (struct live){
		.root = &kernel->tree.root,
		.state = &kernel->state,
		.journal = journal,
		.guest_ms = 700,
		.report = ignore_told,
	};
}

/* What attach --live does, from the plan on. */
static int join(struct fake_kernel *kernel, void *context)
{
	static const struct hostpci line = { .rombar = true };
	const struct task qemu = { QEMU, 100000 + QEMU };
	const char *addresses = context;
	cleanup_strings struct strings functions = { 0 };
	cleanup_journal struct journal journal = { 0 };
	cleanup_plan struct plan plan = { 0 };
	cleanup_free char *copy = strdup(addresses);
	struct qemu_slot slot = { "pci.0", 16 };
	struct live_device device = { &plan, &functions, &slot, &line, 300 };
	struct live live = make_live(kernel, &journal);
	char *rest = copy, *address;
	size_t first;
	int r = journal_read(&kernel->tree.root, &kernel->state, 101, &journal, &kernel->err);

	while ((address = strsep(&rest, " ")))
		strings_add(&functions, address);
	if (r == -ENOENT)
		r = live_begin(&kernel->tree.root, 101, 5, &qemu, &journal, &kernel->err);
	if (r == 0)
		r = fake_make_plan(kernel, addresses, &plan);
	/* both functions are of the one line */
	for (size_t i = 0; i < plan.actions.count; i++) {
		free(plan.actions.items[i].source);
		plan.actions.items[i].source = strdup("hostpci0");
	}
	plan_prune(&plan);
	if (r == 0)
		r = live_announce(&live, &device, &first, &kernel->err);
	return r < 0 ? r : live_take(&live, &device, first, &kernel->err);
}

static int leave(struct fake_kernel *kernel, void *context)
{
	cleanup_journal struct journal journal = { 0 };
	struct live live = make_live(kernel, &journal);
	bool chosen[16] = { false };
	int r = journal_read(&kernel->tree.root, &kernel->state, 101, &journal, &kernel->err);

	(void)context;
	if (r < 0)
		return r;
	assert_int_not_equal(live_choose_line(&live, chosen), 0);
	r = live_ask(&live, &kernel->err);
	return r < 0 ? r : live_give_back(&live, chosen, &kernel->err);
}

/* pve-vfio restore of a VM that runs: what its QEMU does not have. */
static int settle(struct fake_kernel *kernel)
{
	cleanup_journal struct journal journal = { 0 };
	struct live live = make_live(kernel, &journal);
	bool chosen[16] = { false };
	size_t count;
	int r = journal_read(&kernel->tree.root, &kernel->state, 101, &journal, &kernel->err);

	if (r == 0)
		r = live_choose_unheld(&live, chosen, &count, &kernel->err);
	return r < 0 || count == 0 ? r : live_give_back(&live, chosen, &kernel->err);
}

static bool is_reserved(struct fake_kernel *kernel, const char *address)
{
	cleanup_reservations struct reservations reservations = { 0 };

	assert_int_equal(reservations_read(&kernel->tree.root, &reservations, &kernel->err), 0);
	for (size_t i = 0; i < reservations.count; i++)
		if (strcmp(reservations.items[i].id, address) == 0)
			return reservations.items[i].vmid == 101 &&
			       reservations.items[i].pid == QEMU;
	return false;
}

static void assert_back(struct fake_kernel *kernel)
{
	assert_binding(kernel, NIC, "e1000e (null)");
	assert_binding(kernel, CARD, "e1000e (null)");
	assert_binding(kernel, OTHER, "e1000e (null)");
	assert_false(is_reserved(kernel, NIC));
	assert_false(is_reserved(kernel, CARD));
	assert_false(fake_has_journal(kernel));
}

static void assert_running(struct fake_kernel *kernel, size_t bindings)
{
	cleanup_journal struct journal journal = { 0 };

	assert_int_equal(journal_read(&kernel->tree.root, &kernel->state, 101, &journal,
				      &kernel->err),
			 0);
	assert_int_equal(journal.phase, JOURNAL_RUNNING);
	assert_int_equal(journal.qemu.pid, QEMU);
	for (size_t i = 0; i < journal.actions.count; i++)
		if (journal.actions.items[i].type == ACTION_BIND) {
			assert_int_equal(journal.actions.items[i].state, ACTION_DONE);
			bindings--;
		}
	assert_int_equal(bindings, 0);
}

static void joins_and_leaves(void **state)
{
	struct fake_kernel *kernel = *state;
	pid_t server = qmp_server(&kernel->tree, QMP_GREETING, obeys);

	for (int i = 0; i < 2; i++) {
		if (join(kernel, (void *)(uintptr_t)NIC) != 0)
			fail_msg("%s", kernel->err.message);
		assert_binding(kernel, NIC, "vfio-pci vfio-pci");
		assert_true(is_reserved(kernel, NIC));
		assert_running(kernel, 1);
		if (leave(kernel, NULL) != 0)
			fail_msg("%s", kernel->err.message);
		assert_back(kernel);
	}
	qmp_server_end(server);
}

static void all_functions_of_a_slot(void **state)
{
	struct fake_kernel *kernel = *state;
	pid_t server = qmp_server(&kernel->tree, QMP_GREETING, obeys_twice);

	if (join(kernel, (void *)(uintptr_t)(CARD " " OTHER)) != 0)
		fail_msg("%s", kernel->err.message);
	assert_running(kernel, 2);
	assert_binding(kernel, OTHER, "vfio-pci vfio-pci");
	assert_true(is_reserved(kernel, OTHER));
	if (leave(kernel, NULL) != 0)
		fail_msg("%s", kernel->err.message);
	assert_back(kernel);
	qmp_server_end(server);
}

static void what_qemu_refuses_goes_back(void **state)
{
	static const struct {
		const char *addresses;
		const struct qmp_answer *answers;
	} rows[] = {
		{ NIC, refuses },
		{ CARD " " OTHER, refuses_second },
	};
	struct fake_kernel *kernel = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		pid_t server = qmp_server(&kernel->tree, QMP_GREETING, rows[i].answers);

		assert_int_equal(join(kernel, (void *)(uintptr_t)rows[i].addresses), -EIO);
		assert_string_equal(kernel->err.message,
				    "QEMU of VM 101 refuses device_add: no; the host is as it was");
		assert_back(kernel);
		qmp_server_end(server);
		tree_remove(&kernel->tree, "run/qemu-server/101.qmp");
	}
	/* no QEMU at all */
	assert_int_equal(join(kernel, (void *)(uintptr_t)NIC), -EIO);
	assert_back(kernel);
}

/* It may take the device yet, so nothing is undone behind its back. */
static void qemu_does_not_answer(void **state)
{
	struct fake_kernel *kernel = *state;
	pid_t server = qmp_server(&kernel->tree, QMP_GREETING, says_nothing);

	assert_int_equal(join(kernel, (void *)(uintptr_t)NIC), -EINPROGRESS);
	assert_binding(kernel, NIC, "vfio-pci vfio-pci");
	assert_running(kernel, 1);
	/* it has taken it */
	tree_process_opens(&kernel->tree, QEMU, 9, "/dev/vfio/14");
	fake_open_group(kernel, NIC);
	assert_int_equal(settle(kernel), 0);
	assert_binding(kernel, NIC, "vfio-pci vfio-pci");
	assert_running(kernel, 1);
	/* it has not */
	tree_remove(&kernel->tree, "proc/4711/fd/9");
	fake_close(kernel, NIC);
	assert_int_equal(settle(kernel), 0);
	assert_back(kernel);
	qmp_server_end(server);
}

static void a_guest_keeps_it(void **state)
{
	struct fake_kernel *kernel = *state;
	pid_t server = qmp_server(&kernel->tree, QMP_GREETING, obeys);

	assert_int_equal(join(kernel, (void *)(uintptr_t)NIC), 0);
	qmp_server_end(server);
	tree_remove(&kernel->tree, "run/qemu-server/101.qmp");
	server = qmp_server(&kernel->tree, QMP_GREETING, keeps);
	assert_writes(kernel, NIC, "override=vfio-pci unbind=e1000e probe");
	for (int i = 0; i < 2; i++) {
		uint64_t began = clock_now_us();

		assert_int_equal(leave(kernel, NULL), -EBUSY);
		assert_true(clock_now_us() - began < 5000000);
		assert_writes(kernel, NIC, "");
		assert_running(kernel, 1);
		assert_true(is_reserved(kernel, NIC));
	}
	/* and lets go of it later, by itself */
	assert_int_equal(settle(kernel), 0);
	assert_back(kernel);
	qmp_server_end(server);
}

/* QEMU has let go of it, and has not closed it: nothing is unbound either. */
static void it_stays_open(void **state)
{
	struct fake_kernel *kernel = *state;
	pid_t server = qmp_server(&kernel->tree, QMP_GREETING, obeys);

	assert_int_equal(join(kernel, (void *)(uintptr_t)NIC), 0);
	fake_open_group(kernel, NIC);
	assert_writes(kernel, NIC, "override=vfio-pci unbind=e1000e probe");
	assert_true(leave(kernel, NULL) > 0);
	assert_writes(kernel, NIC, "");
	assert_running(kernel, 1);
	fake_close(kernel, NIC);
	assert_int_equal(settle(kernel), 0);
	assert_back(kernel);
	qmp_server_end(server);
}

/* What the VM has had since its start stays as it is; and goes with the rest when it stops. */
static void others_stay(void **state)
{
	struct fake_kernel *kernel = *state;
	cleanup_journal struct journal journal = { 0 };
	pid_t server = qmp_server(&kernel->tree, QMP_GREETING, obeys);

	assert_int_equal(fake_take(kernel, CARD " " OTHER, 5000, &journal), 0);
	journal.qemu = (struct task){ QEMU, 100000 + QEMU };
	journal.deadline_s = 5;
	for (size_t i = 0; i < journal.actions.count; i++) {
		free(journal.actions.items[i].source);
		journal.actions.items[i].source = strdup("hostpci1");
	}
	journal_enter(&journal, JOURNAL_RUNNING);
	assert_int_equal(journal_write(&kernel->state, &journal, &kernel->err), 0);
	fake_open_group(kernel, CARD);

	assert_int_equal(join(kernel, (void *)(uintptr_t)NIC), 0);
	assert_running(kernel, 3);
	assert_int_equal(leave(kernel, NULL), 0);
	assert_running(kernel, 2);
	assert_binding(kernel, NIC, "e1000e (null)");
	assert_binding(kernel, CARD, "vfio-pci vfio-pci");

	assert_int_equal(join(kernel, (void *)(uintptr_t)NIC), 0);
	fake_close(kernel, CARD);
	assert_int_equal(fake_restore(kernel, 5000), 0);
	assert_binding(kernel, NIC, "e1000e (null)");
	assert_binding(kernel, CARD, "e1000e (null)");
	assert_false(fake_has_journal(kernel));
	qmp_server_end(server);
}

/* ---- killed */

/* Each time it is settled by the restore of a VM that runs, or by the VM's post-stop. */
static unsigned kill_join(struct fake_kernel *kernel, bool after, bool stops)
{
	for (unsigned number = 1;; number++) {
		pid_t server = qmp_server(&kernel->tree, QMP_GREETING, obeys);
		bool killed;

		fake_kill_at(kernel, number, after);
		killed = fake_is_killed(kernel, join, (void *)(uintptr_t)NIC);
		fake_kill_at(kernel, 0, false);
		assert_true(fake_has_journal(kernel));
		assert_int_equal(stops ? fake_restore(kernel, 5000) : settle(kernel), 0);
		assert_binding(kernel, NIC, "e1000e (null)");
		assert_false(fake_has_journal(kernel));
		qmp_server_end(server);
		tree_remove(&kernel->tree, "run/qemu-server/101.qmp");
		tree_file(&kernel->tree, "run/qemu-server/pci-id-reservations", "%s", "");
		if (!killed)
			return number - 1;
	}
}

static unsigned kill_leave(struct fake_kernel *kernel, bool after, bool stops)
{
	for (unsigned number = 1;; number++) {
		pid_t server = qmp_server(&kernel->tree, QMP_GREETING, obeys);
		bool killed;

		assert_int_equal(join(kernel, (void *)(uintptr_t)NIC), 0);
		fake_kill_at(kernel, number, after);
		killed = fake_is_killed(kernel, leave, NULL);
		fake_kill_at(kernel, 0, false);
		if (killed) {
			assert_true(fake_has_journal(kernel));
			assert_int_equal(stops ? fake_restore(kernel, 5000) : settle(kernel), 0);
		}
		assert_back(kernel);
		qmp_server_end(server);
		tree_remove(&kernel->tree, "run/qemu-server/101.qmp");
		if (!killed)
			return number - 1;
	}
}

/* override, unbind, probe; and override, unbind, probe, override on the way back */
#define JOIN_WRITES  3
#define LEAVE_WRITES 4

static void killed_while_it_joins(void **state)
{
	for (int i = 0; i < 4; i++)
		assert_int_equal(kill_join(*state, i & 1, i & 2), JOIN_WRITES);
}

static void killed_while_it_leaves(void **state)
{
	for (int i = 0; i < 4; i++)
		assert_int_equal(kill_leave(*state, i & 1, i & 2), LEAVE_WRITES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		live_test(joins_and_leaves),
		live_test(all_functions_of_a_slot),
		live_test(what_qemu_refuses_goes_back),
		live_test(qemu_does_not_answer),
		live_test(a_guest_keeps_it),
		live_test(it_stays_open),
		live_test(others_stay),
		live_test(killed_while_it_joins),
		live_test(killed_while_it_leaves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
