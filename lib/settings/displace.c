/* SPDX-License-Identifier: GPL-2.0-or-later */
/* settings: "displace", as JSON and back. Knows no guest. */
#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "settings/settings.h"

#define TIMEOUT_S     60
#define TIMEOUT_MAX_S 3600

static int set_guests(const json_t *value, struct displace *displace)
{
	const char *word = json_string_value(value);

	if (word) {
		displace->any = strcmp(word, "any") == 0;
		return displace->any ? 0 : -EINVAL;
	}
	if (json_array_size(value) == 0)
		return -EINVAL;
	for (size_t i = 0; i < json_array_size(value); i++) {
		json_int_t vmid = json_integer_value(json_array_get(value, i));

		if (vmid < 1 || vmid > UINT32_MAX)
			return -EINVAL;
		if (array_reserve(&displace->guests, displace->count, sizeof(uint32_t)) < 0)
			return -ENOMEM;
		displace->guests[displace->count++] = (uint32_t)vmid;
	}
	return 0;
}

static int set_how(const json_t *value, struct displace *displace)
{
	const char *word = json_string_value(value);

	displace->hard = word && strcmp(word, "stop") == 0;
	return displace->hard || (word && strcmp(word, "shutdown") == 0) ? 0 : -EINVAL;
}

static int set_timeout(const json_t *value, struct displace *displace)
{
	json_int_t seconds = json_integer_value(value);

	if (seconds < 1 || seconds > TIMEOUT_MAX_S)
		return -EINVAL;
	displace->timeout_s = (unsigned)seconds;
	return 0;
}

static int set_start_again(const json_t *value, struct displace *displace)
{
	displace->leave_off = json_is_false(value);
	return json_is_boolean(value) ? 0 : -EINVAL;
}

static const struct {
	const char *name;
	int (*set)(const json_t *value, struct displace *displace);
} members[] = {
	{ "guests", set_guests },
	{ "how", set_how },
	{ "timeout_s", set_timeout },
	{ "start_again", set_start_again },
};

static int set_member(const char *name, const json_t *value, struct displace *displace)
{
	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		if (strcmp(members[i].name, name) == 0)
			return members[i].set(value, displace);
	return -EINVAL;
}

int displace_parse(json_t *value, struct displace *ret)
{
	cleanup(displace_done) struct displace displace = { .timeout_s = TIMEOUT_S };
	const char *name;
	json_t *member;
	int r = 0;

	if (!json_is_null(value) && !json_object_get(value, "guests"))
		return -EINVAL;
	json_object_foreach(value, name, member) {
		r = set_member(name, member, &displace);
		if (r < 0)
			return r;
	}
	displace_done(ret);
	*ret = displace;
	displace = (struct displace){ 0 };
	return 0;
}

json_t *displace_json(const struct displace *displace)
{
	json_t *guests;

	if (!displace->any && displace->count == 0)
		return NULL;
	guests = displace->any ? json_string("any") : json_array();
	for (size_t i = 0; i < displace->count; i++)
		json_array_append_new(guests, json_integer(displace->guests[i]));
	return json_pack("{s:o, s:s, s:i, s:b}", "guests", guests, "how",
			 displace->hard ? "stop" : "shutdown", "timeout_s",
			 (int)displace->timeout_s, "start_again", !displace->leave_off);
}

bool displace_allows(const struct settings *settings, uint32_t vmid)
{
	const struct displace *displace = &settings->displace;

	for (size_t i = 0; i < displace->count; i++)
		if (displace->guests[i] == vmid)
			return true;
	return displace->any;
}

void displace_done(struct displace *displace)
{
	free(displace->guests);
	*displace = (struct displace){ 0 };
}
