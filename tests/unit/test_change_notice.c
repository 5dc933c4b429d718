/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What root gets a mail about: each once, however often it is noticed. */
#include "start.h"

#include "base/array.h"
#include "change/notice.h"
#include "change/tally.h"

#define NOW ((time_t)1764320000)

static const struct {
	enum notice_kind kind;
	const char *subject;
} all[] = {
	{ NOTICE_LOST, "0000:01:00.0" },
	{ NOTICE_LOST, "0000:01:00.1" },
	{ NOTICE_STUCK, "0000:01:00.0" },
	{ NOTICE_CHANGED, "hostpci0" },
};

/* How many of the first `count` of all are told then. */
static size_t tell(const struct state *state, size_t count, time_t now)
{
	struct notices notices = { 0 };
	size_t told;

	for (size_t i = 0; i < count; i++)
		assert_int_equal(notices_add(&notices, all[i].kind, all[i].subject, "text"), 0);
	notices_mark(state, 101, now, &notices);
	told = notices.count;
	notices_done(&notices);
	return told;
}

static void put(const struct state *state, const char *name, const char *text)
{
	int fd = openat(state->fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static void test_once(void **context)
{
	struct machine *machine = *context;
	struct state *state = &machine->state;
	struct notices notices = { 0 };

	assert_int_equal(notices_add(&notices, NOTICE_LOST, "x", "first"), 0);
	assert_int_equal(notices_add(&notices, NOTICE_LOST, "x", "second"), 0);
	assert_int_equal(notices.count, 1);
	assert_string_equal(notices.items[0].text, "first");
	notices_done(&notices);

	assert_int_equal(tell(state, 1, NOW), 1);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(tell(state, 1, NOW + i * NOTICE_AGAIN_S), 0);
	/* each other device and kind is another event */
	assert_int_equal(tell(state, ARRAY_SIZE(all), NOW + 1), 3);
	assert_int_equal(tell(state, ARRAY_SIZE(all), NOW + 1), 0);
	/* a clock that was set back */
	assert_int_equal(tell(state, ARRAY_SIZE(all), NOW - 1000000), 0);
}

/* What was wrong is over once the devices have all changed hands, for a start or after it. */
static void test_again(void **context)
{
	static const char *const phases[] = { "take", "give" };
	struct machine *machine = *context;
	struct state *state = &machine->state;

	for (size_t i = 0; i < ARRAY_SIZE(phases); i++) {
		char line[128], marks[64];

		snprintf(line, sizeof(line), "%s%s %020d %020jd\n",
			 i == 0 ? "" : "take 00000000000000000001 00000000000000000001\n",
			 phases[i], 1, (intmax_t)NOW);
		put(state, "101.lock", line);
		snprintf(marks, sizeof(marks), "lost 0000:01:00.0 %jd\n", (intmax_t)NOW - 1);
		put(state, "101.notices", marks);
		assert_int_equal(tell(state, 1, NOW - 2 + NOTICE_AGAIN_S), 0);
		assert_int_equal(tell(state, 1, NOW - 1 + NOTICE_AGAIN_S), 1);
		assert_int_equal(tell(state, 1, NOW - 1 + NOTICE_AGAIN_S), 0);
		/* the mark is after it */
		assert_int_equal(tell(state, 1, NOW + 10 * NOTICE_AGAIN_S), 0);
	}
}

/* Where no mark can be made nobody is told: it would be a mail for each start. */
static void test_marks(void **context)
{
	struct machine *machine = *context;
	struct state *state = &machine->state;

	put(state, "101.notices", "nonsense\nlost\nlost 0000:01:00.0\nlost 0000:01:00.0 x\n");
	assert_int_equal(tell(state, 1, NOW), 1);
	assert_int_equal(tell(state, 1, NOW), 0);
	assert_int_equal(unlinkat(state->fd, "101.notices", 0), 0);
	assert_int_equal(symlinkat("/tmp/elsewhere", state->fd, "101.notices"), 0);
	assert_int_equal(tell(state, 1, NOW), 0);
	assert_int_equal(unlinkat(state->fd, "101.notices", 0), 0);
	assert_int_equal(mkdirat(state->fd, "101.notices", 0700), 0);
	assert_int_equal(tell(state, 1, NOW), 0);
}

static void test_results(void **context)
{
	static const struct {
		enum run_direction direction;
		enum action_type type;
		const char *target;
		int result;
		const char *text;
		int kind; /* -1: none */
	} rows[] = {
		{ RUN_APPLY, ACTION_BIND, "0000:01:00.0", 0, "", -1 },
		{ RUN_APPLY, ACTION_BIND, "0000:01:00.0", -EIO, "", -1 },
		{ RUN_APPLY, ACTION_BIND, "0000:01:00.0", -ETIMEDOUT, "", NOTICE_STUCK },
		{ RUN_APPLY, ACTION_BIND, "0000:01:00.0", -ENODEV, "", NOTICE_LOST },
		{ RUN_APPLY, ACTION_STOP_UNIT, "x.service", -ETIMEDOUT, "", -1 },
		{ RUN_APPLY, ACTION_SET_ATTRIBUTE, "0000:01:00.0/power/control", -ETIMEDOUT, "",
		  NOTICE_STUCK },
		{ RUN_REVERT, ACTION_BIND, "0000:01:00.0", 0, "", -1 },
		{ RUN_REVERT, ACTION_BIND, "0000:01:00.0", 0, NOTE_LEFT, -1 },
		{ RUN_REVERT, ACTION_BIND, "0000:01:00.0", 0, NOTE_GONE, NOTICE_LOST },
		{ RUN_REVERT, ACTION_BIND, "0000:01:00.0", -EBUSY, "", -1 },
		{ RUN_REVERT, ACTION_BIND, "0000:01:00.0", -EINPROGRESS, "", -1 },
		{ RUN_REVERT, ACTION_BIND, "0000:01:00.0", -ECANCELED, "", -1 },
		{ RUN_REVERT, ACTION_BIND, "0000:01:00.0", -EIO, "", NOTICE_STUCK },
		{ RUN_REVERT, ACTION_RESCAN, "0000:01:00.0/remove", -ENODEV, "", NOTICE_LOST },
		{ RUN_REVERT, ACTION_SET_ATTRIBUTE, "0000:01:00.0/d3cold_allowed", -EIO, "", -1 },
		{ RUN_REVERT, ACTION_SET_ATTRIBUTE, "0000:01:00.0/d3cold_allowed", 0, NOTE_GONE,
		  -1 },
	};

	(void)context;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct run_result result = { .result = rows[i].result, .text = rows[i].text };
		enum notice_kind kind = NOTICE_KIND_COUNT;
		struct action action;

		assert_int_equal(action_make(rows[i].type, rows[i].target, "a", "b", "hostpci0",
					     &action),
				 0);
		print_message("row %zu\n", i);
		assert_int_equal(notice_of_result(rows[i].direction, &action, &result, &kind),
				 rows[i].kind >= 0);
		if (rows[i].kind >= 0)
			assert_int_equal(kind, rows[i].kind);
		action_done(&action);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		machine_test(test_once),
		machine_test(test_again),
		machine_test(test_marks),
		cmocka_unit_test(test_results),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
