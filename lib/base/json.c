/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base: JSON. Assumes no member and no type. */
#include "base/json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int json_parse_object(const char *name, const char *data, size_t size, json_t **ret,
		      struct error *err)
{
	cleanup_json json_t *json = NULL;
	json_error_t problem;

	json = json_loadb(data, size, JSON_REJECT_DUPLICATES, &problem);
	if (!json)
		return error_set(err, -EBADMSG, "%s: line %d, column %d: %s", name, problem.line,
				 problem.column, problem.text);
	if (!json_is_object(json))
		return error_set(err, -EBADMSG, "%s: not a JSON object", name);
	*ret = TAKE_PTR(json);
	return 0;
}

char *json_text(const json_t *json, size_t flags)
{
	size_t size = json_dumpb(json, NULL, 0, flags);
	cleanup_free char *text = size > 0 ? malloc(size + 1) : NULL;

	if (!text || json_dumpb(json, text, size, flags) != size)
		return NULL;
	text[size] = '\0';
	return TAKE_PTR(text);
}

int json_member_string_or_null(const json_t *object, const char *key, char **ret, struct error *err)
{
	const json_t *member = json_object_get(object, key);

	if (!member || json_is_null(member)) {
		*ret = NULL;
		return 0;
	}
	return json_member_string(object, key, ret, err);
}

int json_member_string(const json_t *object, const char *key, char **ret, struct error *err)
{
	const char *value = json_string_value(json_object_get(object, key));

	if (!value)
		return error_set(err, -EBADMSG, "'%s' is missing or not a string", key);
	*ret = strdup(value);
	return *ret ? 0 : error_set_memory(err);
}

int json_member_u64(const json_t *object, const char *key, uint64_t max, uint64_t *ret,
		    struct error *err)
{
	const json_t *member = json_object_get(object, key);
	json_int_t value = json_integer_value(member);

	if (!json_is_integer(member) || value < 0 || (uint64_t)value > max)
		return error_set(err, -EBADMSG, "'%s' is missing or not a number from 0 to %ju",
				 key, (uintmax_t)max);
	*ret = (uint64_t)value;
	return 0;
}

int json_member_bool(const json_t *object, const char *key, bool *ret, struct error *err)
{
	const json_t *member = json_object_get(object, key);

	if (!json_is_boolean(member))
		return error_set(err, -EBADMSG, "'%s' is missing or neither true nor false", key);
	*ret = json_is_true(member);
	return 0;
}

int json_member_array(const json_t *object, const char *key, const json_t **ret, struct error *err)
{
	const json_t *member = json_object_get(object, key);

	if (!json_is_array(member))
		return error_set(err, -EBADMSG, "'%s' is missing or not an array", key);
	*ret = member;
	return 0;
}
