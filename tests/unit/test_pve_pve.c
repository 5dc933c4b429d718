/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: vm/pve.c, with programs that every machine has. */
#include <errno.h>

#include "test.h"

#include "base/json.h"
#include "pve/pve.h"

static void test_command_line(void **state)
{
	static const struct {
		const char *word, *line;
	} rows[] = {
		{ "01:00,pcie=1,x-vga=on", "qm 01:00,pcie=1,x-vga=on" },
		{ "01:00;01:00.1", "qm '01:00;01:00.1'" },
		{ "", "qm ''" },
		{ "it's", "qm 'it'\\''s'" },
		{ "-device vfio-pci", "qm '-device vfio-pci'" },
		{ "$x`y`", "qm '$x`y`'" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		cleanup_strings struct strings words = { 0 };
		cleanup_free char *line = NULL;

		assert_int_equal(pve_words(&words, "qm", rows[i].word), 0);
		line = pve_command_line(&words);
		assert_text(line, rows[i].line);
	}
}

static void test_run(void **state)
{
	cleanup_strings struct strings echo = { 0 }, failing = { 0 }, absent = { 0 };
	cleanup_free char *output = NULL;
	struct error err = { 0 };

	(void)state;
	pve_words(&echo, "echo", "a b");
	assert_int_equal(pve_run(&echo, &output, &err), 0);
	assert_text(output, "a b");
	assert_int_equal(pve_run(&echo, NULL, &err), 0);

	pve_words(&failing, "ls", "/nosuch");
	assert_int_equal(pve_run(&failing, NULL, &err), -EIO);
	assert_text(err.message, "'ls /nosuch' failed (2): ls: cannot access '/nosuch': No such "
				 "file or directory");
	pve_words(&absent, "nosuch-program");
	assert_int_equal(pve_run(&absent, NULL, &err), -ENOENT);
}

static void test_query(void **state)
{
	static const struct {
		const char *says;
		bool good;
	} rows[] = {
		{ "[1]", true },
		{ "{\"a\": [2]}", true },
		{ "perl: warning: [sic]\n[1]", true },
		{ "nothing", false },
		{ "[1", false },
		{ "", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		cleanup_strings struct strings words = { 0 };
		cleanup_json json_t *json = NULL;
		struct error err = { 0 };

		pve_words(&words, "echo", rows[i].says);
		assert_int_equal(pve_query(&words, &json, &err), rows[i].good ? 0 : -EBADMSG);
		assert_true((json != NULL) == rows[i].good);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_command_line),
		cmocka_unit_test(test_run),
		cmocka_unit_test(test_query),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
