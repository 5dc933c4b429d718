/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: pve/qmp.c, with something at the other end that answers as QEMU does, or as it should not. */
#include "test.h"
#include "tree.h"

#include "base/json.h"
#include "pve/qmp.h"
#include "qmp_server.h"

#define ROW(words_, answer_)                                                                       \
	{                                                                                          \
		.words = (words_), .answer = (answer_)                                             \
	}

static const struct qmp_answer plain[] = {
	ROW("qmp_capabilities", "{\"return\": {}, \"id\": @}\r\n"),
	ROW("query-status",
	    "{\"event\": \"RESUME\", \"timestamp\": {\"seconds\": 1, \"microseconds\": 2}}\r\n"
	    "{\"return\": {\"status\": \"running\"}, \"id\": @}\r\n"),
	ROW("device_del", "{\"id\": @, \"error\": {\"class\": \"DeviceNotFound\", "
			  "\"desc\": \"Device 'x' not found\"}}\n"),
	ROW("device_add", "{\"id\": @, \"error\": {\"class\": \"GenericError\", "
			  "\"desc\": \"Bus 'b' not found\"}}\n"),
	ROW("query-pci", "{\"return\": [], \"id\": 99}\r\n"),
	ROW("query-block", "{\"return\": [\r\n"),
	ROW("query-cpus", NULL),
	{ .words = NULL },
};

static int open_monitor(const struct tree *tree, unsigned wait_ms, struct qmp *qmp,
			struct error *err)
{
	*err = (struct error){ 0 };
	*qmp = (struct qmp){ .fd = -1 };
	return qmp_open(&tree->root, 101, wait_ms, qmp, err);
}

static void asks_and_is_answered(void **state)
{
	const struct tree *tree = *state;
	pid_t server = qmp_server(tree, QMP_GREETING, plain);
	cleanup_json json_t *answer = NULL;
	struct error err;
	struct qmp qmp;

	assert_int_equal(open_monitor(tree, 2000, &qmp, &err), 0);
	assert_int_equal(qmp.major, 10);
	assert_int_equal(qmp.minor, 1);
	/* an event that comes before the answer is not taken for it */
	assert_int_equal(qmp_command(&qmp, "query-status", NULL, 2000, &answer, &err), 0);
	assert_string_equal(json_string_value(json_object_get(answer, "status")), "running");
	qmp_done(&qmp);
	assert_int_equal(qmp.fd, -1);
	/* and it is free for the next one */
	assert_int_equal(open_monitor(tree, 2000, &qmp, &err), 0);
	qmp_done(&qmp);
	qmp_server_end(server);
}

static void qemu_refuses(void **state)
{
	const struct tree *tree = *state;
	pid_t server = qmp_server(tree, QMP_GREETING, plain);
	json_t *arguments = json_pack("{s:s}", "id", "x");
	struct error err;
	struct qmp qmp;

	assert_int_equal(open_monitor(tree, 2000, &qmp, &err), 0);
	assert_int_equal(qmp_command(&qmp, "device_del", json_incref(arguments), 2000, NULL, &err),
			 -ENODEV);
	assert_string_equal(err.message, "QEMU of VM 101 refuses device_del: Device 'x' not found");
	/* the connection is of use after that */
	assert_int_equal(qmp_command(&qmp, "device_add", arguments, 2000, NULL, &err), -EREMOTEIO);
	assert_non_null(strstr(err.message, "Bus 'b' not found"));
	assert_int_equal(qmp_command(&qmp, "query-status", NULL, 2000, NULL, &err), 0);
	qmp_done(&qmp);
	qmp_server_end(server);
}

static void what_is_no_answer(void **state)
{
	static const struct {
		const char *command;
		int result;
	} rows[] = {
		{ "query-pci", -EBADMSG },    /* another id */
		{ "query-block", -EBADMSG },  /* a line that is not JSON */
		{ "query-cpus", -ETIMEDOUT }, /* none */
		{ "quit", -ECONNRESET },      /* it goes away */
	};
	const struct tree *tree = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		pid_t server = qmp_server(tree, QMP_GREETING, plain);
		struct error err;
		struct qmp qmp;

		assert_row(rows[i].command, open_monitor(tree, 2000, &qmp, &err) == 0);
		assert_row(rows[i].command, qmp_command(&qmp, rows[i].command, NULL, 300, NULL,
							&err) == rows[i].result);
		assert_row(rows[i].command, *err.message);
		qmp_done(&qmp);
		qmp_server_end(server);
		tree_remove(tree, "run/qemu-server/101.qmp");
	}
}

/* What another client has open is waited for, and no longer than is said. */
static void another_client_has_it(void **state)
{
	const struct tree *tree = *state;
	pid_t server = qmp_server(tree, QMP_GREETING, plain);
	struct qmp first, second, queued[3];
	uint64_t began = clock_now_us();
	struct error err;

	assert_int_equal(open_monitor(tree, 2000, &first, &err), 0);
	assert_int_equal(open_monitor(tree, 300, &second, &err), -ETIMEDOUT);
	assert_non_null(strstr(err.message, "VM 101"));
	assert_true(clock_now_us() - began < 2000000);
	for (size_t i = 0; i < COUNT(queued); i++)
		assert_int_equal(open_monitor(tree, 50, &queued[i], &err), -ETIMEDOUT);
	qmp_done(&first);
	assert_int_equal(open_monitor(tree, 5000, &second, &err), 0);
	qmp_done(&second);
	qmp_server_end(server);
}

static void nobody_listens(void **state)
{
	const struct tree *tree = *state;
	struct error err;
	struct qmp qmp;
	pid_t server;

	assert_int_equal(open_monitor(tree, 300, &qmp, &err), -ENOENT);
	tree_folder(tree, "run/qemu-server");
	assert_int_equal(open_monitor(tree, 300, &qmp, &err), -ENOENT);
	server = qmp_server(tree, QMP_GREETING, plain);
	qmp_server_end(server);
	assert_int_equal(open_monitor(tree, 300, &qmp, &err), -ECONNREFUSED);
	assert_non_null(strstr(err.message, "/run/qemu-server/101.qmp"));
}

static void greetings(void **state)
{
	static const char *const bad[] = {
		"\n",
		"{}\n",
		"{\"QMP\": {\"version\": {\"qemu\": {\"major\": \"10\"}}}}\n",
		"SSH-2.0-OpenSSH_9.2p1\n",
		"[1]\n",
	};
	const struct tree *tree = *state;

	for (size_t i = 0; i < COUNT(bad); i++) {
		pid_t server = qmp_server(tree, bad[i], plain);
		struct error err;
		struct qmp qmp;

		assert_row(bad[i], open_monitor(tree, 2000, &qmp, &err) == -EBADMSG);
		qmp_server_end(server);
		tree_remove(tree, "run/qemu-server/101.qmp");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(asks_and_is_answered, tree_setup, tree_teardown),
		cmocka_unit_test_setup_teardown(qemu_refuses, tree_setup, tree_teardown),
		cmocka_unit_test_setup_teardown(what_is_no_answer, tree_setup, tree_teardown),
		cmocka_unit_test_setup_teardown(another_client_has_it, tree_setup, tree_teardown),
		cmocka_unit_test_setup_teardown(nobody_listens, tree_setup, tree_teardown),
		cmocka_unit_test_setup_teardown(greetings, tree_setup, tree_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
