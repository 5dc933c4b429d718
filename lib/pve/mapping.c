/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pve: resource mappings. Chooses no device; changes no file. */
#include "pve/mapping.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "pve/property.h"
#include "use/mdev.h"

/* maxLength of both kinds of description. */
#define DESCRIPTION_MAX 4096

#define LOWER_HEX	"0123456789abcdef"
#define ANY_HEX		LOWER_HEX "ABCDEF"

/* Perl's \s for what a line can hold. */
#define BLANKS " \t\r\f\v"

/* Why a line is dropped where it is no matter of its value. */
#define NO_HEADER   "it is outside any section and not a name alone at the line's start"
#define NO_PROPERTY "a line of a section starts with a blank; only an empty line ends the section"
#define NO_NAME                                                                                    \
	"a name is a letter and then one or more letters, digits, '_' or '-'; the section is "     \
	"skipped"
#define NO_MAP "the section has no usable 'map' line: to Proxmox VE there is no such mapping"

/* ---- one map line: parse_property_string() with $map_fmt */

/* get_standard_option('pve-node'): letters, digits and '-', which is not at either end. */
static bool is_node(const char *value)
{
	size_t size = strlen(value);

	for (const char *c = value; *c; c++)
		if (!isalnum((unsigned char)*c) && *c != '-')
			return false;
	return size > 0 && value[0] != '-' && value[size - 1] != '-';
}

static bool is_id(const char *value)
{
	return strspn(value, ANY_HEX) == 4 && value[4] == ':' && strspn(value + 5, ANY_HEX) == 4 &&
	       !value[9];
}

static bool is_integer(const char *value)
{
	if (*value == '+' || *value == '-')
		value++;
	return *value && !value[strspn(value, "0123456789")];
}

/*
 * One or more of DDDD+:BB:DD(.F)? joined by ';', in lower case. What is meant as a dot matches
 * any character in PVE, since its pattern is put together in double quotes.
 */
static bool is_path(const char *value)
{
	for (;;) {
		size_t size = strspn(value, LOWER_HEX);

		if (size < 4 || value[size] != ':')
			return false;
		value += size + 1;
		if (strspn(value, LOWER_HEX) != 2 || value[2] != ':' || !value[3] ||
		    !strchr(LOWER_HEX, value[3]) || !value[4] || !strchr(LOWER_HEX, value[4]))
			return false;
		value += 5;
		if (value[0] && value[1] && strchr(LOWER_HEX, value[1]) &&
		    (!value[2] || value[2] == ';'))
			value += 2;
		if (!*value)
			return true;
		if (*value++ != ';')
			return false;
	}
}

static bool is_description(const char *value)
{
	return strlen(value) <= DESCRIPTION_MAX;
}

/* A key of a map line. */
struct field {
	const char *name;
	bool (*is_valid)(const char *value);
	const char *wanted;
	char **value;
	bool optional;
};

static int read_field(const struct property *property, const struct field *fields, size_t count,
		      struct error *err)
{
	for (size_t i = 0; i < count; i++) {
		const struct field *field = &fields[i];

		if (strcmp(field->name, property->key) != 0)
			continue;
		if (!field->is_valid(property->value))
			return error_set(err, -EINVAL, "%s '%s' is not %s", property->key,
					 property->value, field->wanted);
		*field->value = strdup(property->value);
		return *field->value ? 0 : -ENOMEM;
	}
	return error_set(err, -EINVAL, "Proxmox VE knows no '%s' here", property->key);
}

static int read_fields(const char *map, const struct field *fields, size_t count, struct error *err)
{
	cleanup_properties struct properties properties = { 0 };
	int r = properties_parse(map, NULL, &properties, err);

	for (size_t i = 0; i < properties.count && r == 0; i++)
		r = read_field(&properties.items[i], fields, count, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++)
		if (!*fields[i].value && !fields[i].optional)
			return error_set(err, -EINVAL, "'%s' is missing", fields[i].name);
	return 0;
}

static int read_entry(const char *map, struct mapping_entry *entry, struct error *err)
{
	cleanup_free char *paths = NULL;
	const struct field fields[] = {
		{ "node", is_node, "the name of a node", &entry->node, false },
		{ "id", is_id, "an id such as 10de:2204", &entry->id, false },
		{ "path", is_path, "a PCI address with domain, or several joined by ';'", &paths,
		  false },
		{ "subsystem-id", is_id, "an id such as 1458:403b", &entry->subsystem_id, true },
		{ "iommugroup", is_integer, "a number", &entry->iommu_group, true },
		{ "description", is_description, "of up to 4096 bytes", &entry->description, true },
	};
	char *rest, *path;
	int r;

	r = read_fields(map, fields, ARRAY_SIZE(fields), err);
	if (r < 0)
		return r;
	rest = paths;
	while ((path = strsep(&rest, ";")))
		if (strings_add(&entry->paths, path) < 0)
			return -ENOMEM;
	return 0;
}

static void entry_done(struct mapping_entry *entry)
{
	free(entry->node);
	free(entry->id);
	free(entry->subsystem_id);
	free(entry->iommu_group);
	free(entry->description);
	strings_done(&entry->paths);
}

static int read_map(struct mapping *section, unsigned number, const char *map, struct error *err)
{
	struct mapping_entry entry = { .line = number };
	int r;

	r = read_entry(map, &entry, err);
	if (r == 0)
		r = array_reserve(&section->entries, section->count, sizeof(entry));
	if (r < 0) {
		entry_done(&entry);
		return r;
	}
	section->entries[section->count++] = entry;
	return 0;
}

/* ---- sections: parse_config() in SectionConfig.pm */

enum property_index {
	PROPERTY_DESCRIPTION,
	PROPERTY_MDEV,
	PROPERTY_LIVE_MIGRATION,
	PROPERTY_MAP,
	PROPERTY_COUNT,
};

static const char *const properties[] = {
	[PROPERTY_DESCRIPTION] = "description",
	[PROPERTY_MDEV] = "mdev",
	[PROPERTY_LIVE_MIGRATION] = "live-migration-capable",
	[PROPERTY_MAP] = "map",
};
TABLE_FOLLOWS(properties, PROPERTY_COUNT);

/* The file while it is read. */
struct reading {
	struct mappings *mappings;
	unsigned number;	 /* of the line */
	struct mapping *section; /* the open one, last of `mappings`; NULL while it is skipped */
	bool in_section;
	bool seen[PROPERTY_COUNT]; /* what the open section has a valid value of */
};

static int drop(struct mappings *mappings, unsigned number, const char *line, const char *why)
{
	struct mapping_dropped_line dropped = { .line = number };

	dropped.text = strdup(line + strspn(line, BLANKS));
	dropped.why = strdup(why);
	if (!dropped.text || !dropped.why ||
	    array_reserve(&mappings->dropped, mappings->dropped_count, sizeof(dropped)) < 0) {
		free(dropped.text);
		free(dropped.why);
		return -ENOMEM;
	}
	mappings->dropped[mappings->dropped_count++] = dropped;
	return 0;
}

/* Unlike in a VM's configuration only 0 and 1, or the key alone. */
static int read_boolean(const char *key, const char *value, bool *ret, struct error *err)
{
	if (value && strcmp(value, "0") != 0 && strcmp(value, "1") != 0)
		return error_set(err, -EINVAL, "%s '%s' is neither 0 nor 1", key, value);
	*ret = !value || *value == '1';
	return 0;
}

static int read_value(struct reading *reading, enum property_index index, const char *value,
		      struct error *err)
{
	if (index == PROPERTY_MDEV)
		return read_boolean(properties[index], value, &reading->section->mdev, err);
	if (index == PROPERTY_LIVE_MIGRATION)
		return read_boolean(properties[index], value, &reading->section->migratable, err);
	if (!value)
		return error_set(err, -EINVAL, "'%s' has no value", properties[index]);
	if (strchr(value, '\r'))
		return error_set(err, -EINVAL, "its value holds a carriage return");
	if (index == PROPERTY_MAP)
		return read_map(reading->section, reading->number, value, err);
	if (!is_description(value))
		return error_set(err, -EINVAL, "a description has up to %d bytes", DESCRIPTION_MAX);
	return 0;
}

static int set_property(struct reading *reading, const char *key, const char *value,
			struct error *err)
{
	for (enum property_index i = 0; i < PROPERTY_COUNT; i++) {
		int r;

		if (strcmp(properties[i], key) != 0)
			continue;
		if (reading->seen[i] && i != PROPERTY_MAP)
			return error_set(err, -EINVAL, "'%s' is given twice; the first counts",
					 key);
		r = read_value(reading, i, value, err);
		if (r == 0)
			reading->seen[i] = true;
		return r;
	}
	return error_set(err, -EINVAL, "Proxmox VE knows no '%s' here", key);
}

/* ^\s+(\S+)(\s+(.*\S))?\s*$ : key and value, which is NULL where there is none. */
static bool split_property(char *line, const char **ret_key, const char **ret_value)
{
	size_t blanks = strspn(line, BLANKS);
	size_t size = strlen(line);
	char *value;

	while (size > 0 && strchr(BLANKS, line[size - 1]))
		line[--size] = '\0';
	if (blanks == 0 || !line[0])
		return false;
	value = line + blanks;
	*ret_key = strsep(&value, BLANKS);
	*ret_value = value ? value + strspn(value, BLANKS) : NULL;
	return true;
}

static int read_property(struct reading *reading, const char *line)
{
	cleanup_free char *copy = NULL;
	struct error err = { 0 };
	const char *key, *value;
	int r;

	/* PVE tells nothing of the lines of a section it skips. */
	if (!reading->section)
		return 0;
	copy = strdup(line);
	if (!copy)
		return -ENOMEM;
	if (!split_property(copy, &key, &value))
		return drop(reading->mappings, reading->number, line, NO_PROPERTY);
	r = set_property(reading, key, value, &err);
	if (r == -EINVAL)
		return drop(reading->mappings, reading->number, line, err.message);
	return r;
}

/* pve-configid: $CONFIGID_RE in JSONSchema.pm. */
static bool is_name(const char *name, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (!isalnum((unsigned char)name[i]) && name[i] != '_' && name[i] != '-')
			return false;
	return size >= 2 && isalpha((unsigned char)name[0]);
}

/* ^(\S+)\s*$ : unlike in PVE's other section files there is no type before the name. */
static int read_header(struct reading *reading, const char *line)
{
	struct mappings *mappings = reading->mappings;
	struct mapping section = { .line = reading->number };
	size_t size = strcspn(line, BLANKS);

	if (size == 0 || line[size + strspn(line + size, BLANKS)])
		return drop(mappings, reading->number, line, NO_HEADER);
	reading->in_section = true;
	if (!is_name(line, size))
		return drop(mappings, reading->number, line, NO_NAME);
	section.name = strndup(line, size);
	if (!section.name ||
	    array_reserve(&mappings->items, mappings->count, sizeof(section)) < 0) {
		free(section.name);
		return -ENOMEM;
	}
	mappings->items[mappings->count++] = section;
	reading->section = &mappings->items[mappings->count - 1];
	return 0;
}

static int end_section(struct reading *reading)
{
	const struct mapping *section = reading->section;

	*reading = (struct reading){ .mappings = reading->mappings, .number = reading->number };
	if (!section || section->count > 0)
		return 0;
	return drop(reading->mappings, section->line, section->name, NO_MAP);
}

static int read_line(struct reading *reading, const char *line)
{
	/* A comment does not end a section. */
	if (line[strspn(line, BLANKS)] == '#')
		return 0;
	/* What is false to Perl ends one: the empty string, and "0". */
	if (!*line || strcmp(line, "0") == 0)
		return end_section(reading);
	return reading->in_section ? read_property(reading, line) : read_header(reading, line);
}

/*
 * The content as one string. To Perl a NUL is a character like others; nothing that is looked at
 * here may hold one or any other control character, so another represents it.
 */
static char *copy_text(const char *data, size_t size)
{
	char *text = malloc(size + 1);

	if (!text)
		return NULL;
	for (size_t i = 0; i < size; i++) {
		text[i] = data[i];
		if (!text[i])
			text[i] = '\1';
	}
	text[size] = '\0';
	return text;
}

int mappings_parse(const char *data, size_t size, struct mappings *ret, struct error *err)
{
	cleanup_mappings struct mappings mappings = { 0 };
	struct reading reading = { .mappings = &mappings };
	cleanup_free char *text = copy_text(data, size);
	char *rest = text, *line;

	if (!text)
		return error_set_memory(err);
	while ((line = strsep(&rest, "\n"))) {
		reading.number++;
		if (read_line(&reading, line) < 0)
			return error_set_memory(err);
	}
	if (end_section(&reading) < 0)
		return error_set_memory(err);
	*ret = TAKE_STRUCT(mappings);
	return 0;
}

int mappings_read(const struct sysroot *root, struct mappings *ret, struct error *err)
{
	cleanup_free char *data = NULL;
	size_t size;
	int r;

	r = sysroot_read(root, &MAPPING_PATH[1], MAPPING_MAX, &data, &size);
	if (r == -ENOENT) {
		*ret = (struct mappings){ 0 };
		return 0;
	}
	if (r == -EFBIG)
		return error_set(err, r, "%s: larger than the 1 MiB Proxmox VE allows",
				 MAPPING_PATH);
	if (r < 0)
		return error_set(err, r, "cannot read %s: %s", MAPPING_PATH, strerror(-r));
	return mappings_parse(data, size, ret, err);
}

const struct mapping *mappings_find(const struct mappings *mappings, const char *name)
{
	for (size_t i = mappings->count; i > 0; i--) {
		const struct mapping *mapping = &mappings->items[i - 1];

		if (strcmp(mapping->name, name) == 0)
			return mapping->count > 0 ? mapping : NULL;
	}
	return NULL;
}

void mappings_done(struct mappings *mappings)
{
	for (size_t i = 0; i < mappings->count; i++) {
		struct mapping *mapping = &mappings->items[i];

		for (size_t j = 0; j < mapping->count; j++)
			entry_done(&mapping->entries[j]);
		free(mapping->entries);
		free(mapping->name);
	}
	free(mappings->items);
	for (size_t i = 0; i < mappings->dropped_count; i++) {
		free(mappings->dropped[i].text);
		free(mappings->dropped[i].why);
	}
	free(mappings->dropped);
	*mappings = (struct mappings){ 0 };
}

/* ---- an entry against the device: assert_valid() in Mapping/PCI.pm */

/* A property as the device and the entry have it; NULL where they have none. */
struct comparison {
	const char *property;
	const char *found, *configured;
};

/* The fault in PVE's words. */
static int compare(const struct comparison *comparison, const char *device, const char *mapping,
		   char **ret_fault)
{
	const char *property = comparison->property;
	const char *found = comparison->found, *configured = comparison->configured;

	if (text_equal(found, configured))
		return 0;
	if (!configured)
		*ret_fault = text_format("missing expected property '%s' for device '%s'", property,
					 device);
	else if (!found)
		*ret_fault = text_format("unexpected property '%s' configured for device '%s'",
					 property, device);
	else
		*ret_fault = text_format("'%s' does not match for '%s' (%s != %s)", property,
					 mapping, found, configured);
	return *ret_fault ? 0 : -ENOMEM;
}

/* Compares in PVE's order, that of the properties' names, up to the first fault. */
static int check_identity(const struct mapping *mapping, const struct mapping_entry *entry,
			  const char *name, const struct mapping_device *device, bool first,
			  bool mdev, char **ret_fault)
{
	char id[16], subsystem_id[16], group[16];
	const struct comparison comparisons[] = {
		{ "id", id, entry->id },
		{ "iommugroup", device->iommu_group == IOMMU_GROUP_NONE ? NULL : group,
		  entry->iommu_group },
		{ "mdev", device->mdev ? "1" : "0", mapping->mdev ? "1" : "0" },
		{ "subsystem-id", subsystem_id, entry->subsystem_id },
	};
	int r = 0;

	snprintf(id, sizeof(id), "%04x:%04x", device->vendor, device->device);
	snprintf(subsystem_id, sizeof(subsystem_id), "%04x:%04x", device->subsystem_vendor,
		 device->subsystem_device);
	snprintf(group, sizeof(group), "%d", device->iommu_group);
	for (size_t i = 0; i < ARRAY_SIZE(comparisons); i++) {
		/* The entry has the group of its first device. */
		if (!first && strcmp(comparisons[i].property, "iommugroup") == 0)
			continue;
		if (!mdev && strcmp(comparisons[i].property, "mdev") == 0)
			continue;
		r = compare(&comparisons[i], name, mapping->name, ret_fault);
		if (r < 0 || *ret_fault)
			break;
	}
	return r;
}

/* PVE takes what the pattern of `path` lets pass for the name of a folder in sysfs. */
static bool is_address(const char *name)
{
	struct pci_address address;
	char formatted[PCI_ADDRESS_TEXT];

	return pci_address_parse(name, &address) == 0 &&
	       strcmp(pci_address_format(address, formatted), name) == 0;
}

/* PVE asks no more than for a dot and a digit anywhere to see a function there. */
static bool has_function(const char *path)
{
	for (const char *dot = strchr(path, '.'); dot; dot = strchr(dot + 1, '.'))
		if (isxdigit((unsigned char)dot[1]))
			return true;
	return false;
}

char *mapping_path_address(const char *path)
{
	return text_format("%s%s", path, has_function(path) ? "" : ".0");
}

int mapping_entry_compare(const struct mapping *mapping, const struct mapping_entry *entry,
			  bool mdev, mapping_look *look, const void *context, char **ret_fault,
			  struct error *err)
{
	cleanup_free char *fault = NULL;

	for (size_t i = 0; i < entry->paths.count && !fault; i++) {
		cleanup_free char *name = mapping_path_address(entry->paths.items[i]);
		struct mapping_device device;
		int r;

		if (!name)
			return error_set_memory(err);
		r = is_address(name) ? look(context, name, &device, err) : -ENODEV;
		if (r == -ENODEV) {
			fault = text_format("pci device '%s' not found", name);
			r = fault ? 0 : -ENOMEM;
		} else if (r == 0) {
			r = check_identity(mapping, entry, name, &device, i == 0, mdev, &fault);
		}
		if (r < 0)
			return r == -ENOMEM ? error_set_memory(err) : r;
	}
	*ret_fault = TAKE_PTR(fault);
	return 0;
}

static int look_here(const void *context, const char *name, struct mapping_device *ret,
		     struct error *err)
{
	const struct sysroot *root = context;
	cleanup_pci_device struct pci_device device = { 0 };
	struct pci_address address;
	int r = pci_address_parse(name, &address);

	if (r == 0)
		r = pci_device_read(root, address, &device, err);
	if (r < 0)
		return r;
	*ret = (struct mapping_device){
		.vendor = device.vendor,
		.device = device.device,
		.subsystem_vendor = device.subsystem_vendor,
		.subsystem_device = device.subsystem_device,
		.iommu_group = device.iommu_group,
		.mdev = mdev_support(root, device.name) != MDEV_NONE,
	};
	return 0;
}

int mapping_entry_check(const struct sysroot *root, const struct mapping *mapping,
			const struct mapping_entry *entry, bool mdev, char **ret_fault,
			struct error *err)
{
	return mapping_entry_compare(mapping, entry, mdev, look_here, root, ret_fault, err);
}
