/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests: reservations. The rules are those of $parse_pci_reservation_unlocked, reserve_pci_usage()
 * and $write_pci_reservation_unlocked in qemu-server's PCI.pm (9.2.6).
 */
#include "test.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <sys/file.h>
#include <sys/wait.h>

#include "pve/reservation.h"
#include "tree.h"

#define FILE_PATH "run/qemu-server/pci-id-reservations"
#define LOCK_PATH FILE_PATH ".lock"
#define ID	  "0000:01:00.0"

static struct deadline soon(void)
{
	return deadline_in_ms(10000);
}

/* ---- lines */

static const struct {
	const char *line;
	const char *read; /* id, VM, time and pid; NULL: the line is left out */
} line_rows[] = {
	{ "0000:01:00.0 100 pid:13172", "0000:01:00.0 100 0 13172" },
	{ "0000:01:00.0 100 time:1795252345", "0000:01:00.0 100 1795252345 0" },
	{ "0000:01:00.0\t100\fpid:1", "0000:01:00.0 100 0 1" },
	{ "10000:e1:00.0 100 pid:1", "10000:e1:00.0 100 0 1" },
	{ "01:00.f 100 pid:1", "01:00.f 100 0 1" },
	{ "01:00 0100 pid:01", "01:00 100 0 1" },
	{ "0000:01:00.0 100 time:0", "0000:01:00.0 100 0 0" },
	/* $PCIRE */
	{ "000:01:00.0 100 pid:1", NULL },
	{ "0000:1:00.0 100 pid:1", NULL },
	{ "0000:01:00.00 100 pid:1", NULL },
	{ "0000:01:00. 100 pid:1", NULL },
	{ "0000:0A:00.0 100 pid:1", NULL },
	{ ":01:00.0 100 pid:1", NULL },
	/* the rest */
	{ "", NULL },
	{ "0000:01:00.0", NULL },
	{ "0000:01:00.0 100", NULL },
	{ " 0000:01:00.0 100 pid:1", NULL },
	{ "0000:01:00.0  100 pid:1", NULL },
	{ "0000:01:00.0 100 pid:1 ", NULL },
	{ "0000:01:00.0 100 pid:1\r", NULL },
	{ "0000:01:00.0 100 pid: 1", NULL },
	{ "0000:01:00.0 100 pid:", NULL },
	{ "0000:01:00.0 100 pid:+1", NULL },
	{ "0000:01:00.0 100 pid:1:2", NULL },
	{ "0000:01:00.0 100 PID:1", NULL },
	{ "0000:01:00.0 100 timepid:1", NULL },
	{ "0000:01:00.0 -1 pid:1", NULL },
	{ "0000:01:00.0 x pid:1", NULL },
	{ "# 0000:01:00.0 100 pid:1", NULL },
	/* what no VM and no process has */
	{ "0000:01:00.0 4294967296 pid:1", NULL },
	{ "0000:01:00.0 100 pid:2147483648", NULL },
	{ "0000:01:00.0 100 time:9223372036854775808", NULL },
};

static void lines_are_pves(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(line_rows); i++) {
		const char *line = line_rows[i].line;
		cleanup_reservations struct reservations reservations = { 0 };
		cleanup_free char *read = NULL;
		struct error err = { 0 };

		assert_row(line, reservations_parse(line, strlen(line), &reservations, &err) == 0);
		assert_row(line, reservations.count == (line_rows[i].read ? 1 : 0));
		if (reservations.count == 0)
			continue;
		read = text_format("%s %u %jd %d", reservations.items[0].id,
				   reservations.items[0].vmid,
				   (intmax_t)reservations.items[0].until,
				   reservations.items[0].pid);
		assert_row(line, text_equal(read, line_rows[i].read));
	}
}

static void the_last_line_of_an_id_counts(void **state)
{
	static const char content[] =
		"0000:02:00.0 1 pid:1\n" ID " 100 pid:1\nx\n" ID " 101 time:5\n" ID " 102 x:5";
	cleanup_reservations struct reservations reservations = { 0 };
	struct error err = { 0 };

	(void)state;
	assert_int_equal(reservations_parse(content, strlen(content), &reservations, &err), 0);
	assert_int_equal(reservations.count, 2);
	assert_text(reservations.items[1].id, ID);
	assert_int_equal(reservations.items[1].vmid, 101);
	assert_int_equal(reservations.items[1].until, 5);
	assert_int_equal(reservations.items[1].pid, 0);
}

static void bad_input_is_taken(void **state)
{
	static const char content[] =
		"x\0y\n" ID " 1\0 pid:1\n" ID " 100 pid:1\0\n\0\n" ID " 9 pid:7";

	(void)state;
	for (size_t size = 0; size < sizeof(content); size++) {
		cleanup_reservations struct reservations reservations = { 0 };
		cleanup_free char *part = malloc(size ? size : 1);
		struct error err = { 0 };

		assert_non_null(part);
		memcpy(part, content, size);
		assert_int_equal(reservations_parse(part, size, &reservations, &err), 0);
		/* cut before its NUL the third line is good */
		assert_in_range(reservations.count, size == sizeof(content) - 1 ? 1 : 0, 1);
	}
}

/* ---- files */

static void reads_the_file(void **state)
{
	const struct tree *tree = *state;
	cleanup_reservations struct reservations none = { 0 }, many = { 0 };
	cleanup_free char *large = calloc(1, (size_t)1 << 20);
	struct text text = { 0 };
	cleanup_free char *content = NULL;
	struct error err = { 0 };

	assert_int_equal(reservations_read(&tree->root, &none, &err), 0);
	assert_int_equal(none.count, 0);

	for (unsigned i = 0; i < 10000; i++)
		text_add(&text, "%04x:%02x:00.0 1 pid:1\n", i / 256, i % 256);
	content = text_take(&text);
	tree_bytes(tree, FILE_PATH, content, strlen(content));
	assert_int_equal(reservations_read(&tree->root, &many, &err), 0);
	assert_int_equal(many.count, 10000);

	assert_non_null(large);
	tree_bytes(tree, FILE_PATH, large, (size_t)1 << 20);
	assert_int_equal(reservations_read(&tree->root, &none, &err), -EFBIG);
	assert_text(err.message, "/run/qemu-server/pci-id-reservations: larger than 256 KiB, which "
				 "cannot be right");
}

/* ---- what blocks: the first half of reserve_pci_usage() */

#define NOW 1000

static const struct {
	const char *content;
	bool blocks;
} block_rows[] = {
	{ "", false },
	{ "0000:02:00.0 101 time:2000\n", false },
	{ ID " 101 time:2000\n", true },
	{ ID " 101 time:1001\n", true },
	{ ID " 101 time:1000\n", false },
	{ ID " 101 time:999\n", false },
	{ ID " 100 time:2000\n", false },
	/* VM 101 runs as process 4242, VM 102 does not, of VM 103 nobody can tell */
	{ ID " 101 pid:4242\n", true },
	{ ID " 101 pid:4243\n", false },
	{ ID " 101 pid:0\n", false },
	{ ID " 102 pid:4242\n", false },
	{ ID " 103 pid:4244\n", true },
	{ ID " 100 pid:4242\n", false },
};

static void blocks_as_pve_does(void **state)
{
	const struct tree *tree = *state;

	tree_process(tree, 4242, "kvm", 101);
	tree_folder(tree, "run/qemu-server/103.pid");
	for (size_t i = 0; i < COUNT(block_rows); i++) {
		const char *content = block_rows[i].content;
		cleanup_reservations struct reservations reservations = { 0 };
		const struct reservation *blocking;
		struct error err = { 0 };

		assert_row(content,
			   reservations_parse(content, strlen(content), &reservations, &err) == 0);
		blocking = reservation_blocking(&tree->root, &reservations, ID, 100, NOW);
		assert_row(content, !blocking == !block_rows[i].blocks);
		assert_row(content, !blocking || blocking == &reservations.items[0]);
	}
}

/* ---- adding */

static intmax_t in_seconds(int seconds)
{
	return (intmax_t)time(NULL) + seconds;
}

static void assert_file(const struct tree *tree, const char *expected)
{
	cleanup_free char *content = tree_read(tree, FILE_PATH);

	assert_text(content, expected);
}

static void adds_to_nothing(void **state)
{
	const struct tree *tree = *state;
	struct stat status;
	char path[PATH_MAX];
	struct error err = { 0 };

	tree_folder(tree, "run/qemu-server");
	assert_int_equal(reservation_add(&tree->root, ID, 100, 2000000000, soon(), &err), 0);
	assert_file(tree, ID " 100 time:2000000000\n");
	/* the mode of file_set_contents(), and the lock of lock_file(), which stays */
	tree_path(tree, FILE_PATH, path);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0644);
	assert_true(tree_has(tree, LOCK_PATH));
	assert_false(tree_has(tree, "run/qemu-server/.pci-id-reservations.tmp"));
}

static void writes_in_order_and_drops_what_it_cannot_read(void **state)
{
	const struct tree *tree = *state;
	struct error err = { 0 };

	tree_file(tree, FILE_PATH,
		  "10000:e1:00.0 7 pid:12\n# x\n0000:02:00.0\t8 time:5\n%s 100 pid:9\n"
		  "0000:0a:00.0 9 pid:3\n0000:0a:00.0 9 time:4",
		  ID);
	assert_int_equal(reservation_add(&tree->root, ID, 100, 2000000000, soon(), &err), 0);
	assert_file(tree, ID " 100 time:2000000000\n0000:02:00.0 8 time:5\n0000:0a:00.0 9 time:4\n"
			     "10000:e1:00.0 7 pid:12\n");
}

static void refuses_what_another_has(void **state)
{
	const struct tree *tree = *state;
	cleanup_free char *content = text_format(ID " 101 time:%jd\n", in_seconds(3600));
	struct error err = { 0 };

	tree_bytes(tree, FILE_PATH, content, strlen(content));
	assert_int_equal(reservation_add(&tree->root, ID, 100, 2000000000, soon(), &err), -EBUSY);
	assert_text(err.message, ID " is reserved for the start of VM 101");
	assert_file(tree, content);

	tree_process(tree, 4242, "kvm", 101);
	tree_file(tree, FILE_PATH, "%s 101 pid:4242\n", ID);
	assert_int_equal(reservation_add(&tree->root, ID, 100, 2000000000, soon(), &err), -EBUSY);
	assert_text(err.message, ID " is in use by VM 101");
	assert_file(tree, ID " 101 pid:4242\n");
}

static void takes_what_is_left_over(void **state)
{
	const struct tree *tree = *state;
	struct error err = { 0 };

	tree_file(tree, FILE_PATH, "%s 101 pid:4242\n", ID);
	assert_int_equal(reservation_add(&tree->root, ID, 100, 2000000000, soon(), &err), 0);
	assert_file(tree, ID " 100 time:2000000000\n");
	tree_file(tree, FILE_PATH, "%s 101 time:%jd\n", ID, in_seconds(-1));
	assert_int_equal(reservation_add(&tree->root, ID, 100, 2000000000, soon(), &err), 0);
	assert_file(tree, ID " 100 time:2000000000\n");
}

static void keeps_its_own_that_lasts_longer(void **state)
{
	const struct tree *tree = *state;
	struct error err = { 0 };

	tree_file(tree, FILE_PATH, "%s 100 time:2000000001\n", ID);
	assert_int_equal(reservation_add(&tree->root, ID, 100, 2000000000, soon(), &err), 0);
	assert_file(tree, ID " 100 time:2000000001\n");
	assert_int_equal(reservation_add(&tree->root, ID, 100, 2000000002, soon(), &err), 0);
	assert_file(tree, ID " 100 time:2000000002\n");

	/* by the pid of its QEMU that runs, or does not */
	tree_file(tree, FILE_PATH, "%s 100 pid:4141\n", ID);
	tree_process(tree, 4141, "kvm", 100);
	assert_int_equal(reservation_add(&tree->root, ID, 100, 2000000000, soon(), &err), 0);
	assert_file(tree, ID " 100 pid:4141\n");
	tree_remove(tree, "proc/4141");
	assert_int_equal(reservation_add(&tree->root, ID, 100, 2000000000, soon(), &err), 0);
	assert_file(tree, ID " 100 time:2000000000\n");
}

static void makes_no_folder(void **state)
{
	const struct tree *tree = *state;
	struct error err = { 0 };

	assert_int_equal(reservation_add(&tree->root, ID, 100, 1, soon(), &err), -ENOENT);
	assert_text(err.message, "cannot open /run/qemu-server: No such file or directory");
	assert_false(tree_has(tree, "run"));
	assert_int_equal(reservation_remove(&tree->root, ID, 100, soon(), &err), 0);
	assert_false(tree_has(tree, "run"));
}

/* ---- removing */

/* A device that joins a VM that runs, and leaves it. */
static void by_the_process_of_a_running_vm(void **state)
{
	const struct tree *tree = *state;
	struct error err = { 0 };

	tree_file(tree, FILE_PATH, "%s 100 time:2000000001\n0000:02:00.0 1 pid:1\n", ID);
	tree_process(tree, 4141, "kvm", 100);
	assert_int_equal(reservation_add_running(&tree->root, ID, 100, 4141, soon(), &err), 0);
	assert_file(tree, ID " 100 pid:4141\n0000:02:00.0 1 pid:1\n");
	assert_int_equal(reservation_add_running(&tree->root, ID, 101, 1, soon(), &err), -EBUSY);
	assert_int_equal(reservation_remove_running(&tree->root, ID, 101, soon(), &err), 0);
	assert_file(tree, ID " 100 pid:4141\n0000:02:00.0 1 pid:1\n");
	assert_int_equal(reservation_remove_running(&tree->root, ID, 100, soon(), &err), 0);
	assert_file(tree, "0000:02:00.0 1 pid:1\n");
	assert_int_equal(reservation_remove_running(&tree->root, ID, 100, soon(), &err), 0);
}

static void removes_its_own_by_time(void **state)
{
	static const struct {
		const char *before, *after;
	} rows[] = {
		{ ID " 100 time:5\n", "" },
		{ "0000:02:00.0 1 pid:1\n" ID " 100 time:5\n"
		  "0000:00:00.0 1 pid:1\n",
		  "0000:00:00.0 1 pid:1\n0000:02:00.0 1 pid:1\n" },
		{ ID " 100 pid:5\n", ID " 100 pid:5\n" },
		{ ID " 101 time:5\n", ID " 101 time:5\n" },
		{ "0000:02:00.0 100 time:5\nx\n", "0000:02:00.0 100 time:5\nx\n" },
		{ "", "" },
	};
	const struct tree *tree = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct error err = { 0 };

		tree_bytes(tree, FILE_PATH, rows[i].before, strlen(rows[i].before));
		assert_int_equal(reservation_remove(&tree->root, ID, 100, soon(), &err), 0);
		assert_file(tree, rows[i].after);
	}
}

/* ---- the lock */

static void waits_for_the_lock_until_the_deadline(void **state)
{
	const struct tree *tree = *state;
	cleanup_close int held = -1;
	struct error err = { 0 };
	char path[PATH_MAX];

	tree_file(tree, FILE_PATH, "%s 100 time:5\n", ID);
	tree_bytes(tree, LOCK_PATH, "", 0);
	tree_path(tree, LOCK_PATH, path);
	held = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	assert_int_equal(flock(held, LOCK_EX), 0);
	assert_int_equal(reservation_add(&tree->root, ID, 100, 6, deadline_in_ms(20), &err),
			 -ETIMEDOUT);
	assert_non_null(strstr(err.message, "is held by another process"));
	assert_int_equal(reservation_remove(&tree->root, ID, 100, deadline_in_ms(20), &err),
			 -ETIMEDOUT);
	assert_file(tree, ID " 100 time:5\n");
	assert_int_equal(flock(held, LOCK_UN), 0);
	assert_int_equal(reservation_add(&tree->root, ID, 100, 6, deadline_in_ms(0), &err), 0);
	assert_file(tree, ID " 100 time:6\n");
}

#define WRITERS 8
#define WRITES	20

/* Each adds and removes ids of its own, and leaves the last. */
static void write_some(const struct tree *tree, unsigned writer)
{
	for (unsigned i = 0; i < WRITES; i++) {
		struct error err = { 0 };
		char id[32];

		snprintf(id, sizeof(id), "0000:%02x:%02x.0", writer, i);
		if (reservation_add(&tree->root, id, 100 + writer, 2000000000, soon(), &err) < 0)
			_exit(1);
		if (i + 1 < WRITES &&
		    reservation_remove(&tree->root, id, 100 + writer, soon(), &err) < 0)
			_exit(2);
	}
	_exit(0);
}

static void writers_lose_nothing(void **state)
{
	const struct tree *tree = *state;
	cleanup_reservations struct reservations reservations = { 0 };
	struct error err = { 0 };
	pid_t pids[WRITERS];

	tree_folder(tree, "run/qemu-server");
	for (unsigned i = 0; i < WRITERS; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			write_some(tree, i);
		assert_true(pids[i] > 0);
	}
	for (unsigned i = 0; i < WRITERS; i++) {
		int status;

		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	assert_int_equal(reservations_read(&tree->root, &reservations, &err), 0);
	assert_int_equal(reservations.count, WRITERS);
}

static void done_takes_an_empty_one(void **state)
{
	struct reservations reservations = { 0 };

	(void)state;
	reservations_done(&reservations);
	reservations_done(&reservations);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_pves),
		cmocka_unit_test(the_last_line_of_an_id_counts),
		cmocka_unit_test(bad_input_is_taken),
		tree_test(reads_the_file),
		tree_test(blocks_as_pve_does),
		tree_test(adds_to_nothing),
		tree_test(writes_in_order_and_drops_what_it_cannot_read),
		tree_test(refuses_what_another_has),
		tree_test(takes_what_is_left_over),
		tree_test(keeps_its_own_that_lasts_longer),
		tree_test(makes_no_folder),
		tree_test(by_the_process_of_a_running_vm),
		tree_test(removes_its_own_by_time),
		tree_test(waits_for_the_lock_until_the_deadline),
		tree_test(writers_lose_nothing),
		cmocka_unit_test(done_takes_an_empty_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
