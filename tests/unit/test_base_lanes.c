/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: base/lanes.c. Upper bounds of time leave room for a busy machine. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/lanes.h"

#define LANES_MOST 64

/* What one lane does. */
struct work {
	unsigned reports;
	unsigned sleep_ms; /* between them */
	enum { RETURN, SLEEP, KILL, FAIL, IGNORE_SIGNALS, STICK } end;
	int keep[2]; /* a pipe whose end the stuck one waits for */
};

/* What the parent has heard. */
struct heard {
	unsigned count[LANES_MOST];
	struct lane *lanes;
	struct lane_report last;
	unsigned waited_s; /* of all signs of life */
};

static void send_reports(int fd, const struct work *work)
{
	for (unsigned i = 0; i < work->reports; i++) {
		struct lane_report report = { .step = i,
					      .result = -(int)i,
					      .took_us = i * 1000ull };

		snprintf(report.text, sizeof(report.text), "report %u", i);
		lane_send(fd, &report);
		clock_sleep_ms(work->sleep_ms);
	}
}

static void run(int fd, void *argument, void *context)
{
	const struct work *work = argument;

	(void)context;
	send_reports(fd, work);
	switch (work->end) {
	case RETURN:
		return;
	case KILL:
		kill(getpid(), SIGTERM);
		return;
	case FAIL:
		_exit(3);
	case IGNORE_SIGNALS:
		signal(SIGTERM, SIG_IGN);
		signal(SIGINT, SIG_IGN);
		break;
	case STICK:
		/* a SIGKILL does not reach the child's child, which has the same pipe open */
		if (fork() == 0) {
			char byte;

			close(work->keep[1]);
			(void)!read(work->keep[0], &byte, 1);
			_exit(0);
		}
		break;
	case SLEEP:
		break;
	}
	for (;;)
		pause();
}

static void report(const struct lane_report *report, struct lane *lane, void *context)
{
	struct heard *heard = context;
	size_t number = (size_t)(lane - heard->lanes);
	char text[32];

	assert_int_equal(report->step, heard->count[number]); /* in order, none lost */
	assert_int_equal(report->result, -(int)report->step);
	assert_int_equal(report->took_us, report->step * 1000);
	snprintf(text, sizeof(text), "report %zu", report->step);
	assert_string_equal(report->text, text);
	heard->count[number]++;
	heard->last = *report;
}

static void still(struct lane *lane, unsigned waited_s, void *context)
{
	struct heard *heard = context;

	assert_ptr_equal(lane, &heard->lanes[0]);
	heard->waited_s += waited_s;
}

static const struct lanes_callbacks callbacks = { run, report, still };

/* Runs lanes with this work; returns the milliseconds it took. */
static unsigned run_all(struct work *work, struct lane *lanes, size_t count, unsigned deadline_ms,
			struct heard *heard)
{
	uint64_t began = clock_now_us();

	*heard = (struct heard){ .lanes = lanes };
	for (size_t i = 0; i < count; i++)
		lanes[i] = (struct lane){ .work = &work[i] };
	assert_int_equal(lanes_run(lanes, count, deadline_ms, &callbacks, heard), 0);
	return (unsigned)((clock_now_us() - began) / 1000);
}

static void assert_gone(const struct lane *lane)
{
	assert_true(lane->pid > 0);
	assert_int_equal(kill(lane->pid, 0), -1);
	assert_int_equal(errno, ESRCH);
}

static void test_finished(void **state)
{
	struct work work[] = { { .reports = 3 }, { .reports = 0 }, { .reports = 100 } };
	struct lane lanes[COUNT(work)];
	struct heard heard;

	(void)state;
	run_all(work, lanes, COUNT(work), 30000, &heard);
	for (size_t i = 0; i < COUNT(work); i++) {
		assert_int_equal(lanes[i].end, LANE_FINISHED);
		assert_int_equal(heard.count[i], work[i].reports);
		assert_gone(&lanes[i]);
	}
}

static void test_none(void **state)
{
	struct lane lanes[1];
	struct heard heard;

	(void)state;
	assert_in_range(run_all(NULL, lanes, 0, 30000, &heard), 0, 5000);
}

/* Side by side: many that sleep take as long as one. */
static void test_many(void **state)
{
	static struct work work[LANES_MOST];
	static struct lane lanes[LANES_MOST];
	struct heard heard;

	(void)state;
	for (size_t i = 0; i < LANES_MOST; i++)
		work[i] = (struct work){ .reports = 4, .sleep_ms = 100 };
	assert_in_range(run_all(work, lanes, LANES_MOST, 30000, &heard), 400, 12000);
	for (size_t i = 0; i < LANES_MOST; i++) {
		assert_int_equal(lanes[i].end, LANE_FINISHED);
		assert_int_equal(heard.count[i], 4);
	}
}

static void test_sign_of_life(void **state)
{
	struct work work[] = { { .end = SLEEP }, { .reports = 1, .end = RETURN } };
	struct lane lanes[COUNT(work)];
	struct heard heard;

	(void)state;
	run_all(work, lanes, COUNT(work), 5500, &heard);
	assert_int_equal(heard.waited_s, 5);
	assert_int_equal(heard.count[1], 1);
}

static void test_late(void **state)
{
	struct work work[] = {
		{ .reports = 2, .end = SLEEP },
		{ .reports = 1, .end = RETURN },
		{ .reports = 0, .end = IGNORE_SIGNALS },
	};
	struct lane lanes[COUNT(work)];
	struct heard heard;

	(void)state;
	assert_in_range(run_all(work, lanes, COUNT(work), 1500, &heard), 1500, 8000);
	assert_int_equal(lanes[0].end, LANE_LATE);
	assert_int_equal(heard.count[0], 2); /* what it told before counts */
	assert_int_equal(lanes[1].end, LANE_FINISHED);
	assert_int_equal(lanes[2].end, LANE_LATE);
	for (size_t i = 0; i < COUNT(work); i++)
		assert_gone(&lanes[i]);
}

static void test_died(void **state)
{
	struct work work[] = {
		{ .reports = 1, .end = KILL },
		{ .reports = 1, .end = FAIL },
		{ .reports = 1, .end = RETURN },
	};
	struct lane lanes[COUNT(work)];
	struct heard heard;

	(void)state;
	assert_in_range(run_all(work, lanes, COUNT(work), 30000, &heard), 0, 20000);
	assert_int_equal(lanes[0].end, LANE_DIED);
	assert_int_equal(heard.count[0], 1);
	assert_int_equal(lanes[1].end, LANE_DIED);
	assert_int_equal(lanes[2].end, LANE_FINISHED);
}

/* A parent that ignores SIGCHLD has its children do so too: no status of theirs would be seen. */
static void test_parent_ignores_children(void **state)
{
	signal(SIGCHLD, SIG_IGN);
	test_died(state);
	signal(SIGCHLD, SIG_IGN);
	test_finished(state);
}

/* The pipe stays open after the SIGKILL, which is how a task in the kernel looks. */
static void test_stuck(void **state)
{
	struct work work[] = { { .reports = 1, .end = STICK }, { .reports = 1, .end = SLEEP } };
	struct lane lanes[COUNT(work)];
	struct heard heard;

	(void)state;
	assert_int_equal(pipe(work[0].keep), 0);
	assert_in_range(run_all(work, lanes, COUNT(work), 1000, &heard), 1500, 8000);
	assert_int_equal(lanes[0].end, LANE_STUCK);
	assert_int_equal(heard.count[0], 1);
	assert_int_equal(lanes[1].end, LANE_LATE);
	close(work[0].keep[0]);
	close(work[0].keep[1]);
	while (waitpid(-1, NULL, WNOHANG) > 0)
		continue;
}

/* With no time at all a lane is late; it does not hang. */
static void test_no_time(void **state)
{
	struct work work[] = { { .end = SLEEP } };
	struct lane lanes[COUNT(work)];
	struct heard heard;

	(void)state;
	assert_in_range(run_all(work, lanes, COUNT(work), 0, &heard), 0, 5000);
	assert_int_equal(lanes[0].end, LANE_LATE);
}

/* A whole text, and one that is not terminated: it is cut at the end of its room. */
static void send_long(int fd, void *argument, void *context)
{
	struct lane_report report = { .step = 1, .result = -EIO, .took_us = UINT64_MAX };

	(void)argument, (void)context;
	memset(report.text, 'x', sizeof(report.text));
	lane_send(fd, &report);
}

static void hear_long(const struct lane_report *report, struct lane *lane, void *context)
{
	(void)lane;
	*(struct lane_report *)context = *report;
}

static void test_long_report(void **state)
{
	static const struct lanes_callbacks own = { .run = send_long, .report = hear_long };
	struct lane lane = { 0 };
	struct lane_report report = { 0 };

	(void)state;
	assert_int_equal(lanes_run(&lane, 1, 30000, &own, &report), 0);
	assert_int_equal(lane.end, LANE_FINISHED);
	assert_int_equal(report.result, -EIO);
	assert_true(report.took_us == UINT64_MAX);
	assert_int_equal(strlen(report.text), LANE_TEXT_MAX - 1);
}

static void send_what_is_left(int fd, void *argument, void *context)
{
	struct lane_report report = { .took_us = lane_left_ms() };

	(void)argument, (void)context;
	lane_send(fd, &report);
}

static void test_what_is_left(void **state)
{
	static const struct lanes_callbacks own = { .run = send_what_is_left, .report = hear_long };
	struct lane_report report = { 0 };
	struct lane lane = { 0 };

	(void)state;
	assert_int_equal(lanes_run(&lane, 1, 30000, &own, &report), 0);
	assert_true(report.took_us > 0 && report.took_us <= 30000);
	assert_true(lane_left_ms() == UINT_MAX);
}

/* The three standard streams are /dev/null, and the end of the parent is the child's end. */
static void look_around(int fd, void *argument, void *context)
{
	struct lane_report report = { 0 };
	int on_death = 0;
	bool all_null = true;

	(void)argument, (void)context;
	for (int stream = 0; stream <= 2; stream++) {
		struct stat status;

		all_null &= fstat(stream, &status) == 0 && S_ISCHR(status.st_mode) &&
			    major(status.st_rdev) == 1 && minor(status.st_rdev) == 3;
	}
	prctl(PR_GET_PDEATHSIG, &on_death);
	snprintf(report.text, sizeof(report.text), "%s %d", all_null ? "null" : "something",
		 on_death);
	lane_send(fd, &report);
	printf("this goes nowhere\n");
	fflush(stdout);
}

static void test_surroundings(void **state)
{
	static const struct lanes_callbacks own = { .run = look_around, .report = hear_long };
	struct lane_report report = { 0 };
	struct lane lane = { 0 };
	char text[32];

	(void)state;
	fflush(stdout);
	assert_int_equal(lanes_run(&lane, 1, 30000, &own, &report), 0);
	assert_int_equal(lane.end, LANE_FINISHED);
	snprintf(text, sizeof(text), "null %d", SIGKILL);
	assert_string_equal(report.text, text);
}

/* Killed, the parent takes its lanes along. */
static void test_parent_dies(void **state)
{
	struct pollfd end;
	int alive[2], status;
	char byte;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(alive), 0);
	pid = fork();
	if (pid == 0) {
		struct work work[2] = { { .reports = 1, .end = SLEEP }, { .end = SLEEP } };
		struct lane lanes[2] = { { .work = &work[0] }, { .work = &work[1] } };
		struct heard heard = { .lanes = lanes };

		close(alive[0]);
		lanes_run(lanes, 2, 60000, &callbacks, &heard);
		_exit(0);
	}
	close(alive[1]);
	clock_sleep_ms(300);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	/* the lanes have the other end open */
	end = (struct pollfd){ .fd = alive[0], .events = POLLIN };
	assert_int_equal(poll(&end, 1, 10000), 1);
	assert_int_equal(read(alive[0], &byte, 1), 0);
	close(alive[0]);
}

/* No descriptor is left behind, however a lane ends. */
static void test_descriptors(void **state)
{
	struct work work[] = { { .end = SLEEP }, { .end = KILL }, { .end = RETURN } };
	struct lane lanes[COUNT(work)];
	struct heard heard;
	int before = dup(0), after;

	(void)state;
	close(before);
	run_all(work, lanes, COUNT(work), 300, &heard);
	after = dup(0);
	close(after);
	assert_int_equal(after, before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_finished),     cmocka_unit_test(test_none),
		cmocka_unit_test(test_many),	     cmocka_unit_test(test_late),
		cmocka_unit_test(test_sign_of_life), cmocka_unit_test(test_died),
		cmocka_unit_test(test_stuck),	     cmocka_unit_test(test_no_time),
		cmocka_unit_test(test_long_report),  cmocka_unit_test(test_what_is_left),
		cmocka_unit_test(test_surroundings), cmocka_unit_test(test_parent_dies),
		cmocka_unit_test(test_descriptors),  cmocka_unit_test(test_parent_ignores_children),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
