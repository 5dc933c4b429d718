/* SPDX-License-Identifier: GPL-2.0-or-later */
/* settings: settings. Guesses nothing: what is not understood is an error with file, line and key. */
#include "settings/settings.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/json.h"
#include "base/number.h"
#include "host/unit.h"

#define DEADLINE_MAX_S 3600

/* The bits of resourceN_resize are 64: Documentation/ABI/testing/sysfs-bus-pci. */
#define RESIZE_MAX_MIB ((json_int_t)1 << 31)

/* What names of drivers, modules and reset methods are made of, and their length. */
#define NAME_LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
#define WORD_MAX     64

/* A document while it is read. */
struct reading {
	const char *name;
	const char *data; /* not terminated */
	size_t size;
	struct settings *settings;
	struct error *err;
};

/*
 * The line a key is in. jansson keeps no places, so the text is searched: for the keys of the
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
	cleanup_free char *words = text_format("is not a setting; did you mean '%s'?", nearest);

	return fault(reading, outer, inner, key, words ? words : "is not a setting");
}

/* Setters return -EINVAL for a value that is not what the key's `wants` says. */

/* One of two words; the first is `false`. */
static int parse_choice(const json_t *value, const char *first, const char *second, bool *ret)
{
	const char *word = json_string_value(value);

	if (!word || (strcmp(word, first) != 0 && strcmp(word, second) != 0))
		return -EINVAL;
	*ret = strcmp(word, second) == 0;
	return 0;
}

static int parse_bool(const json_t *value, bool *ret)
{
	if (!json_is_boolean(value))
		return -EINVAL;
	*ret = json_is_true(value);
	return 0;
}

/* A word that fits `letters`, copied over the one that is there. */
static int parse_word(const json_t *value, const char *letters, char **ret)
{
	const char *word = json_string_value(value);
	char *copy;

	if (!word || !*word || strlen(word) >= WORD_MAX || word[strspn(word, letters)] != '\0')
		return -EINVAL;
	copy = strdup(word);
	if (!copy)
		return -ENOMEM;
	free(*ret);
	*ret = copy;
	return 0;
}

/* An array of strings that replaces the one of the other file. */
static int parse_list(const struct reading *reading, const json_t *value,
		      bool (*is_valid)(const char *item), struct strings *ret)
{
	if (!json_is_array(value))
		return -EINVAL;
	strings_done(ret);
	for (size_t i = 0; i < json_array_size(value); i++) {
		const char *item = json_string_value(json_array_get(value, i));

		if (!item || !is_valid(item))
			return -EINVAL;
		if (strings_add(ret, item) < 0)
			return error_set_memory(reading->err);
	}
	return 0;
}

static int set_after_stop(const struct reading *reading, json_t *value)
{
	return parse_choice(value, "host", "keep", &reading->settings->keep);
}

static int set_siblings(const struct reading *reading, json_t *value)
{
	return parse_choice(value, "take", "refuse", &reading->settings->refuse_siblings);
}

static int set_console(const struct reading *reading, json_t *value)
{
	return parse_choice(value, "release", "leave", &reading->settings->leave_console);
}

static int set_notify(const struct reading *reading, json_t *value)
{
	return parse_bool(value, &reading->settings->notify);
}

static int set_trace(const struct reading *reading, json_t *value)
{
	return parse_bool(value, &reading->settings->trace);
}

static int set_compact_memory(const struct reading *reading, json_t *value)
{
	return parse_bool(value, &reading->settings->compact_memory);
}

static int set_driver(const struct reading *reading, json_t *value)
{
	return parse_word(value, NAME_LETTERS, &reading->settings->driver);
}

static int set_stop_units(const struct reading *reading, json_t *value)
{
	return parse_list(reading, value, unit_name_is_service, &reading->settings->stop_units);
}

static bool is_module_name(const char *name)
{
	return *name && strlen(name) < WORD_MAX && name[strspn(name, NAME_LETTERS)] == '\0';
}

static int set_unload_modules(const struct reading *reading, json_t *value)
{
	return parse_list(reading, value, is_module_name, &reading->settings->unload_modules);
}

static int set_deadline(const struct reading *reading, json_t *value)
{
	json_int_t seconds = json_integer_value(value);

	if (!json_is_integer(value) || seconds < 1 || seconds > DEADLINE_MAX_S)
		return -EINVAL;
	reading->settings->deadline_s = (unsigned)seconds;
	return 0;
}

static bool is_check_id(const char *id)
{
	return *id != '\0';
}

/* Whether there is such a check is said where they are known: mark_allowed() in check/start.c. */
static int set_allow(const struct reading *reading, json_t *value)
{
	return parse_list(reading, value, is_check_id, &reading->settings->allow);
}

static int set_displace(const struct reading *reading, json_t *value)
{
	int r = displace_parse(value, &reading->settings->displace);

	return r == -ENOMEM ? error_set_memory(reading->err) : r;
}

/* null takes away what the node's file sets. */
static int set_chain(const struct reading *reading, json_t *value)
{
	const char *volume = json_string_value(value);
	char *copy = volume ? strdup(volume) : NULL;

	if (!json_is_null(value) && (!volume || !strchr(volume, ':'))) {
		free(copy);
		return -EINVAL;
	}
	if (volume && !copy)
		return error_set_memory(reading->err);
	free(reading->settings->chain);
	reading->settings->chain = copy;
	return 0;
}

static int set_device_after_stop(struct device_settings *device, json_t *value)
{
	device->has_keep = true;
	return parse_choice(value, "host", "keep", &device->keep);
}

/* Leaves one blank between words, as the kernel shows them, and none around. */
static void squeeze(char *words)
{
	char *to = words;

	for (const char *at = words; *at; at++)
		if (*at != ' ' || (to > words && to[-1] != ' '))
			*to++ = *at;
	if (to > words && to[-1] == ' ')
		to--;
	*to = '\0';
}

/* "flr bus": names in the order in which the kernel is to try them; none would forbid a reset. */
static int set_reset_method(struct device_settings *device, json_t *value)
{
	int r = parse_word(value, NAME_LETTERS " ", &device->reset_method);

	if (r < 0)
		return r;
	squeeze(device->reset_method);
	return *device->reset_method ? 0 : -EINVAL;
}

static int set_d3cold(struct device_settings *device, json_t *value)
{
	device->has_d3cold = true;
	return parse_bool(value, &device->d3cold);
}

static int set_power(struct device_settings *device, json_t *value)
{
	device->has_power = true;
	return parse_choice(value, "auto", "on", &device->power_on);
}

/* {"1": 8192}: the size of BAR 1 in MiB. */
static int set_resize_bar(struct device_settings *device, json_t *value)
{
	const char *bar;
	json_t *size;

	if (!json_is_object(value))
		return -EINVAL;
	json_object_foreach(value, bar, size) {
		json_int_t mib = json_integer_value(size);

		if (*bar < '0' || *bar >= '0' + PCI_BAR_COUNT || bar[1] != '\0' ||
		    !json_is_integer(size) || mib < 1 || mib > RESIZE_MAX_MIB ||
		    (mib & (mib - 1)) != 0)
			return -EINVAL;
		device->resize_bar[*bar - '0'] = (unsigned)mib;
	}
	return 0;
}

static int set_rescan(struct device_settings *device, json_t *value)
{
	return parse_bool(value, &device->rescan);
}

static const struct device_key {
	const char *name;
	int (*set)(struct device_settings *device, json_t *value);
	const char *wants;
} device_keys[] = {
	{ "after_stop", set_device_after_stop, "must be \"host\" or \"keep\"" },
	{ "reset_method", set_reset_method,
	  "must be words of the device's reset_method, such as \"flr bus\"" },
	{ "d3cold", set_d3cold, "must be true or false" },
	{ "power", set_power, "must be \"auto\" or \"on\"" },
	{ "resize_bar", set_resize_bar,
	  "must be an object of sizes in MiB, powers of two, by the BAR's number: {\"1\": 8192}" },
	{ "rescan", set_rescan, "must be true or false" },
	{ "mac", vf_set_mac,
	  "must be the address of one network card, such as \"bc:24:11:00:00:01\"" },
	{ "vlan", vf_set_vlan,
	  "must be a VLAN from 0 (none) to 4094, or such as {\"id\": 100, \"qos\": 3, "
	  "\"protocol\": \"802.1ad\"}" },
	{ "trust", vf_set_trust, "must be true or false" },
	{ "spoofcheck", vf_set_spoof_check, "must be true or false" },
	{ "link_state", vf_set_link_state, "must be \"auto\", \"enable\" or \"disable\"" },
	{ "rate", vf_set_rate,
	  "must be such as {\"min\": 100, \"max\": 1000}, in Mbit/s; 0 is no limit" },
};

#define DEVICE_KEY_COUNT ARRAY_SIZE(device_keys)

static int set_device_member(const struct reading *reading, const char *name,
			     struct device_settings *device, const char *key, json_t *value)
{
	const char *names[DEVICE_KEY_COUNT];

	for (size_t i = 0; i < DEVICE_KEY_COUNT; i++) {
		int r;

		names[i] = device_keys[i].name;
		if (strcmp(names[i], key) != 0)
			continue;
		r = device_keys[i].set(device, value);
		if (r == -ENOMEM)
			return error_set_memory(reading->err);
		return r < 0 ? fault(reading, "devices", name, key, device_keys[i].wants) : 0;
	}
	return fault_unknown(reading, "devices", name, key,
			     text_nearest(key, names, DEVICE_KEY_COUNT));
}

static int set_device(const struct reading *reading, const char *name, json_t *object)
{
	struct device_settings *device = settings_device_add(reading->settings, name);
	const char *key;
	json_t *value;
	int r = 0;

	if (!device)
		return error_set_memory(reading->err);
	json_object_foreach(object, key, value) {
		r = set_device_member(reading, name, device, key, value);
		if (r < 0)
			return r;
	}
	return 0;
}

/* "hostpci0", or what may be a mapping: pve-configid in pve-common's JSONSchema.pm. */
static bool is_line_or_mapping(const char *name)
{
	return isalpha((unsigned char)*name) && strlen(name) >= 2 &&
	       name[strspn(name, NAME_LETTERS)] == '\0';
}

static int set_devices(const struct reading *reading, json_t *value)
{
	struct pci_address address;
	const char *name;
	json_t *member;

	if (!json_is_object(value))
		return -EINVAL;
	json_object_foreach(value, name, member) {
		int r;

		if (pci_address_parse(name, &address) < 0 && !is_line_or_mapping(name))
			return fault(reading, "devices", NULL, name,
				     "is not a full PCI address such as 0000:01:00.0, nor a line "
				     "such as hostpci0, nor the name of a resource mapping");
		if (!json_is_object(member))
			return fault(reading, "devices", NULL, name, "must be an object");
		r = set_device(reading, name, member);
		if (r < 0)
			return r;
	}
	return 0;
}

static int add_pin(const struct reading *reading, const char *node, const char *name,
		   struct pci_address address, json_t *object)
{
	struct settings *settings = reading->settings;
	struct pin pin = { .address = address };
	const char *key;
	json_t *value;

	json_object_foreach(object, key, value) {
		int r = pin_set_member(&pin.identity, key, value);

		if (r == -ENOENT)
			return fault_unknown(reading, "pins", name, key, "id");
		if (r < 0)
			return fault(reading, "pins", name, key, "is not as pve-vfio wrote it");
	}
	if (!json_object_get(object, "id") || !json_object_get(object, "class"))
		return fault(reading, "pins", NULL, name, "lacks its 'id' or 'class'");
	snprintf(pin.node, sizeof(pin.node), "%s", node);
	if (array_reserve(&settings->pins, settings->pin_count, sizeof(pin)) < 0)
		return error_set_memory(reading->err);
	settings->pins[settings->pin_count++] = pin;
	return 0;
}

/* One member of "pins": of a node, {"nodes/pve1": {ADDRESS: …}}, or of none, as 0.1 wrote it. */
static int set_pins_member(const struct reading *reading, const char *name, json_t *value)
{
	const char *node = text_starts_with(name, PIN_NODES) ? name + strlen(PIN_NODES) : "";
	struct pci_address address;
	const char *key;
	json_t *member;

	if (!json_is_object(value))
		return fault(reading, "pins", NULL, name, "must be an object");
	if (!*node) {
		if (pci_address_parse(name, &address) < 0)
			return fault(
				reading, "pins", NULL, name,
				"is neither a node nor a full PCI address such as 0000:01:00.0");
		return add_pin(reading, node, name, address, value);
	}
	json_object_foreach(value, key, member) {
		int r;

		if (pci_address_parse(key, &address) < 0 || !json_is_object(member))
			return fault(reading, "pins", name, key,
				     "is not a full PCI address with an object");
		r = add_pin(reading, node, key, address, member);
		if (r < 0)
			return r;
	}
	return 0;
}

static int set_pins(const struct reading *reading, json_t *value)
{
	const char *name;
	json_t *member;

	if (!json_is_object(value))
		return -EINVAL;
	json_object_foreach(value, name, member) {
		int r = set_pins_member(reading, name, member);

		if (r < 0)
			return r;
	}
	return 0;
}

static int set_vm(const struct reading *reading, json_t *value)
{
	struct vm_identity vm = { 0 };
	const char *key;
	json_t *member;

	json_object_foreach(value, key, member) {
		const char *uuid = json_string_value(member);

		if (strcmp(key, "uuid") == 0 && uuid && strlen(uuid) < sizeof(vm.uuid))
			snprintf(vm.uuid, sizeof(vm.uuid), "%s", uuid);
		else if (strcmp(key, "ctime") == 0 && json_integer_value(member) > 0)
			vm.ctime = (uint64_t)json_integer_value(member);
		else
			return -EINVAL;
	}
	if (!vm_identity_is_known(&vm))
		return -EINVAL;
	reading->settings->vm = vm;
	return 0;
}

static const struct key {
	const char *name;
	int (*set)(const struct reading *reading, json_t *value);
	const char *wants;
} keys[] = {
	{ "after_stop", set_after_stop, "must be \"host\" or \"keep\"" },
	{ "siblings", set_siblings, "must be \"take\" or \"refuse\"" },
	{ "deadline_s", set_deadline, "must be a whole number of seconds from 1 to 3600" },
	{ "driver", set_driver, "must be \"auto\" or the name of a VFIO driver" },
	{ "stop_units", set_stop_units, "must be an array of services: [\"NAME.service\"]" },
	{ "unload_modules", set_unload_modules, "must be an array of kernel modules" },
	{ "console", set_console, "must be \"release\" or \"leave\"" },
	{ "compact_memory", set_compact_memory, "must be true or false" },
	{ "trace", set_trace, "must be true or false" },
	{ "notify", set_notify, "must be true or false" },
	{ "displace", set_displace,
	  "must be such as {\"guests\": [101, 200], \"how\": \"shutdown\", \"timeout_s\": 60, "
	  "\"start_again\": true}, with \"any\" for all guests and \"stop\" for how; or null" },
	{ "allow", set_allow, "must be an array of check ids" },
	{ "chain", set_chain, "must be a volume such as \"local:snippets/NAME\", or null" },
	{ "devices", set_devices, "must be an object of addresses, lines or mappings" },
	{ "pins", set_pins, "must be an object of addresses" },
	{ "vm", set_vm, "must be an object with the uuid of the VM, its ctime, or both" },
};

#define KEY_COUNT ARRAY_SIZE(keys)

static const struct key *find_key(const char *name)
{
	int at = TABLE_FIND(keys, name);

	return at < 0 ? NULL : &keys[at];
}

const char *settings_key_name(size_t at)
{
	if (at < KEY_COUNT)
		return keys[at].name;
	return at - KEY_COUNT < DEVICE_KEY_COUNT ? device_keys[at - KEY_COUNT].name : NULL;
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
		if (r == -ENOMEM)
			return error_set_memory(err);
		if (r == -EINVAL)
			return fault(&reading, NULL, NULL, member, key->wants);
		if (r < 0)
			return r;
	}
	return 0;
}

void settings_init(struct settings *settings)
{
	*settings = (struct settings){ .deadline_s = SETTINGS_DEADLINE_S, .notify = true };
}

void settings_done(struct settings *settings)
{
	for (size_t i = 0; i < settings->device_count; i++) {
		free(settings->devices[i].name);
		free(settings->devices[i].reset_method);
	}
	free(settings->devices);
	free(settings->pins);
	free(settings->driver);
	free(settings->chain);
	strings_done(&settings->stop_units);
	strings_done(&settings->unload_modules);
	displace_done(&settings->displace);
	strings_done(&settings->allow);
	*settings = (struct settings){ 0 };
}
