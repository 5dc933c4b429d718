/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: the devices of a known trouble. What its entry says of them has been checked. */
#include "check/pattern.h"

#include <errno.h>
#include <string.h>

#include "base/number.h"

static uint16_t hex_of(const json_t *object, const char *key, uint16_t without)
{
	const json_t *value = json_object_get(object, key);
	uint64_t number = without;

	if (value)
		(void)parse_number(json_string_value(value), 4, 16, 0xffff, &number);
	return (uint16_t)number;
}

/* "0c03" is a class whose first four of six digits are these; what is no number fits none. */
static void read_class(const json_t *value, struct device_pattern *pattern)
{
	const char *text = value ? json_string_value(value) : "";
	size_t digits = strlen(text);
	uint64_t number = 0;

	pattern->class_shift = (unsigned)(4 * (6 - digits));
	if (digits > 0 && parse_number(text, digits, 16, 0xffffff, &number) < 0)
		number = UINT32_MAX;
	pattern->class_start = (uint32_t)number;
	pattern->any_class = digits == 0;
}

static int read_ids(const json_t *ids, struct device_pattern *pattern)
{
	const json_t *id;
	size_t i;

	pattern->ids = calloc(json_array_size(ids) + 1, sizeof(*pattern->ids));
	if (!pattern->ids)
		return -ENOMEM;
	json_array_foreach(ids, i, id) {
		uint64_t number = 0;

		(void)parse_number(json_string_value(id), 4, 16, 0xffff, &number);
		pattern->ids[pattern->id_count++] = (uint16_t)number;
	}
	return 0;
}

int device_patterns_make(const json_t *entry, struct device_patterns *ret)
{
	const json_t *devices = json_object_get(entry, "devices");
	struct device_patterns patterns = { 0 };
	json_t *item;
	size_t i;

	patterns.items = calloc(json_array_size(devices) + 1, sizeof(*patterns.items));
	if (!patterns.items)
		return -ENOMEM;
	json_array_foreach(devices, i, item) {
		struct device_pattern *pattern = &patterns.items[patterns.count++];

		pattern->any_vendor = !json_object_get(item, "vendor");
		pattern->vendor = hex_of(item, "vendor", 0);
		pattern->any_subsystem = !json_object_get(item, "subsystem");
		pattern->subsystem = hex_of(item, "subsystem", 0);
		pattern->from = hex_of(item, "from", 0);
		pattern->to = hex_of(item, "to", 0xffff);
		read_class(json_object_get(item, "class"), pattern);
		if (read_ids(json_object_get(item, "ids"), pattern) < 0) {
			device_patterns_done(&patterns);
			return -ENOMEM;
		}
	}
	*ret = patterns;
	return 0;
}

static bool has_id(const struct device_pattern *pattern, uint16_t device)
{
	for (size_t i = 0; i < pattern->id_count; i++)
		if (pattern->ids[i] == device)
			return true;
	return pattern->id_count == 0;
}

bool device_patterns_meet(const struct device_patterns *patterns, const struct pci_device *device)
{
	for (size_t i = 0; i < patterns->count; i++) {
		const struct device_pattern *pattern = &patterns->items[i];

		if ((pattern->any_vendor || pattern->vendor == device->vendor) &&
		    (pattern->any_subsystem || pattern->subsystem == device->subsystem_vendor) &&
		    pattern->from <= device->device && pattern->to >= device->device &&
		    (pattern->any_class ||
		     pattern->class_start == device->class_code >> pattern->class_shift) &&
		    has_id(pattern, device->device))
			return true;
	}
	return false;
}

void device_patterns_done(struct device_patterns *patterns)
{
	for (size_t i = 0; i < patterns->count; i++)
		free(patterns->items[i].ids);
	free(patterns->items);
	*patterns = (struct device_patterns){ 0 };
}
