/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: check/verdict.c and report/verdicts.c. */
#include "test.h"

#include "base/json.h"
#include "report/verdicts.h"

static void test_rows(void **state)
{
	static const struct terminal plain = { 40, false }, colour = { 40, true };
	struct verdicts verdicts = { .section = "One" };
	char *words;
	json_t *json;

	(void)state;
	assert_true(verdicts_are_well(&verdicts));
	words = verdicts_summary(&verdicts);
	assert_string_equal(words, "Nothing is wrong.");
	free(words);
	assert_int_equal(verdict_add(&verdicts, VERDICT_OK, "a", NULL, NULL, "All %s.", "fine"), 0);
	assert_int_equal(verdict_add(&verdicts, VERDICT_WARNING, "b", "dev", "Do this.",
				     "It is a long sentence that is wrapped."),
			 0);
	assert_true(verdicts_are_well(&verdicts));
	verdicts.section = "Two";
	assert_int_equal(verdict_add(&verdicts, VERDICT_UNKNOWN, "c", NULL, NULL, "Unseen."), 0);
	assert_false(verdicts_are_well(&verdicts));
	assert_int_equal(verdict_add(&verdicts, VERDICT_INFO, "d", NULL, NULL, "Seen."), 0);
	assert_int_equal(verdict_add(&verdicts, VERDICT_OK, "e", NULL, NULL, "Fine."), 0);
	words = verdicts_words(&verdicts, VIEW_ALL, &plain);
	assert_string_equal(words, "  UNKNOWN Unseen.\n"
				   "  WARNING dev: It is a long sentence\n"
				   "          that is wrapped.\n"
				   "          -> Do this.\n"
				   "\nOne\n"
				   "  ok      All fine.\n"
				   "\nTwo\n"
				   "  info    Seen.\n"
				   "  ok      Fine.\n");
	free(words);
	words = verdicts_words(&verdicts, VIEW_SHORT, &plain);
	assert_string_equal(words, "  UNKNOWN Unseen.\n"
				   "  WARNING dev: It is a long sentence\n"
				   "          that is wrapped.\n"
				   "          -> Do this.\n"
				   "\nTwo: 1 ok\n"
				   "  info    Seen.\n"
				   "\n  ok      One (1)\n");
	free(words);
	words = verdicts_words(&verdicts, VIEW_PROBLEMS, &plain);
	assert_string_equal(words, "  UNKNOWN Unseen.\n"
				   "  WARNING dev: It is a long sentence\n"
				   "          that is wrapped.\n"
				   "          -> Do this.\n");
	free(words);
	words = verdicts_end(&verdicts, VIEW_SHORT, &plain);
	assert_string_equal(words, "  WARNING dev: It is a long sentence th~\n"
				   "  UNKNOWN Unseen.\n"
				   "1 thing that could not be determined, 1 warning.\n");
	free(words);
	words = verdicts_end(&verdicts, VIEW_PROBLEMS, &plain);
	assert_string_equal(words, "1 thing that could not be determined, 1 warning.\n");
	free(words);
	words = verdicts_words(&verdicts, VIEW_SHORT, &colour);
	assert_non_null(strstr(words, "\033[33mWARNING\033[0m dev"));
	free(words);
	words = verdicts_summary(&verdicts);
	assert_string_equal(words, "1 thing that could not be determined, 1 warning.");
	free(words);
	json = verdicts_json(&verdicts);
	assert_int_equal(json_array_size(json), 5);
	assert_true(json_is_null(json_object_get(json_array_get(json, 0), "remedy")));
	assert_string_equal(json_string_value(json_object_get(json_array_get(json, 1), "level")),
			    "warning");
	json_decref(json);
	verdicts_done(&verdicts);
}

/* An error of a start that the settings allow is none. */
static void test_findings(void **state)
{
	struct findings findings = { 0 };
	struct verdicts verdicts = { .section = "x" };

	(void)state;
	assert_int_equal(finding_add(&findings, CHECK_DEVICE_ABSENT, "hostpci0", "Gone."), 0);
	assert_int_equal(finding_add(&findings, CHECK_NO_RESET, "0000:01:00.0", "None."), 0);
	assert_int_equal(verdicts_add_findings(&verdicts, &findings), 0);
	assert_int_equal(verdicts.items[0].level, VERDICT_ERROR);
	assert_string_equal(verdicts.items[0].id, "device-absent");
	assert_int_equal(verdicts.items[1].level, VERDICT_WARNING);
	findings.items[0].allowed = true;
	verdicts_done(&verdicts);
	assert_int_equal(verdicts_add_findings(&verdicts, &findings), 0);
	assert_int_equal(verdicts.items[0].level, VERDICT_INFO);
	assert_non_null(strstr(verdicts.items[0].evidence, "allow"));
	verdicts_done(&verdicts);
	findings_done(&findings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_findings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
