/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: base/json.c: presence and type of every member. */
#include "test.h"

#include <errno.h>

#include "base/json.h"

static int parse(const char *text, size_t size, struct error *err)
{
	cleanup_json json_t *json = NULL;

	*err = (struct error){ 0 };
	return json_parse_object("it", text, size, &json, err);
}

static void test_parse_object(void **state)
{
	static const char *const good[] = {
		"{}",
		" {\n} ",
		"{\"a\": {\"a\": 1}, \"b\": []}",
		"{\"a\\u00e4\": null}",
	};
	static const struct {
		const char *text;
		const char *start; /* of the sentence */
	} bad[] = {
		{ "", "it: line 1, column 0: " },
		{ "{", "it: line 1, column 1: " },
		{ "{\"a\": 1", "it: line 1, column 7: " },
		{ "{\n\"a\": 1,\n\"a\": 2}", "it: line 3, column 3: duplicate object key" },
		{ "{} {}", "it: line 1, column 4: end of file expected" },
		{ "{}x", "it: line 1, column 3: end of file expected" },
		{ "[]", "it: not a JSON object" },
		{ "[{}]", "it: not a JSON object" },
		{ "1", "it: " },
		{ "{'a': 1}", "it: line 1, column 2: " },
		{ "{\"a\": 01}", "it: line 1, column 7: " },
		{ "{\"a\": nul}", "it: line 1, column 9: " },
		{ "{\"a\xff\": 1}", "it: line 1, column " },
		{ "{\"a\": 1,}", "it: line 1, column 9: " },
		{ "{\"a\": 99999999999999999999999}", "it: line 1, column " },
		{ "{\"a\\u0000\": 1}", "it: line 1, column " },
	};
	struct error err;

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		assert_row(good[i], parse(good[i], strlen(good[i]), &err) == 0);
	for (size_t i = 0; i < COUNT(bad); i++) {
		assert_row(bad[i].text, parse(bad[i].text, strlen(bad[i].text), &err) == -EBADMSG);
		if (strncmp(err.message, bad[i].start, strlen(bad[i].start)) != 0)
			assert_string_equal(err.message, bad[i].start);
	}
}

/* The size counts, not a NUL; and depth is no way to a full stack. */
static void test_parse_bounds(void **state)
{
	struct error err;
	char *deep;

	(void)state;
	assert_int_equal(parse("{}garbage", 2, &err), 0);
	assert_int_equal(parse("{}\0", 3, &err), -EBADMSG);
	deep = malloc(100000);
	memset(deep, '[', 100000);
	memcpy(deep, "{\"a\":", 5);
	assert_int_equal(parse(deep, 100000, &err), -EBADMSG);
	free(deep);
}

static json_t *object(void)
{
	static const char text[] =
		"{\"text\": \"a\", \"empty\": \"\", \"number\": 7, \"null\": null,"
		" \"real\": 1.0, \"below\": -1, \"list\": [1, 2], \"yes\": true}";
	struct error err = { 0 };
	json_t *json = NULL;

	assert_int_equal(json_parse_object("it", text, strlen(text), &json, &err), 0);
	return json;
}

static void test_member_string(void **state)
{
	static const char *const wrong[] = { "number", "null", "list", "missing", "yes", "" };
	cleanup_json json_t *json = object();
	struct error err = { 0 };
	char *value = NULL;

	(void)state;
	assert_int_equal(json_member_string(json, "text", &value, &err), 0);
	assert_string_equal(value, "a");
	free(value);
	assert_int_equal(json_member_string(json, "empty", &value, &err), 0);
	assert_string_equal(value, "");
	free(value);
	value = NULL;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		assert_row(wrong[i], json_member_string(json, wrong[i], &value, &err) == -EBADMSG);
		assert_null(value);
	}
	assert_string_equal(err.message, "'' is missing or not a string");
}

static void test_member_string_or_null(void **state)
{
	static const char *const wrong[] = { "number", "list", "yes", "real" };
	cleanup_json json_t *json = object();
	struct error err = { 0 };
	char here[] = "here", *value = here;

	(void)state;
	assert_int_equal(json_member_string_or_null(json, "missing", &value, &err), 0);
	assert_null(value);
	value = here;
	assert_int_equal(json_member_string_or_null(json, "null", &value, &err), 0);
	assert_null(value);
	assert_int_equal(json_member_string_or_null(json, "text", &value, &err), 0);
	assert_string_equal(value, "a");
	free(value);
	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_row(wrong[i],
			   json_member_string_or_null(json, wrong[i], &value, &err) == -EBADMSG);
}

static void test_member_u64(void **state)
{
	static const char *const wrong[] = { "text", "null",	"real", "below",
					     "list", "missing", "yes" };
	cleanup_json json_t *json = object();
	struct error err = { 0 };
	uint64_t value = 0;

	(void)state;
	assert_int_equal(json_member_u64(json, "number", 7, &value, &err), 0);
	assert_int_equal(value, 7);
	assert_int_equal(json_member_u64(json, "number", UINT64_MAX, &value, &err), 0);
	value = 1;
	assert_int_equal(json_member_u64(json, "number", 6, &value, &err), -EBADMSG);
	assert_string_equal(err.message, "'number' is missing or not a number from 0 to 6");
	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_row(wrong[i],
			   json_member_u64(json, wrong[i], UINT64_MAX, &value, &err) == -EBADMSG);
	assert_int_equal(value, 1);
}

static void test_member_bool(void **state)
{
	static const char *const wrong[] = { "text", "null", "number", "list", "missing" };
	cleanup_json json_t *json = object();
	struct error err = { 0 };
	bool value = false;

	(void)state;
	assert_int_equal(json_member_bool(json, "yes", &value, &err), 0);
	assert_true(value);
	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_row(wrong[i], json_member_bool(json, wrong[i], &value, &err) == -EBADMSG);
	assert_string_equal(err.message, "'missing' is missing or neither true nor false");
	assert_true(value);
}

static void test_member_array(void **state)
{
	cleanup_json json_t *json = object();
	const json_t *array = NULL;
	struct error err = { 0 };

	(void)state;
	assert_int_equal(json_member_array(json, "list", &array, &err), 0);
	assert_int_equal(json_array_size(array), 2);
	array = NULL;
	assert_int_equal(json_member_array(json, "text", &array, &err), -EBADMSG);
	assert_int_equal(json_member_array(json, "missing", &array, &err), -EBADMSG);
	assert_string_equal(err.message, "'missing' is missing or not an array");
	assert_null(array);
	/* asked of what is no object at all */
	assert_int_equal(json_member_array(json_object_get(json, "text"), "a", &array, &err),
			 -EBADMSG);
}

static unsigned allocations_left;

static void *allocate(size_t size)
{
	return allocations_left > 0 && allocations_left-- > 0 ? malloc(size) : NULL;
}

/* It is whole, or there is none, whichever allocation fails. */
static void test_text(void **state)
{
	cleanup_json json_t *json = json_object();
	cleanup_free char *whole = NULL;
	json_malloc_t old_malloc;
	json_free_t old_free;
	size_t texts = 0;

	(void)state;
	for (unsigned i = 0; i < 40; i++) {
		char key[64];

		snprintf(key, sizeof(key), "a member whose name is quite long, number %u", i);
		json_object_set_new(json, key, json_pack("{s:s}", "value", "text"));
	}
	json_get_alloc_funcs(&old_malloc, &old_free);
	whole = json_text(json, JSON_INDENT(2));
	assert_non_null(whole);
	assert_true(strlen(whole) > 1600);
	for (unsigned i = 0; i < 200; i++) {
		cleanup_free char *text = NULL;

		allocations_left = i;
		json_set_alloc_funcs(allocate, free);
		text = json_text(json, JSON_INDENT(2));
		json_set_alloc_funcs(old_malloc, old_free);
		texts += text != NULL;
		if (text)
			assert_string_equal(text, whole);
	}
	assert_true(texts > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse_object),  cmocka_unit_test(test_parse_bounds),
		cmocka_unit_test(test_member_string), cmocka_unit_test(test_member_string_or_null),
		cmocka_unit_test(test_member_u64),    cmocka_unit_test(test_member_array),
		cmocka_unit_test(test_member_bool),   cmocka_unit_test(test_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
