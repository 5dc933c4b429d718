/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: base/output.c. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "base/output.h"

/* What comes out of a stream of that form when `text` is printed in pieces of `step` bytes. */
static void assert_printed(enum output_form form, const char *text, size_t step, const char *wanted)
{
	struct output output;
	char got[256];
	ssize_t size;
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(output_open(&output, ends[1], step == 1), 0);
	output.form = form;
	for (size_t i = 0; i < strlen(text); i += step) {
		fprintf(output.stream, "%.*s", (int)step, text + i);
		fflush(output.stream);
	}
	assert_int_equal(output_close(&output), 0);
	close(ends[1]);
	size = read(ends[0], got, sizeof(got) - 1);
	close(ends[0]);
	got[size < 0 ? 0 : size] = '\0';
	assert_string_equal(got, wanted);
}

static void test_forms(void **state)
{
	static const struct {
		const char *text, *plain, *colour, *json;
	} rows[] = {
		{ "a\n\tb", "a\n\tb", "a\n\tb", "a\n\tb" },
		{ "\033[31mX\033[0m", "?[31mX?[0m", "\033[31mX\033[0m", "\\u001b[31mX\\u001b[0m" },
		{ "\033[2J\033]0;x\a\033[", "?[2J?]0;x??[", "?[2J?]0;x??[",
		  "\\u001b[2J\\u001b]0;x\\u0007\\u001b[" },
		{ "\xc2\x9b 2J", "? 2J", "? 2J", "\\u009b 2J" },
		{ "\xe2\x80\xaexe\xe2\x81\xa9", "?xe?", "?xe?", "\\u202exe\\u2069" },
		{ "gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80", "gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80",
		  "gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80", "gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80" },
		{ "caf\xe9 \x9b", "caf\xe9 ?", "caf\xe9 ?", "caf\xe9 \\u009b" },
		{ "cut \xe2\x80", "cut \xe2\x80", "cut \xe2\x80", "cut \xe2\x80" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_printed(OUTPUT_TEXT, rows[i].text, 200, rows[i].plain);
		assert_printed(OUTPUT_COLOUR, rows[i].text, 200, rows[i].colour);
		/* a character that comes in two writes is one all the same */
		for (size_t step = 1; step < 5; step++) {
			assert_printed(OUTPUT_TEXT, rows[i].text, step, rows[i].plain);
			assert_printed(OUTPUT_JSON, rows[i].text, step, rows[i].json);
		}
	}
}

static void test_fault(void **state)
{
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC), ends[2];
	struct output output;

	(void)state;
	assert_int_equal(output_open(&output, full, false), 0);
	assert_int_equal(output_close(&output), 0); /* nothing was to be written */
	assert_int_equal(output_open(&output, full, false), 0);
	fputs("a", output.stream);
	assert_int_equal(fflush(output.stream), EOF);
	assert_int_equal(output.fault, -ENOSPC);
	fputs("b", output.stream);
	assert_int_equal(output_close(&output), -ENOSPC);
	close(full);

	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe(ends), 0);
	close(ends[0]);
	assert_int_equal(output_open(&output, ends[1], true), 0);
	fputs("a", output.stream);
	assert_int_equal(output_close(&output), -EPIPE);
	close(ends[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
