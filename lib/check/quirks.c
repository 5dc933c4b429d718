/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: the table of known troubles. Says nothing about what is not in it. */
#include "check/quirks.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/json.h"
#include "check/condition.h"

bool quirk_names(const struct quirk *quirk, const struct pci_device *device)
{
	return device_patterns_meet(&quirk->devices, device);
}

bool quirk_fits_host(const struct quirk *quirk, const struct quirk_target *target)
{
	return conditions_meet_host(quirk->entry, target);
}

bool quirk_fits_device(const struct quirk *quirk, const struct quirk_target *target)
{
	return conditions_meet_device(quirk->entry, target);
}

bool quirk_applies(const struct quirk *quirk, const struct quirk_target *target)
{
	return quirk_names(quirk, target->device) && quirk_fits_host(quirk, target) &&
	       quirk_fits_device(quirk, target);
}

static int check_sources(const json_t *sources, struct error *err)
{
	const json_t *source;
	size_t i;

	json_array_foreach(sources, i, source)
		if (!json_is_string(json_object_get(source, "url")) ||
		    !json_is_string(json_object_get(source, "date")))
			return error_set(err, -EBADMSG, "a source has no url and date");
	return json_array_size(sources) > 0
		       ? 0
		       : error_set(err, -EBADMSG, "there are no 'sources' in it");
}

static int parse_level(const char *name, enum check_level *ret, struct error *err)
{
	for (unsigned level = LEVEL_ERROR; level <= LEVEL_INFO; level++) {
		if (strcmp(check_level_name(level), name) == 0) {
			*ret = level;
			return 0;
		}
	}
	return error_set(err, -EBADMSG, "'%.40s' is not a level", name);
}

/* Strings of the quirk are those of the entry. */
static int parse_entry(json_t *entry, struct quirk *quirk, struct error *err)
{
	static const char *const words[] = { "id", "level", "what", "remedy", "sources", NULL };
	const json_t *sources;
	const char *level;
	json_error_t problem;
	int r = conditions_check(entry, words, err);

	if (r < 0)
		return r;
	if (json_unpack_ex(entry, &problem, 0, "{s:s, s:s, s:s, s:s, s:o}", "id", &quirk->id,
			   "level", &level, "what", &quirk->what, "remedy", &quirk->remedy,
			   "sources", &sources) < 0)
		return error_set(err, -EBADMSG, "%s", problem.text);
	r = parse_level(level, &quirk->level, err);
	return r < 0 ? r : check_sources(sources, err);
}

static int add_entry(const char *name, size_t number, json_t *entry, struct quirks *quirks,
		     struct error *err)
{
	struct quirk quirk = { .entry = entry };
	struct error reason = { 0 };
	const char *id = json_string_value(json_object_get(entry, "id"));
	int r = json_is_object(entry) ? parse_entry(entry, &quirk, &reason)
				      : error_set(&reason, -EBADMSG, "it is not an object");

	if (r < 0)
		return error_set(err, r, "%s: entry %zu%s%s: %s", name, number, id ? ", " : "",
				 id ? id : "", reason.message);
	if (device_patterns_make(entry, &quirk.devices) < 0)
		return error_set_memory(err);
	if (array_reserve(&quirks->items, quirks->count, sizeof(quirk)) < 0) {
		device_patterns_done(&quirk.devices);
		return error_set_memory(err);
	}
	json_incref(entry);
	quirks->items[quirks->count++] = quirk;
	return 0;
}

int quirks_parse(const char *name, const char *data, size_t size, struct quirks *ret,
		 struct error *err)
{
	cleanup_json json_t *document = NULL;
	cleanup_quirks struct quirks quirks = { 0 };
	const json_t *array = NULL;
	json_t *entry;
	uint64_t format;
	size_t i;
	int r = json_parse_object(name, data, size, &document, err);

	if (r < 0)
		return r;
	r = json_member_u64(document, "format", UINT32_MAX, &format, err);
	if (r < 0)
		return r;
	if (format != QUIRKS_FORMAT)
		return error_set(err, -EBADMSG, "%s: format %u is not known to this version", name,
				 (unsigned)format);
	r = json_member_array(document, "quirks", &array, err);
	if (r < 0)
		return r;
	json_array_foreach(array, i, entry) {
		r = add_entry(name, i + 1, entry, &quirks, err);
		if (r < 0)
			return r;
	}
	quirks.known = quirks.count;
	*ret = TAKE_STRUCT(quirks);
	return 0;
}

/* Whether it names devices of this kind: "vendor": "10de", "class": "03" */
static bool names_kind(const char *line, size_t size, const struct quirk_kind *kind)
{
	static const char class_key[] = ", \"class\": \"";
	char vendor[] = "\"vendor\": \"0000\"", class_digits[] = "00";
	const char *end = line + size, *at = line;
	const size_t length = sizeof(vendor) - 1;

	for (size_t i = 0; i < 4; i++)
		vendor[length - 2 - i] = "0123456789abcdef"[kind->vendor >> (4 * i) & 0xf];
	for (size_t i = 0; i < 2; i++)
		class_digits[1 - i] = "0123456789abcdef"[kind->class_code >> (16 + 4 * i) & 0xf];
	while ((at = memmem(at, (size_t)(end - at), vendor, length))) {
		at += length;
		if (!text_starts_with(at, class_key) ||
		    text_starts_with(at + strlen(class_key), class_digits))
			return true;
	}
	return false;
}

/* Whether an entry can concern a device of these kinds; one that names no vendor can. */
static bool concerns(const char *line, size_t size, const struct quirk_kind *kinds, size_t count)
{
	if (!kinds || !memmem(line, size, "\"vendor\"", strlen("\"vendor\"")))
		return true;
	for (size_t i = 0; i < count; i++)
		if (names_kind(line, size, &kinds[i]))
			return true;
	return false;
}

static int read_built_in(const struct quirk_kind *kinds, size_t count, struct quirks *ret,
			 struct error *err)
{
	cleanup_quirks struct quirks quirks = { 0 };
	const char *at = quirks_data(), *end = at + quirks_data_size();

	for (size_t number = 1; at < end; number++) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		size_t size = (size_t)((newline ? newline : end) - at);

		if (concerns(at, size, kinds, count)) {
			cleanup_json json_t *entry = NULL;
			int r = json_parse_object("a built-in quirk", at, size, &entry, err);

			if (r == 0)
				r = add_entry("the built-in quirks", number, entry, &quirks, err);
			if (r < 0)
				return r;
		}
		at += size + 1;
		quirks.known = number;
	}
	*ret = TAKE_STRUCT(quirks);
	return 0;
}

int quirks_read(const struct sysroot *root, const struct quirk_kind *kinds, size_t count,
		struct quirks *ret, struct error *err)
{
	cleanup_free char *data = NULL;
	size_t size;
	int r = sysroot_read(root, &QUIRKS_PATH[1], QUIRKS_MAX, &data, &size);

	if (r == -ENOENT)
		return read_built_in(kinds, count, ret, err);
	if (r < 0)
		return error_set(err, r, "cannot read %s: %s", QUIRKS_PATH, strerror(-r));
	r = quirks_parse(QUIRKS_PATH, data, size, ret, err);
	if (r == 0)
		ret->replaced = true;
	return r;
}

void quirks_done(struct quirks *quirks)
{
	for (size_t i = 0; i < quirks->count; i++) {
		device_patterns_done(&quirks->items[i].devices);
		json_decref(quirks->items[i].entry);
	}
	free(quirks->items);
	*quirks = (struct quirks){ 0 };
}

char *quirk_remedy(const struct quirk *quirk, const char *address, uint32_t vmid,
		   const char *rombar_off)
{
	struct text text = { 0 };
	const char *at = quirk->remedy;

	while (*at) {
		size_t size = strcspn(at, "{");

		text_add(&text, "%.*s", (int)size, at);
		at += size;
		if (text_starts_with(at, "{address}")) {
			text_add(&text, "%s", address);
			at += strlen("{address}");
		} else if (text_starts_with(at, "{vm}")) {
			if (vmid)
				text_add(&text, "%u", vmid);
			else
				text_add(&text, "VMID");
			at += strlen("{vm}");
		} else if (text_starts_with(at, "{rombar=0}")) {
			if (rombar_off)
				text_add(&text, "'%s'", rombar_off);
			else
				text_add(&text, "rombar=0 in the line of %s", address);
			at += strlen("{rombar=0}");
		} else if (*at) {
			text_add(&text, "%c", *at++);
		}
	}
	return text_take(&text);
}

char *quirk_sources(const struct quirk *quirk)
{
	const json_t *sources = json_object_get(quirk->entry, "sources"), *source;
	struct text text = { 0 };
	size_t i;

	json_array_foreach(sources, i, source) {
		text_add(&text, "%s%s (%s)", i > 0 ? ", " : "",
			 json_string_value(json_object_get(source, "url")),
			 json_string_value(json_object_get(source, "date")));
	}
	return text_take(&text);
}
