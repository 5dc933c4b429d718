/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: the conditions under which a known trouble is one. A condition is a row of the table. */
#include "check/condition.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/number.h"
#include "host/module.h"
#include "host/package.h"

/* ---- what the values of conditions look like */

static bool is_hex_id(const json_t *value)
{
	uint64_t number;

	return json_is_string(value) && json_string_length(value) == 4 &&
	       parse_number(json_string_value(value), 4, 16, 0xffff, &number) == 0;
}

static bool is_strings(const json_t *value)
{
	json_t *item;
	size_t i;

	if (!json_is_array(value) || json_array_size(value) == 0)
		return false;
	json_array_foreach(value, i, item)
		if (!json_is_string(item))
			return false;
	return true;
}

static bool is_one_of(const json_t *value, const char *const words[])
{
	for (; *words; words++)
		if (json_is_string(value) && strcmp(json_string_value(value), *words) == 0)
			return true;
	return false;
}

static bool has_only(json_t *object, const char *const keys[], struct error *err)
{
	size_t count = 0;
	const char *key;
	const json_t *value;

	while (keys[count])
		count++;
	json_object_foreach(object, key, value) {
		size_t i = 0;

		while (i < count && strcmp(keys[i], key) != 0)
			i++;
		if (i == count) {
			error_set(err, -EBADMSG, "unknown key '%.40s'; did you mean '%s'?", key,
				  text_nearest(key, keys, count));
			return false;
		}
	}
	return true;
}

/* ---- conditions: each knows whether a value is one, and whether it is met */

static int check_devices(json_t *value, struct error *err)
{
	static const char *const keys[] = { "vendor", "ids",	   "from", "to",
					    "class",  "subsystem", NULL };
	json_t *item;
	const json_t *id;
	size_t i, k;

	if (!json_is_array(value) || json_array_size(value) == 0)
		return error_set(err, -EBADMSG, "devices is not a list");
	json_array_foreach(value, i, item) {
		const json_t *class = json_object_get(item, "class");
		const json_t *ids = json_object_get(item, "ids");

		if (!json_is_object(item) ||
		    !(json_object_get(item, "vendor") || json_object_get(item, "class")))
			return error_set(err, -EBADMSG, "an entry of devices has no vendor");
		if (!has_only(item, keys, err))
			return -EBADMSG;
		for (k = 0; k < 4; k++) {
			static const char *const hex[] = { "vendor", "from", "to", "subsystem" };

			id = json_object_get(item, hex[k]);
			if (id && !is_hex_id(id))
				return error_set(err, -EBADMSG, "%s is not an id of four digits",
						 hex[k]);
		}
		if (ids && !is_strings(ids))
			return error_set(err, -EBADMSG, "ids is not a list of ids");
		json_array_foreach(ids, k, id)
			if (!is_hex_id(id))
				return error_set(err, -EBADMSG,
						 "ids has one that is not of four digits");
		if (class && (!json_is_string(class) || json_string_length(class) > 6))
			return error_set(err, -EBADMSG, "class is not the beginning of a class");
	}
	return 0;
}

static int check_kernel(json_t *value, struct error *err)
{
	static const char *const keys[] = { "from", "before", "flavour", NULL };
	json_t *item;
	size_t i;

	if (!json_is_array(value) || json_array_size(value) == 0)
		return error_set(err, -EBADMSG, "kernel is not a list of ranges");
	json_array_foreach(value, i, item) {
		const json_t *flavour = json_object_get(item, "flavour");

		if (!json_is_object(item))
			return error_set(err, -EBADMSG, "a range of kernel is not an object");
		if (!has_only(item, keys, err))
			return -EBADMSG;
		for (size_t k = 0; k < 2; k++) {
			const json_t *limit = json_object_get(item, keys[k]);
			struct kernel_version version;

			if (limit && (!json_is_string(limit) ||
				      kernel_version_parse(json_string_value(limit), &version) < 0))
				return error_set(err, -EBADMSG,
						 "kernel.%s is not a version such as \"6.8\"",
						 keys[k]);
		}
		if (flavour && !json_is_string(flavour))
			return error_set(err, -EBADMSG, "kernel.flavour is not a word");
	}
	return 0;
}

/* A build's number, as in 6.8.12-12, only compares within one distribution: name the flavour. */
static bool meets_kernel(json_t *value, const struct quirk_target *target)
{
	struct kernel_version running, limit;
	json_t *item;
	size_t i;

	if (kernel_version_parse(target->release, &running) < 0)
		return false;
	json_array_foreach(value, i, item) {
		const char *from = json_string_value(json_object_get(item, "from"));
		const char *before = json_string_value(json_object_get(item, "before"));
		const char *flavour = json_string_value(json_object_get(item, "flavour"));

		if (from && kernel_version_parse(from, &limit) == 0 &&
		    kernel_version_compare(running, limit) < 0)
			continue;
		if (before && kernel_version_parse(before, &limit) == 0 &&
		    kernel_version_compare(running, limit) >= 0)
			continue;
		if (!flavour || kernel_is_flavour(target->release, flavour))
			return true;
	}
	return false;
}

static int check_strings(json_t *value, struct error *err)
{
	return is_strings(value) ? 0 : error_set(err, -EBADMSG, "it is not a list of words");
}

static bool meets_drivers(json_t *value, const struct quirk_target *target)
{
	json_t *item;
	size_t i;

	json_array_foreach(value, i, item)
		if (text_equal(target->device->driver, json_string_value(item)))
			return true;
	return false;
}

static bool meets_modules(json_t *value, const struct quirk_target *target)
{
	json_t *item;
	size_t i;

	json_array_foreach(value, i, item)
		if (module_is_present(target->root, json_string_value(item)))
			return true;
	return false;
}

static bool meets_unless_modules(json_t *value, const struct quirk_target *target)
{
	return !meets_modules(value, target);
}

static int check_bool(json_t *value, struct error *err)
{
	return json_is_boolean(value) ? 0 : error_set(err, -EBADMSG, "it is not true or false");
}

static bool meets_virtual(json_t *value, const struct quirk_target *target)
{
	char path[SYSROOT_PATH_MAX];

	pci_attribute_path(path, target->device->name, "physfn");
	return json_is_true(value) == sysroot_exists(target->root, path);
}

static bool meets_boot_display(json_t *value, const struct quirk_target *target)
{
	cleanup_free char *first = NULL;
	char path[SYSROOT_PATH_MAX];

	pci_attribute_path(path, target->device->name, "boot_vga");
	(void)sysroot_read_attribute(target->root, path, &first);
	return json_is_true(value) == text_equal(first, "1");
}

/* "reset": the methods the kernel has for it begin with this one; "" for none. */
static int check_word(json_t *value, struct error *err)
{
	return json_is_string(value) ? 0 : error_set(err, -EBADMSG, "it is not a word");
}

static bool meets_reset(json_t *value, const struct quirk_target *target)
{
	cleanup_free char *methods = NULL;
	char path[SYSROOT_PATH_MAX];
	const char *wanted = json_string_value(value);

	pci_attribute_path(path, target->device->name, "reset_method");
	(void)sysroot_read_attribute(target->root, path, &methods);
	if (!methods || !*wanted)
		return !methods && !*wanted;
	return strncmp(methods, wanted, strlen(wanted)) == 0 &&
	       strchr(" ", methods[strlen(wanted)]);
}

static int check_packages(json_t *value, struct error *err)
{
	static const char *const keys[] = { "from", "before", NULL };
	const char *name;
	json_t *range;

	if (!json_is_object(value))
		return error_set(err, -EBADMSG, "packages is not an object");
	json_object_foreach(value, name, range) {
		if (!json_is_object(range))
			return error_set(err, -EBADMSG, "packages.%.40s is not an object", name);
		if (!has_only(range, keys, err))
			return -EBADMSG;
		for (size_t i = 0; i < 2; i++) {
			const json_t *limit = json_object_get(range, keys[i]);

			if (limit && !json_is_string(limit))
				return error_set(err, -EBADMSG,
						 "packages.%.40s.%s is not a version", name,
						 keys[i]);
		}
	}
	return 0;
}

/* A version of up to three numbers, as package_is_older() takes it. */
static bool is_older(const char *version, const char *than)
{
	unsigned numbers[3] = { 0 };

	for (size_t i = 0; i < 3 && *than; i++) {
		size_t size = strspn(than, "0123456789");
		uint64_t number;

		if (parse_number(than, size, 10, UINT16_MAX, &number) < 0)
			break;
		numbers[i] = (unsigned)number;
		than += size + (than[size] != '\0');
	}
	return package_is_older(version, numbers);
}

static bool meets_packages(json_t *value, const struct quirk_target *target)
{
	const char *name;
	json_t *range;

	json_object_foreach(value, name, range) {
		const char *from = json_string_value(json_object_get(range, "from"));
		const char *before = json_string_value(json_object_get(range, "before"));
		cleanup_free char *version = NULL;

		if (package_versions(target->root, &name, 1, &version) < 0 || !version)
			return false;
		if ((from && is_older(version, from)) || (before && !is_older(version, before)))
			return false;
	}
	return true;
}

/* The kernel's command line has the parameter: "iommu", or "iommu=pt" with that value. */
static bool meets_parameter(json_t *value, const struct quirk_target *target)
{
	cleanup_free char *line = NULL, *name = strdup(json_string_value(value)), *found = NULL;
	char *wanted = name ? strchr(name, '=') : NULL;

	if (!name || sysroot_read_attribute(target->root, "proc/cmdline", &line) < 0)
		return false;
	if (wanted)
		*wanted++ = '\0';
	found = kernel_parameter(line, name);
	return found && (!wanted || strcmp(found, wanted) == 0);
}

static bool meets_unless_parameter(json_t *value, const struct quirk_target *target)
{
	return !meets_parameter(value, target);
}

static int check_firmware(json_t *value, struct error *err)
{
	static const char *const keys[] = { "sys_vendor", "product_name", "board_vendor",
					    "board_name", "bios_vendor",  "bios_version",
					    NULL };
	const char *key;
	json_t *item;

	if (!json_is_object(value))
		return error_set(err, -EBADMSG, "firmware is not an object");
	if (!has_only(value, keys, err))
		return -EBADMSG;
	json_object_foreach(value, key, item)
		if (!json_is_string(item))
			return error_set(err, -EBADMSG, "firmware.%s is not a text", key);
	return 0;
}

/* The firmware's names of the machine hold these words: /sys/class/dmi/id. */
static bool meets_firmware(json_t *value, const struct quirk_target *target)
{
	const char *key;
	json_t *item;

	json_object_foreach(value, key, item) {
		cleanup_free char *name = NULL;
		char path[SYSROOT_PATH_MAX];

		snprintf(path, sizeof(path), "sys/class/dmi/id/%s", key);
		if (sysroot_read_attribute(target->root, path, &name) < 0 ||
		    !strstr(name, json_string_value(item)))
			return false;
	}
	return true;
}

static int check_vm(json_t *value, struct error *err)
{
	static const char *const keys[] = { "bios",    "machine", "os",	  "memory_from_mib",
					    "romfile", "rombar",  "args", NULL };
	static const struct {
		const char *key, *const words[3];
	} rows[] = {
		{ "bios", { "seabios", "ovmf", NULL } },
		{ "machine", { "q35", "i440fx", NULL } },
		{ "os", { "windows", "linux", NULL } },
	};

	if (!json_is_object(value))
		return error_set(err, -EBADMSG, "vm is not an object");
	if (!has_only(value, keys, err))
		return -EBADMSG;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const json_t *word = json_object_get(value, rows[i].key);

		if (word && !is_one_of(word, rows[i].words))
			return error_set(err, -EBADMSG, "vm.%s is neither %s nor %s", rows[i].key,
					 rows[i].words[0], rows[i].words[1]);
	}
	if (json_object_get(value, "memory_from_mib") &&
	    !json_is_integer(json_object_get(value, "memory_from_mib")))
		return error_set(err, -EBADMSG, "vm.memory_from_mib is not a number");
	for (size_t i = 4; i < 6; i++)
		if (json_object_get(value, keys[i]) &&
		    !json_is_boolean(json_object_get(value, keys[i])))
			return error_set(err, -EBADMSG, "vm.%s is not true or false", keys[i]);
	if (json_object_get(value, "args") && !json_is_string(json_object_get(value, "args")))
		return error_set(err, -EBADMSG, "vm.args is not a text");
	return 0;
}

static bool meets_word(const json_t *vm, const char *key, const char *is)
{
	const char *wanted = json_string_value(json_object_get(vm, key));

	return !wanted || strcmp(wanted, is) == 0;
}

static bool meets_flag(const json_t *vm, const char *key, const struct vm_hostpci *line, bool is)
{
	const json_t *wanted = json_object_get(vm, key);

	return !wanted || (line && json_is_true(wanted) == is);
}

/* Proxmox VE's defaults: SeaBIOS, i440fx, no Windows, 512 MiB ("memory" may be "current=N,..."). */
static bool meets_vm(json_t *vm, const struct quirk_target *target)
{
	const struct vm_config *config = target->config;
	const struct vm_hostpci *line = target->line;
	const char *wanted = json_string_value(json_object_get(vm, "args"));
	const char *bios, *os, *memory, *args;
	uint64_t mib = 512;

	if (!config)
		return false;
	bios = vm_config_get(config, "bios");
	os = vm_config_get(config, "ostype");
	memory = vm_config_get(config, "memory");
	args = vm_config_get(config, "args");
	if (memory && text_starts_with(memory, "current="))
		memory += strlen("current=");
	if (memory)
		(void)parse_number(memory, strspn(memory, "0123456789"), 10, UINT32_MAX, &mib);
	return meets_word(vm, "bios", bios ? bios : "seabios") &&
	       meets_word(vm, "machine", vm_config_is_q35(config) ? "q35" : "i440fx") &&
	       meets_word(vm, "os", os && os[0] == 'w' ? "windows" : "linux") &&
	       mib >= (uint64_t)json_integer_value(json_object_get(vm, "memory_from_mib")) &&
	       meets_flag(vm, "romfile", line, line && line->hostpci.romfile) &&
	       meets_flag(vm, "rombar", line, line && line->hostpci.rombar) &&
	       (!wanted || (args && strstr(args, wanted)));
}

/* In the order in which they are asked, the cheap ones that seldom fit first. */
static const struct condition {
	const char *key;
	int (*check)(json_t *value, struct error *err);
	bool (*meets)(json_t *value, const struct quirk_target *target);
	bool host; /* the same for all devices */
} conditions[] = {
	{ "devices", check_devices, NULL, false }, /* device_patterns_meet(), before all others */
	{ "drivers", check_strings, meets_drivers, false },
	{ "kernel", check_kernel, meets_kernel, true },
	{ "vm", check_vm, meets_vm, false },
	{ "virtual", check_bool, meets_virtual, false },
	{ "boot_display", check_bool, meets_boot_display, false },
	{ "reset", check_word, meets_reset, false },
	{ "modules", check_strings, meets_modules, true },
	{ "unless_modules", check_strings, meets_unless_modules, true },
	{ "firmware", check_firmware, meets_firmware, true },
	{ "parameter", check_word, meets_parameter, true },
	{ "unless_parameter", check_word, meets_unless_parameter, true },
	{ "packages", check_packages, meets_packages, true },
};

#define CONDITION_COUNT (ARRAY_SIZE(conditions))

static bool meet(json_t *entry, const struct quirk_target *target, bool host)
{
	for (size_t i = 0; i < CONDITION_COUNT; i++) {
		json_t *value = NULL;

		if (conditions[i].host == host && conditions[i].meets)
			value = json_object_get(entry, conditions[i].key);
		if (value && !conditions[i].meets(value, target))
			return false;
	}
	return true;
}

bool conditions_meet_host(json_t *entry, const struct quirk_target *target)
{
	return meet(entry, target, true);
}

bool conditions_meet_device(json_t *entry, const struct quirk_target *target)
{
	return meet(entry, target, false);
}

int conditions_check(json_t *entry, const char *const others[], struct error *err)
{
	const char *keys[CONDITION_COUNT + 8] = { NULL };
	size_t count = 0;

	for (; others[count]; count++)
		keys[count] = others[count];
	for (size_t i = 0; i < CONDITION_COUNT; i++)
		keys[count++] = conditions[i].key;
	if (!has_only(entry, keys, err))
		return -EBADMSG;
	for (size_t i = 0; i < CONDITION_COUNT; i++) {
		json_t *value = json_object_get(entry, conditions[i].key);
		struct error reason = { 0 };

		if (value && conditions[i].check(value, &reason) < 0)
			return error_set(err, -EBADMSG, "%s: %s", conditions[i].key,
					 reason.message);
	}
	return json_object_get(entry, "devices")
		       ? 0
		       : error_set(err, -EBADMSG, "there is no 'devices' in it");
}
