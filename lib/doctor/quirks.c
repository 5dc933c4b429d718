/* SPDX-License-Identifier: GPL-2.0-or-later */
/* doctor: the table of known troubles. */
#include "doctor/quirks.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/json.h"
#include "base/number.h"
#include "host/module.h"

/* Knowing all keys tells a misspelled one from one that is not there. */
static const char *const keys[] = { "id",      "level",	  "kernel",  "devices",
				    "modules", "drivers", "virtual", "unless_module",
				    "what",    "remedy",  "source" };

static int check_keys(json_t *object, struct error *err)
{
	const char *key;
	json_t *value;

	json_object_foreach(object, key, value) {
		size_t i = 0;

		while (i < sizeof(keys) / sizeof(*keys) && strcmp(keys[i], key) != 0)
			i++;
		if (i == sizeof(keys) / sizeof(*keys))
			return error_set(err, -EBADMSG, "unknown key '%.40s'; did you mean '%s'?",
					 key, text_nearest(key, keys, i));
	}
	return 0;
}

static int parse_level(const char *name, enum verdict_level *ret, struct error *err)
{
	for (unsigned level = VERDICT_INFO; level <= VERDICT_ERROR; level++) {
		if (strcmp(verdict_level_name(level), name) == 0) {
			*ret = level;
			return 0;
		}
	}
	return error_set(err, -EBADMSG, "'%.40s' is no level", name);
}

static int parse_version(const json_t *kernel, const char *key, struct kernel_version *ret,
			 struct error *err)
{
	const json_t *value = json_object_get(kernel, key);

	if (!value)
		return 0;
	if (!json_is_string(value) || kernel_version_parse(json_string_value(value), ret) < 0)
		return error_set(err, -EBADMSG, "kernel.%s is no version such as \"6.8\"", key);
	return 0;
}

static int parse_kernel(const json_t *entry, struct quirk *quirk, struct error *err)
{
	const json_t *kernel = json_object_get(entry, "kernel");
	int r;

	if (!kernel)
		return 0;
	if (!json_is_object(kernel))
		return error_set(err, -EBADMSG, "kernel is no object");
	r = parse_version(kernel, "from", &quirk->from, err);
	return r < 0 ? r : parse_version(kernel, "before", &quirk->before, err);
}

/* A member of four hexadecimal digits, or what there is without it. */
static int parse_id(const json_t *object, const char *key, uint16_t without, uint16_t *ret,
		    struct error *err)
{
	const json_t *value = json_object_get(object, key);
	uint64_t number;

	*ret = without;
	if (!value)
		return 0;
	if (!json_is_string(value) || json_string_length(value) != 4 ||
	    parse_number(json_string_value(value), 4, 16, 0xffff, &number) < 0)
		return error_set(err, -EBADMSG, "%s is no id of four digits", key);
	*ret = (uint16_t)number;
	return 0;
}

static int parse_devices(const json_t *object, struct quirk *quirk, struct error *err)
{
	const json_t *class = json_object_get(object, "class");
	struct quirk_devices devices = { 0 };
	int r;

	if (!json_is_object(object) || !json_object_get(object, "vendor"))
		return error_set(err, -EBADMSG, "an entry of devices has no vendor");
	r = parse_id(object, "vendor", 0, &devices.vendor, err);
	if (r == 0)
		r = parse_id(object, "from", 0, &devices.from, err);
	if (r == 0)
		r = parse_id(object, "to", 0xffff, &devices.to, err);
	if (r < 0)
		return r;
	if (class && (!json_is_string(class) || json_string_length(class) > 6))
		return error_set(err, -EBADMSG, "class is no beginning of a class");
	if (class)
		snprintf(devices.class_start, sizeof(devices.class_start), "%s",
			 json_string_value(class));
	if (array_reserve(&quirk->devices, quirk->device_count, sizeof(devices)) < 0)
		return error_set_memory(err);
	quirk->devices[quirk->device_count++] = devices;
	return 0;
}

static int parse_strings(const json_t *entry, const char *key, struct strings *strings,
			 struct error *err)
{
	const json_t *array = json_object_get(entry, key), *item;
	size_t i;

	if (array && !json_is_array(array))
		return error_set(err, -EBADMSG, "%s is no array", key);
	json_array_foreach(array, i, item) {
		if (!json_is_string(item))
			return error_set(err, -EBADMSG, "%s has something that is no string", key);
		if (strings_add(strings, json_string_value(item)) < 0)
			return error_set_memory(err);
	}
	return 0;
}

static int parse_words(const json_t *entry, struct quirk *quirk, struct error *err)
{
	cleanup_free char *level = NULL;
	int r = json_member_string(entry, "level", &level, err);

	if (r == 0)
		r = parse_level(level, &quirk->level, err);
	if (r == 0)
		r = json_member_string(entry, "what", &quirk->what, err);
	if (r == 0)
		r = json_member_string(entry, "remedy", &quirk->remedy, err);
	if (r == 0)
		r = json_member_string(entry, "source", &quirk->source, err);
	if (r == 0)
		r = json_member_string_or_null(entry, "unless_module", &quirk->unless_module, err);
	return r;
}

static int parse_entry(json_t *entry, struct quirk *quirk, struct error *err)
{
	const json_t *devices, *item;
	size_t i;
	int r = check_keys(entry, err);

	if (r == 0)
		r = parse_words(entry, quirk, err);
	if (r == 0)
		r = parse_kernel(entry, quirk, err);
	if (r == 0)
		r = parse_strings(entry, "modules", &quirk->modules, err);
	if (r == 0)
		r = parse_strings(entry, "drivers", &quirk->drivers, err);
	if (r == 0)
		r = json_member_array(entry, "devices", &devices, err);
	if (r < 0)
		return r;
	quirk->virtual = json_is_true(json_object_get(entry, "virtual"));
	json_array_foreach(devices, i, item) {
		r = parse_devices(item, quirk, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static void quirk_done(struct quirk *quirk)
{
	free(quirk->id);
	free(quirk->devices);
	strings_done(&quirk->modules);
	strings_done(&quirk->drivers);
	free(quirk->unless_module);
	free(quirk->what);
	free(quirk->remedy);
	free(quirk->source);
}

static int add_entry(const char *name, size_t number, json_t *entry, struct quirks *quirks,
		     struct error *err)
{
	struct quirk quirk = { 0 };
	struct error reason = { 0 };
	int r = json_is_object(entry) ? json_member_string(entry, "id", &quirk.id, &reason)
				      : error_set(&reason, -EBADMSG, "it is no object");

	if (r == 0)
		r = parse_entry(entry, &quirk, &reason);
	if (r < 0)
		error_set(err, r, "%s: entry %zu%s%s: %s", name, number, quirk.id ? ", " : "",
			  quirk.id ? quirk.id : "", reason.message);
	else if (array_reserve(&quirks->items, quirks->count, sizeof(quirk)) < 0)
		r = error_set_memory(err);
	if (r < 0)
		quirk_done(&quirk);
	else
		quirks->items[quirks->count++] = quirk;
	return r;
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

	if (r == 0)
		r = json_member_u64(document, "format", UINT32_MAX, &format, err);
	if (r == 0 && format != QUIRKS_FORMAT)
		r = error_set(err, -EBADMSG, "%s: format %u is not known to this version", name,
			      (unsigned)format);
	if (r == 0)
		r = json_member_array(document, "quirks", &array, err);
	json_array_foreach(array, i, entry) {
		if (r == 0)
			r = add_entry(name, i + 1, entry, &quirks, err);
	}
	if (r < 0)
		return r;
	*ret = quirks;
	quirks = (struct quirks){ 0 };
	return 0;
}

int quirks_read(const struct sysroot *root, struct quirks *ret, struct error *err)
{
	cleanup_free char *data = NULL;
	size_t size;
	int r = sysroot_read(root, &QUIRKS_PATH[1], QUIRKS_MAX, &data, &size);

	if (r == -ENOENT)
		return quirks_parse("the built-in quirks", quirks_data(), quirks_data_size(), ret,
				    err);
	if (r < 0)
		return error_set(err, r, "cannot read %s: %s", QUIRKS_PATH, strerror(-r));
	r = quirks_parse(QUIRKS_PATH, data, size, ret, err);
	if (r == 0)
		ret->replaced = true;
	return r;
}

void quirks_done(struct quirks *quirks)
{
	for (size_t i = 0; i < quirks->count; i++)
		quirk_done(&quirks->items[i]);
	free(quirks->items);
	*quirks = (struct quirks){ 0 };
}

static bool is_device(const struct quirk *quirk, const struct pci_device *device)
{
	char class_code[9];

	snprintf(class_code, sizeof(class_code), "%06x", device->class_code);
	for (size_t i = 0; i < quirk->device_count; i++) {
		const struct quirk_devices *devices = &quirk->devices[i];

		if (devices->vendor == device->vendor && device->device >= devices->from &&
		    device->device <= devices->to &&
		    text_starts_with(class_code, devices->class_start))
			return true;
	}
	return false;
}

bool quirk_applies(const struct quirk *quirk, const struct quirk_target *target)
{
	const struct kernel_version none = { 0 };
	bool any_module = quirk->modules.count == 0;

	if (quirk->virtual != target->virtual && quirk->virtual)
		return false;
	if (!is_device(quirk, target->device))
		return false;
	if (kernel_version_compare(quirk->from, none) != 0 &&
	    kernel_version_compare(target->kernel, quirk->from) < 0)
		return false;
	if (kernel_version_compare(quirk->before, none) != 0 &&
	    kernel_version_compare(target->kernel, quirk->before) >= 0)
		return false;
	if (quirk->drivers.count > 0 &&
	    (!target->device->driver || !strings_has(&quirk->drivers, target->device->driver)))
		return false;
	for (size_t i = 0; i < quirk->modules.count && !any_module; i++)
		any_module = module_is_present(target->root, quirk->modules.items[i]);
	return any_module &&
	       !(quirk->unless_module && module_is_present(target->root, quirk->unless_module));
}
