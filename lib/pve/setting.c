/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pve: the values of settings. Looks at no device. */
#include "pve/setting.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/array.h"
#include "base/number.h"
#include "base/text.h"
#include "pve/property.h"
#include "pve/schema.h"
#include "pve/version.h"

#define DIGITS "0123456789"
#define HEX    DIGITS "abcdefABCDEF"
#define ALNUM  DIGITS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* ---- the keys of property strings */

/* One key of a format. Of the checks one is there, or none. */
struct rule {
	const char *name;
	bool (*is_valid)(const char *value);
	const char *const *words;
	uint64_t min, max; /* a number; max 0: it is none */
};

static bool is_boolean(const char *value)
{
	bool ignored;

	return pve_boolean_parse(value, &ignored) == 0;
}

/* -\d+(\.\d+)+(\+pve\d+)?(\.pxe)?$ */
static bool is_machine_version(const char *at)
{
	size_t dots = 0;

	if (*at++ != '-' || !isdigit((unsigned char)*at))
		return false;
	for (;;) {
		at += strspn(at, DIGITS);
		if (*at != '.' || !isdigit((unsigned char)at[1]))
			break;
		at++;
		dots++;
	}
	if (text_starts_with(at, "+pve") && isdigit((unsigned char)at[4]))
		at += 4 + strspn(at + 4, DIGITS);
	if (text_starts_with(at, ".pxe"))
		at += strlen(".pxe");
	return dots > 0 && !*at;
}

/* virt(-\d+(\.\d+)+)?(\+pve\d+)? */
static bool is_virt(const char *rest)
{
	if (*rest == '-')
		return is_machine_version(rest) && !strstr(rest, ".pxe");
	return !*rest ||
	       (text_starts_with(rest, "+pve") && rest[4] && !rest[4 + strspn(rest + 4, DIGITS)]);
}

/* The pattern of `type` in $machine_fmt, Machine.pm. */
static bool is_machine(const char *value)
{
	static const char *const bases[] = { "pc-i440fx", "pc-q35", "pc" };

	if (strlen(value) > 40)
		return false;
	if (strcmp(value, "pc") == 0 || strcmp(value, "q35") == 0)
		return true;
	if (text_starts_with(value, "virt"))
		return is_virt(value + strlen("virt"));
	for (size_t i = 0; i < ARRAY_SIZE(bases); i++)
		if (text_starts_with(value, bases[i]) &&
		    is_machine_version(value + strlen(bases[i])))
			return true;
	return false;
}

/* Which models there are depends on QEMU; custom ones are in a file of the cluster. */
static bool is_cpu_type(const char *value)
{
	return *value && !value[strspn(value, ALNUM "-_.")];
}

static bool is_hv_vendor(const char *value)
{
	return !value[strspn(value, ALNUM)] && strlen(value) <= 12;
}

/* [+-]NAME, joined by ';' */
static bool is_cpu_flags(const char *value)
{
	for (;;) {
		size_t size;

		if (*value != '+' && *value != '-')
			return false;
		value++;
		size = strspn(value, ALNUM "-_.");
		if (size == 0)
			return false;
		value += size;
		if (!*value)
			return true;
		if (*value++ != ';')
			return false;
	}
}

static bool is_phys_bits(const char *value)
{
	uint32_t bits;

	return strcmp(value, "host") == 0 ||
	       (strlen(value) <= 2 && parse_u32(value, &bits) == 0 && bits >= 8 && bits <= 64);
}

static bool is_never_valid(const char *value)
{
	(void)value;
	return false;
}

/* XXXXXXXX-XXXX-XXXX-XXXX-XXXXXXXXXXXX */
static bool is_uuid(const char *value)
{
	static const size_t sizes[] = { 8, 4, 4, 4, 12 };

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		if (i > 0 && *value++ != '-')
			return false;
		if (strspn(value, HEX) != sizes[i])
			return false;
		value += sizes[i];
	}
	return !*value;
}

static bool is_base64(const char *value)
{
	size_t size = strspn(value, ALNUM "+/");

	return size > 0 && strlen(value + size) == strspn(value + size, "=") &&
	       strlen(value + size) <= 2;
}

static const char *const viommus[] = { "intel", "virtio", NULL };
static const char *const clipboards[] = { "vnc", NULL };
static const char *const displays[] = { "cirrus", "qxl",     "qxl2",	  "qxl3",    "qxl4",
					"none",	  "serial0", "serial1",	  "serial2", "serial3",
					"std",	  "virtio",  "virtio-gl", "vmware",  NULL };

static const struct rule machine_rules[] = {
	{ "type", .is_valid = is_machine },	 { "viommu", .words = viommus },
	{ "aw-bits", .min = 32, .max = 64 },	 { "enable-s3", .is_valid = is_boolean },
	{ "enable-s4", .is_valid = is_boolean }, { .name = NULL },
};

static const struct rule vga_rules[] = {
	{ "type", .words = displays },
	{ "memory", .min = 4, .max = 512 },
	{ "clipboard", .words = clipboards },
	{ .name = NULL },
};

/* validate_vm_cpu_conf() in CPUConfig.pm allows reported-model in custom models alone. */
static const struct rule cpu_rules[] = {
	{ "cputype", .is_valid = is_cpu_type },
	{ "reported-model", .is_valid = is_never_valid },
	{ "hidden", .is_valid = is_boolean },
	{ "hv-vendor-id", .is_valid = is_hv_vendor },
	{ "flags", .is_valid = is_cpu_flags },
	{ "guest-phys-bits", .min = 32, .max = 64 },
	{ "phys-bits", .is_valid = is_phys_bits },
	{ "level", .max = UINT32_MAX },
	{ .name = NULL },
};

static const struct rule memory_rules[] = {
	{ "current", .min = 16, .max = UINT64_MAX },
	{ .name = NULL },
};

static const struct rule smbios_rules[] = {
	{ "uuid", .is_valid = is_uuid },
	{ "version", .is_valid = is_base64 },
	{ "serial", .is_valid = is_base64 },
	{ "manufacturer", .is_valid = is_base64 },
	{ "product", .is_valid = is_base64 },
	{ "sku", .is_valid = is_base64 },
	{ "family", .is_valid = is_base64 },
	{ "base64", .is_valid = is_boolean },
	{ .name = NULL },
};

static bool is_number_between(const char *value, uint64_t min, uint64_t max)
{
	uint64_t number;

	return parse_u64(value, &number) == 0 && number >= min && number <= max;
}

static bool is_one_of(const char *value, const char *const *words)
{
	for (; *words; words++)
		if (strcmp(*words, value) == 0)
			return true;
	return false;
}

static bool is_rule_kept(const struct rule *rule, const char *value)
{
	if (rule->is_valid)
		return rule->is_valid(value);
	if (rule->words)
		return is_one_of(value, rule->words);
	return is_number_between(value, rule->min, rule->max);
}

/* A key that is not known here may be a newer Proxmox VE's. */
static bool is_other_key(const struct sysroot *root, const char *key)
{
	cleanup_free char *version = NULL;

	if (!pve_key_is_possible(key))
		return false;
	version = root ? pve_version_read(root) : NULL;
	return !pve_version_is_known(version);
}

static int check_property(const struct sysroot *root, const struct rule *rules,
			  const struct property *property, struct error *err)
{
	for (const struct rule *rule = rules; rule->name; rule++) {
		if (strcmp(rule->name, property->key) != 0)
			continue;
		if (is_rule_kept(rule, property->value))
			return 0;
		return error_set(err, -EINVAL, "'%s' is not a %s as it reads one", property->value,
				 property->key);
	}
	if (is_other_key(root, property->key))
		return 0;
	return error_set(err, -EINVAL, "it does not know a key '%s' here", property->key);
}

/* ---- settings */

/* A string with a format. */
struct format {
	const char *key;
	const struct rule *rules; /* of a property string; the first key is the default one */
	bool (*is_valid)(const char *value);
	bool needs_default;
	enum pve_rule since; /* PVE_RULE_COUNT: it has always had this format */
};

/* parse_volume_id() in pve-storage's Plugin.pm: STORAGE:NAME. */
static bool is_volume(const char *value)
{
	const char *colon = strchr(value, ':');
	size_t size = colon ? (size_t)(colon - value) : 0;

	return size >= 2 && isalpha((unsigned char)value[0]) &&
	       strspn(value, ALNUM "-_.") == size && isalnum((unsigned char)colon[-1]) && colon[1];
}

static const struct format formats[] = {
	{ "machine", .rules = machine_rules, .since = PVE_RULE_MACHINE_FORMAT },
	{ "vga", .rules = vga_rules, .since = PVE_RULE_COUNT },
	{ "hookscript", .is_valid = is_volume, .since = PVE_RULE_COUNT },
	{ "vmstate", .is_valid = is_volume, .since = PVE_RULE_COUNT },
	{ "cpu", .rules = cpu_rules, .needs_default = true, .since = PVE_RULE_COUNT },
	{ "memory", .rules = memory_rules, .since = PVE_RULE_COUNT },
	{ "smbios1", .rules = smbios_rules, .since = PVE_RULE_COUNT },
};

/* Strings that have another format; a number may follow the word. None of them can be quoted. */
static const char *const other_formats[] = {
	"hotplug",
	"amd-sev",
	"intel-tdx",
	"name",
	"boot",
	"bootdisk",
	"agent",
	"watchdog",
	"startup",
	"cdrom",
	"parent",
	"tags",
	"rng",
	"meta",
	"affinity",
	"ivshmem",
	"audio",
	"cicustom",
	"net",
	"ide",
	"sata",
	"scsi",
	"virtio",
	"virtiofs",
	"efidisk",
	"tpmstate",
	"unused",
	"usb",
	"numa",
	"ipconfig",
	"spice_enhancements",
	NULL,
};

static const char *const booleans[] = {
	"onboot",    "autostart", "reboot", "keephugepages", "acpi",   "kvm",	     "tdf",
	"numa",	     "localtime", "freeze", "template",	     "tablet", "protection", "allow-ksm",
	"ciupgrade", NULL,
};

static const char *const integers[] = {
	"cpuunits", "balloon", "shares",	"smp",	    "sockets",
	"cores",    "vcpus",   "migrate_speed", "snaptime", NULL,
};

static bool has_other_format(const char *key)
{
	size_t size = strlen(key);

	while (size > 0 && isdigit((unsigned char)key[size - 1]))
		size--;
	for (size_t i = 0; other_formats[i]; i++)
		if (strlen(other_formats[i]) == size && strncmp(other_formats[i], key, size) == 0)
			return true;
	return false;
}

static int check_properties(const struct sysroot *root, const struct format *format,
			    const char *value, struct error *err)
{
	const char *default_key = format->rules[0].name;
	cleanup_properties struct properties properties = { 0 };
	bool has_default = false;
	int r;

	r = properties_parse(value, default_key, &properties, err);
	for (size_t i = 0; i < properties.count && r == 0; i++) {
		has_default |= strcmp(properties.items[i].key, default_key) == 0;
		r = check_property(root, format->rules, &properties.items[i], err);
	}
	if (r == 0 && format->needs_default && !has_default)
		r = error_set(err, -EINVAL, "it lacks its %s", default_key);
	return r;
}

static int check_format(const struct sysroot *root, const struct format *format, const char *value,
			struct error *err)
{
	if (format->rules)
		return check_properties(root, format, value, err);
	if (format->is_valid(value))
		return 0;
	return error_set(err, -EINVAL, "'%s' is not the name of a volume, STORAGE:NAME", value);
}

static int unquote(const char *value, char **ret, struct error *err)
{
	size_t size = strlen(value);
	bool quoted = size >= 2 && value[0] == '"' && value[size - 1] == '"';

	*ret = quoted ? strndup(value + 1, size - 2) : strdup(value);
	return *ret ? 0 : error_set_memory(err);
}

static int keep(const char *value, char **ret, struct error *err)
{
	*ret = strdup(value);
	return *ret ? 0 : error_set_memory(err);
}

static int read_boolean(const char *value, char **ret, struct error *err)
{
	bool on;

	if (pve_boolean_parse(value, &on) < 0)
		return error_set(err, -EINVAL,
				 "'%s' is neither 1, on, yes, true nor 0, off, no, false", value);
	return keep(on ? "1" : "0", ret, err);
}

static int read_format(const struct sysroot *root, const struct format *format, const char *value,
		       char **ret, struct error *err)
{
	struct error fault = { 0 };
	int r = check_format(root, format, value, &fault);

	if (r == 0)
		return keep(value, ret, err);
	if (r == -EINVAL && root && format->since != PVE_RULE_COUNT &&
	    !pve_rule_holds(root, format->since))
		return unquote(value, ret, err);
	return error_set(err, r, "%s", fault.message);
}

int setting_read(const struct sysroot *root, const char *key, const char *value, char **ret,
		 struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
		if (strcmp(formats[i].key, key) == 0)
			return read_format(root, &formats[i], value, ret, err);
	if (is_one_of(key, booleans))
		return read_boolean(value, ret, err);
	if (is_one_of(key, integers) && (!*value || value[strspn(value, DIGITS)]))
		return error_set(err, -EINVAL, "'%s' is not a whole number", value);
	if (!has_other_format(key))
		return unquote(value, ret, err);
	if (*value == '"')
		return error_set(err, -EINVAL, "a value with a format is not quoted");
	return keep(value, ret, err);
}
