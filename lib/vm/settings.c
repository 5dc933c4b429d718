/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vm: settings. Guesses nothing: what is not understood is an error with file, line and key. */
#include "vm/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/array.h"
#include "base/file.h"
#include "base/json.h"
#include "base/number.h"

#define DEADLINE_MAX_S 3600

/* A document while it is read. */
struct reading {
	const char *name;
	const char *data; /* not terminated */
	size_t size;
	struct settings *settings;
	struct error *err;
};

/*
 * The line a key stands in. jansson keeps no places, so the text is searched: for the keys of the
 * objects around it first, one behind the other.
 */
static unsigned find_line(const struct reading *reading, const char *const path[])
{
	const char *at = reading->data, *end = reading->data + reading->size;
	unsigned line = 1;

	for (size_t i = 0; path[i]; i++) {
		cleanup_free char *quoted = text_format("\"%s\"", path[i]);
		const char *found =
			quoted ? memmem(at, (size_t)(end - at), quoted, strlen(quoted)) : NULL;

		if (!found)
			break;
		for (; at < found; at++)
			line += *at == '\n';
	}
	return line;
}

/* "FILE, line N: 'KEY' …". `inner` and `outer` may be NULL. */
static int fault(const struct reading *reading, const char *outer, const char *inner,
		 const char *key, const char *words)
{
	const char *const path[] = { outer ? outer : key, outer ? (inner ? inner : key) : NULL,
				     outer && inner ? key : NULL, NULL };

	return error_set(reading->err, -EBADMSG, "%s, line %u: '%s' %s", reading->name,
			 find_line(reading, path), key, words);
}

static int fault_unknown(const struct reading *reading, const char *outer, const char *inner,
			 const char *key, const char *nearest)
{
	cleanup_free char *words = text_format("is no setting; did you mean '%s'?", nearest);

	return fault(reading, outer, inner, key, words ? words : "is no setting");
}

static int parse_after_stop(const json_t *value, bool *ret)
{
	const char *word = json_string_value(value);

	if (!word || (strcmp(word, "host") != 0 && strcmp(word, "keep") != 0))
		return -EINVAL;
	*ret = strcmp(word, "keep") == 0;
	return 0;
}

static int set_after_stop(const struct reading *reading, json_t *value)
{
	return parse_after_stop(value, &reading->settings->keep);
}

static int set_siblings(const struct reading *reading, json_t *value)
{
	const char *word = json_string_value(value);

	if (!word || (strcmp(word, "take") != 0 && strcmp(word, "refuse") != 0))
		return -EINVAL;
	reading->settings->refuse_siblings = strcmp(word, "refuse") == 0;
	return 0;
}

static int set_deadline(const struct reading *reading, json_t *value)
{
	json_int_t seconds = json_integer_value(value);

	if (!json_is_integer(value) || seconds < 1 || seconds > DEADLINE_MAX_S)
		return -EINVAL;
	reading->settings->deadline_s = (unsigned)seconds;
	return 0;
}

static int set_allow(const struct reading *reading, json_t *value)
{
	struct strings *allow = &reading->settings->allow;

	if (!json_is_array(value))
		return -EINVAL;
	strings_done(allow);
	for (size_t i = 0; i < json_array_size(value); i++) {
		const char *id = json_string_value(json_array_get(value, i));

		if (!id)
			return -EINVAL;
		if (strings_add(allow, id) < 0)
			return error_set_memory(reading->err);
	}
	return 0;
}

static struct device_settings *find_device(struct settings *settings, struct pci_address address)
{
	struct device_settings *device;

	for (size_t i = 0; i < settings->device_count; i++)
		if (pci_address_equal(settings->devices[i].address, address))
			return &settings->devices[i];
	if (array_reserve(&settings->devices, settings->device_count, sizeof(*device)) < 0)
		return NULL;
	device = &settings->devices[settings->device_count++];
	*device = (struct device_settings){ .address = address };
	return device;
}

static int set_device(const struct reading *reading, const char *name, struct pci_address address,
		      json_t *object)
{
	struct device_settings *device = find_device(reading->settings, address);
	const char *key;
	json_t *value;

	if (!device)
		return error_set_memory(reading->err);
	json_object_foreach(object, key, value) {
		if (strcmp(key, "after_stop") != 0)
			return fault_unknown(reading, "devices", name, key, "after_stop");
		if (parse_after_stop(value, &device->keep) < 0)
			return fault(reading, "devices", name, key, "must be \"host\" or \"keep\"");
		device->has_keep = true;
	}
	return 0;
}

/* Members of an object whose keys are addresses and whose values are objects. */
static int each_address(const struct reading *reading, const char *outer, json_t *object,
			int (*set)(const struct reading *reading, const char *name,
				   struct pci_address address, json_t *member))
{
	const char *name;
	json_t *member;

	json_object_foreach(object, name, member) {
		struct pci_address address;
		int r;

		if (pci_address_parse(name, &address) < 0)
			return fault(reading, outer, NULL, name,
				     "is no full PCI address such as 0000:01:00.0");
		if (!json_is_object(member))
			return fault(reading, outer, NULL, name, "must be an object");
		r = set(reading, name, address, member);
		if (r < 0)
			return r;
	}
	return 0;
}

static int set_devices(const struct reading *reading, json_t *value)
{
	if (!json_is_object(value))
		return -EINVAL;
	return each_address(reading, "devices", value, set_device);
}

/* "10de:2484": two ids of four digits. */
static int parse_ids(const json_t *value, uint16_t *ret_first, uint16_t *ret_second)
{
	const char *text = json_string_value(value);
	uint64_t first, second;

	if (!text || strlen(text) != 9 || text[4] != ':' ||
	    parse_number(text, 4, 16, UINT16_MAX, &first) < 0 ||
	    parse_number(text + 5, 4, 16, UINT16_MAX, &second) < 0)
		return -EINVAL;
	*ret_first = (uint16_t)first;
	*ret_second = (uint16_t)second;
	return 0;
}

static int parse_class(const json_t *value, uint32_t *ret)
{
	const char *text = json_string_value(value);
	uint64_t number;

	if (!text || strlen(text) != 6 || parse_number(text, 6, 16, 0xffffff, &number) < 0)
		return -EINVAL;
	*ret = (uint32_t)number;
	return 0;
}

static int parse_serial(const json_t *value, char serial[PCI_SERIAL_TEXT])
{
	const char *text = json_string_value(value);

	if (!text || strlen(text) >= PCI_SERIAL_TEXT)
		return -EINVAL;
	snprintf(serial, PCI_SERIAL_TEXT, "%s", text);
	return 0;
}

static int set_pin_member(struct pci_identity *identity, const char *key, const json_t *value)
{
	if (strcmp(key, "id") == 0)
		return parse_ids(value, &identity->vendor, &identity->device);
	if (strcmp(key, "subsystem") == 0)
		return parse_ids(value, &identity->subsystem_vendor, &identity->subsystem_device);
	if (strcmp(key, "class") == 0)
		return parse_class(value, &identity->class_code);
	if (strcmp(key, "serial") == 0)
		return parse_serial(value, identity->serial);
	return -ENOENT;
}

static int set_pin(const struct reading *reading, const char *name, struct pci_address address,
		   json_t *object)
{
	struct settings *settings = reading->settings;
	struct pin pin = { .address = address };
	const char *key;
	json_t *value;

	json_object_foreach(object, key, value) {
		int r = set_pin_member(&pin.identity, key, value);

		if (r == -ENOENT)
			return fault_unknown(reading, "pins", name, key, "id");
		if (r < 0)
			return fault(reading, "pins", name, key, "is not as pve-vfio wrote it");
	}
	if (!json_object_get(object, "id") || !json_object_get(object, "class"))
		return fault(reading, "pins", NULL, name, "lacks its 'id' or 'class'");
	if (array_reserve(&settings->pins, settings->pin_count, sizeof(pin)) < 0)
		return error_set_memory(reading->err);
	settings->pins[settings->pin_count++] = pin;
	return 0;
}

static int set_pins(const struct reading *reading, json_t *value)
{
	if (!json_is_object(value))
		return -EINVAL;
	return each_address(reading, "pins", value, set_pin);
}

/* -EINVAL of a setter means that the value is not what `wants` says. */
static const struct key {
	const char *name;
	int (*set)(const struct reading *reading, json_t *value);
	const char *wants;
} keys[] = {
	{ "after_stop", set_after_stop, "must be \"host\" or \"keep\"" },
	{ "siblings", set_siblings, "must be \"take\" or \"refuse\"" },
	{ "deadline_s", set_deadline, "must be a whole number of seconds from 1 to 3600" },
	{ "allow", set_allow, "must be an array of check ids" },
	{ "devices", set_devices, "must be an object of addresses" },
	{ "pins", set_pins, "must be an object of addresses" },
};

#define KEY_COUNT (sizeof(keys) / sizeof(*keys))

static const struct key *find_key(const char *name)
{
	for (size_t i = 0; i < KEY_COUNT; i++)
		if (strcmp(keys[i].name, name) == 0)
			return &keys[i];
	return NULL;
}

static const char *nearest_key(const char *name)
{
	const char *names[KEY_COUNT];

	for (size_t i = 0; i < KEY_COUNT; i++)
		names[i] = keys[i].name;
	return text_nearest(name, names, KEY_COUNT);
}

int settings_parse(const char *name, const char *data, size_t size, struct settings *settings,
		   struct error *err)
{
	struct reading reading = { name, data, size, settings, err };
	cleanup_json json_t *json = NULL;
	const char *member;
	json_t *value;
	int r;

	r = json_parse_object(name, data, size, &json, err);
	if (r < 0)
		return r;
	json_object_foreach(json, member, value) {
		const struct key *key = find_key(member);

		if (!key)
			return fault_unknown(&reading, NULL, NULL, member, nearest_key(member));
		r = key->set(&reading, value);
		if (r == -EINVAL)
			return fault(&reading, NULL, NULL, member, key->wants);
		if (r < 0)
			return r;
	}
	return 0;
}

static void vm_path(uint32_t vmid, char path[SYSROOT_PATH_MAX])
{
	snprintf(path, SYSROOT_PATH_MAX, "%s/%u.json", SETTINGS_VM_FOLDER, vmid);
}

static int read_file(const struct sysroot *root, const char *path, struct settings *settings,
		     struct error *err)
{
	cleanup_free char *data = NULL;
	size_t size;
	int r;

	r = sysroot_read(root, path + 1, SETTINGS_MAX, &data, &size);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return error_set(err, r, "cannot read %s: %s", path, strerror(-r));
	return settings_parse(path, data, size, settings, err);
}

int settings_read(const struct sysroot *root, uint32_t vmid, struct settings *ret,
		  struct error *err)
{
	cleanup_settings struct settings settings;
	char path[SYSROOT_PATH_MAX];
	int r;

	settings_init(&settings);
	r = read_file(root, SETTINGS_NODE_PATH, &settings, err);
	vm_path(vmid, path);
	if (r == 0 && vmid)
		r = read_file(root, path, &settings, err);
	if (r < 0)
		return r;
	*ret = settings;
	settings = (struct settings){ 0 };
	return 0;
}

void settings_init(struct settings *settings)
{
	*settings = (struct settings){ .deadline_s = SETTINGS_DEADLINE_S };
}

void settings_done(struct settings *settings)
{
	strings_done(&settings->allow);
	free(settings->devices);
	free(settings->pins);
	*settings = (struct settings){ 0 };
}

bool settings_keep(const struct settings *settings, struct pci_address address)
{
	for (size_t i = 0; i < settings->device_count; i++)
		if (pci_address_equal(settings->devices[i].address, address) &&
		    settings->devices[i].has_keep)
			return settings->devices[i].keep;
	return settings->keep;
}

const struct pin *settings_pin(const struct settings *settings, struct pci_address address)
{
	for (size_t i = 0; i < settings->pin_count; i++)
		if (pci_address_equal(settings->pins[i].address, address))
			return &settings->pins[i];
	return NULL;
}

static json_t *pin_json(const struct pci_identity *identity)
{
	char id[10], subsystem[10], class_code[8];
	json_t *json;

	snprintf(id, sizeof(id), "%04x:%04x", identity->vendor, identity->device);
	snprintf(subsystem, sizeof(subsystem), "%04x:%04x", identity->subsystem_vendor,
		 identity->subsystem_device);
	snprintf(class_code, sizeof(class_code), "%06x", identity->class_code & 0xffffff);
	json = json_pack("{s:s, s:s, s:s}", "id", id, "subsystem", subsystem, "class", class_code);
	if (json && *identity->serial)
		json_object_set_new(json, "serial", json_string(identity->serial));
	return json;
}

static json_t *devices_json(const struct settings *settings)
{
	json_t *json = json_object();

	for (size_t i = 0; i < settings->device_count; i++) {
		const struct device_settings *device = &settings->devices[i];
		json_t *member = json_object();
		char name[PCI_ADDRESS_TEXT];

		if (device->has_keep)
			json_object_set_new(member, "after_stop",
					    json_string(device->keep ? "keep" : "host"));
		json_object_set_new(json, pci_address_format(device->address, name), member);
	}
	return json;
}

json_t *settings_json(const struct settings *settings)
{
	json_t *allow = json_array(), *pins = json_object();

	for (size_t i = 0; i < settings->allow.count; i++)
		json_array_append_new(allow, json_string(settings->allow.items[i]));
	for (size_t i = 0; i < settings->pin_count; i++) {
		char name[PCI_ADDRESS_TEXT];

		json_object_set_new(pins, pci_address_format(settings->pins[i].address, name),
				    pin_json(&settings->pins[i].identity));
	}
	return json_pack("{s:s, s:s, s:i, s:o, s:o, s:o}", "after_stop",
			 settings->keep ? "keep" : "host", "siblings",
			 settings->refuse_siblings ? "refuse" : "take", "deadline_s",
			 (int)settings->deadline_s, "allow", allow, "devices",
			 devices_json(settings), "pins", pins);
}

/* The folder is made at the first pin; pmxcfs keeps what other programs put below /etc/pve. */
static int open_folder(const struct sysroot *root)
{
	cleanup_close int parent = sysroot_openat(root, "etc/pve", O_PATH | O_DIRECTORY);
	const char *name = strrchr(SETTINGS_VM_FOLDER, '/') + 1;
	int fd;

	if (parent < 0)
		return parent;
	if (mkdirat(parent, name, 0755) < 0 && errno != EEXIST)
		return -errno;
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int read_document(const struct sysroot *root, const char *path, json_t **ret,
			 struct error *err)
{
	cleanup_free char *data = NULL;
	size_t size;
	int r;

	r = sysroot_read(root, path + 1, SETTINGS_MAX, &data, &size);
	if (r == -ENOENT) {
		*ret = json_object();
		return 0;
	}
	if (r < 0)
		return error_set(err, r, "cannot read %s: %s", path, strerror(-r));
	return json_parse_object(path, data, size, ret, err);
}

static char *add_pins(json_t *document, const struct pin *pins, size_t count)
{
	cleanup_free char *text = NULL;
	json_t *members = json_object_get(document, "pins");

	if (!members) {
		members = json_object();
		json_object_set_new(document, "pins", members);
	}
	for (size_t i = 0; i < count; i++) {
		char name[PCI_ADDRESS_TEXT];

		pci_address_format(pins[i].address, name);
		if (!json_object_get(members, name))
			json_object_set_new(members, name, pin_json(&pins[i].identity));
	}
	text = json_dumps(document, JSON_INDENT(2));
	return text ? text_format("%s\n", text) : NULL;
}

int settings_add_pins(const struct sysroot *root, uint32_t vmid, const struct pin *pins,
		      size_t count, struct error *err)
{
	cleanup_json json_t *document = NULL;
	cleanup_free char *text = NULL;
	cleanup_close int folder = -1;
	char path[SYSROOT_PATH_MAX];
	int r;

	vm_path(vmid, path);
	r = read_document(root, path, &document, err);
	if (r < 0)
		return r;
	text = add_pins(document, pins, count);
	if (!text)
		return error_set_memory(err);
	folder = open_folder(root);
	r = folder < 0 ? folder
		       : file_replace_at(folder, strrchr(path, '/') + 1, text, strlen(text));
	if (r < 0)
		return error_set(err, r, "cannot write %s: %s", path, strerror(-r));
	return 0;
}
