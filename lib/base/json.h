/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * base: JSON: reading it with every member checked for presence and type, and writing it.
 * This room holds no domain word.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"

static inline void cleanup_json_reference(json_t **json)
{
	json_decref(*json);
}

#define cleanup_json cleanup(cleanup_json_reference)

/*
 * Parses a document that is one object. Duplicate keys and a tail are errors; `name` is how the
 * sentence calls the file. -EBADMSG with line and column.
 */
int json_parse_object(const char *name, const char *data, size_t size, json_t **ret,
		      struct error *err) must_check;

/*
 * A member of an object; -EBADMSG when it is missing or has another type. Strings are copied.
 * The …_or_null ones also take null and an absent key, which give NULL.
 */
int json_member_string(const json_t *object, const char *key, char **ret,
		       struct error *err) must_check;
int json_member_string_or_null(const json_t *object, const char *key, char **ret,
			       struct error *err) must_check;
int json_member_u64(const json_t *object, const char *key, uint64_t max, uint64_t *ret,
		    struct error *err) must_check;

int json_member_bool(const json_t *object, const char *key, bool *ret,
		     struct error *err) must_check;

/*
 * As text; `flags` are json_dumps()'s, which loses the name of a member where memory runs out while it is
 * added, and succeeds (dump_object() of jansson 2.14). NULL without memory.
 */
char *json_text(const json_t *json, size_t flags);

/* Borrowed from `object`. */
int json_member_array(const json_t *object, const char *key, const json_t **ret,
		      struct error *err) must_check;
