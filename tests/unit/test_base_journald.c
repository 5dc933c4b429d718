/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Entries of the journal as the bytes of their datagrams, and a reader that does not read. */
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/journald.h"
#include "test.h"

/* Entries go to `send`, and come from `receive`. */
struct line {
	int send, receive;
};

static int open_line(void **state)
{
	static struct line line;
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends) < 0)
		return -1;
	line = (struct line){ ends[0], ends[1] };
	*state = &line;
	return 0;
}

static int close_line(void **state)
{
	const struct line *line = *state;

	close(line->send);
	close(line->receive);
	return 0;
}

static void assert_entry(const struct line *line, const char *bytes, size_t size)
{
	static char entry[4 * JOURNALD_VALUE_MAX];

	assert_int_equal(recv(line->receive, entry, sizeof(entry), MSG_DONTWAIT), (ssize_t)size);
	assert_memory_equal(entry, bytes, size);
}

static void test_fields(void **state)
{
	static const struct journald_field fields[] = {
		{ "MESSAGE", "one line" },
		{ "NOTHING", NULL },
		{ "EMPTY", "" },
		{ "PVE_VFIO_VMID", "101" },
	};
	static const char bytes[] = "MESSAGE=one line\nEMPTY=\nPVE_VFIO_VMID=101\n";

	journald_send(((struct line *)*state)->send, fields, ARRAY_SIZE(fields));
	assert_entry(*state, bytes, sizeof(bytes) - 1);
}

/* A value cannot make another field. */
static void test_lines(void **state)
{
	static const struct journald_field fields[] = {
		{ "MESSAGE", "two\nPRIORITY=0" },
		{ "LAST", "a\x1b[31m\tb" },
	};
	static const char bytes[] = "MESSAGE\n\x0e\0\0\0\0\0\0\0two\nPRIORITY=0\nLAST=a?[31m\tb\n";

	journald_send(((struct line *)*state)->send, fields, ARRAY_SIZE(fields));
	assert_entry(*state, bytes, sizeof(bytes) - 1);
}

static void test_long(void **state)
{
	static char value[JOURNALD_VALUE_MAX + 2], bytes[JOURNALD_VALUE_MAX + 4];
	const struct journald_field fields[] = { { "A", value } };

	memset(value, 'x', sizeof(value) - 1);
	memset(bytes, 'x', sizeof(bytes));
	memcpy(bytes, "A=", 2);
	bytes[2 + JOURNALD_VALUE_MAX] = '\n';
	journald_send(((struct line *)*state)->send, fields, 1);
	assert_entry(*state, bytes, 2 + JOURNALD_VALUE_MAX + 1);
}

/* Nobody reads, and nobody waits: alarm(2) would end the test. */
static void test_full(void **state)
{
	static const struct journald_field fields[] = { { "MESSAGE", "x" } };

	alarm(20);
	for (unsigned i = 0; i < 5000; i++)
		journald_send(((struct line *)*state)->send, fields, 1);
	alarm(0);
}

static void test_nobody(void **state)
{
	static const struct journald_field fields[] = { { "MESSAGE", "x" } };
	char path[sizeof(((struct sockaddr_un *)NULL)->sun_path) + 1];

	(void)state;
	assert_int_equal(journald_connect("/nonexistent/socket"), -1);
	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(journald_connect(path), -1);
	journald_send(-1, fields, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_fields, open_line, close_line),
		cmocka_unit_test_setup_teardown(test_lines, open_line, close_line),
		cmocka_unit_test_setup_teardown(test_long, open_line, close_line),
		cmocka_unit_test_setup_teardown(test_full, open_line, close_line),
		cmocka_unit_test(test_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
