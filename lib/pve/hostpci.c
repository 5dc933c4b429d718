/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pve: hostpciN values. Looks at no device. */
#include "pve/hostpci.h"

#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

static bool is_lower_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

static size_t count_lower_hex(const char *text)
{
	size_t count = 0;

	while (is_lower_hex(text[count]))
		count++;
	return count;
}

/* (DDDD+:)?BB:DD(.F)? in lower case: $PCIRE in PVE's SysFSTools.pm. No range is checked there. */
static bool is_host_entry(const char *text)
{
	size_t count = count_lower_hex(text);

	if (count >= 4 && text[count] == ':') {
		text += count + 1;
		count = count_lower_hex(text);
	}
	if (count != 2 || text[2] != ':' || count_lower_hex(text + 3) != 2)
		return false;
	text += 5;
	return !*text || (text[0] == '.' && is_lower_hex(text[1]) && !text[2]);
}

static int set_host(struct hostpci *hostpci, const char *value, struct error *err)
{
	cleanup_free char *copy = strdup(value);
	char *rest = copy, *entry;

	if (!copy)
		return error_set_memory(err);
	while ((entry = strsep(&rest, ";"))) {
		if (!is_host_entry(entry))
			return error_set(err, -EINVAL,
					 "'%s' is not a PCI address as Proxmox VE reads it: "
					 "lower-case [domain:]bus:device[.function], several "
					 "joined by ';'",
					 value);
		if (strings_add(&hostpci->host, entry) < 0)
			return error_set_memory(err);
	}
	return 0;
}

static int set_string(char **string, const char *value, struct error *err)
{
	*string = strdup(value);
	return *string ? 0 : error_set_memory(err);
}

/* pve-configid: a letter, then one or more letters, digits, '_' or '-'. */
static int set_mapping(struct hostpci *hostpci, const char *value, struct error *err)
{
	bool valid = isalpha((unsigned char)value[0]) && value[1];

	for (const char *c = value; *c && valid; c++)
		valid = isalnum((unsigned char)*c) || *c == '_' || *c == '-';
	if (!valid)
		return error_set(err, -EINVAL, "'%s' is not the name of a resource mapping", value);
	return set_string(&hostpci->mapping, value, err);
}

static int set_mdev(struct hostpci *hostpci, const char *value, struct error *err)
{
	if (strpbrk(value, "/.:"))
		return error_set(err, -EINVAL, "mdev '%s' holds one of '/', '.', ':'", value);
	return set_string(&hostpci->mdev, value, err);
}

static int set_romfile(struct hostpci *hostpci, const char *value, struct error *err)
{
	if (strchr(value, ';'))
		return error_set(err, -EINVAL, "romfile '%s' holds a ';'", value);
	return set_string(&hostpci->romfile, value, err);
}

static int set_driver(struct hostpci *hostpci, const char *value, struct error *err)
{
	if (strcmp(value, "keep") != 0 && strcmp(value, "vfio") != 0)
		return error_set(err, -EINVAL, "driver '%s' is neither 'vfio' nor 'keep'", value);
	hostpci->keep = strcmp(value, "keep") == 0;
	return 0;
}

/* vendor-id and the like, which only change what the guest sees: 0x and four digits. */
static int check_id(struct hostpci *hostpci, const char *value, struct error *err)
{
	bool valid = text_starts_with(value, "0x") && strlen(value) == 6;

	(void)hostpci;
	for (const char *c = value + 2; valid && *c; c++)
		valid = isxdigit((unsigned char)*c);
	if (!valid)
		return error_set(err, -EINVAL, "'%s' is not an id such as 0x10de", value);
	return 0;
}

int pve_boolean_parse(const char *text, bool *ret)
{
	static const struct {
		const char *word;
		bool value;
	} words[] = {
		{ "1", true },	{ "on", true },	  { "yes", true }, { "true", true },
		{ "0", false }, { "off", false }, { "no", false }, { "false", false },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (strcasecmp(text, words[i].word) == 0) {
			*ret = words[i].value;
			return 0;
		}
	}
	return -EINVAL;
}

struct property {
	const char *name;
	/* One of the two: a setter, or where in struct hostpci the boolean is. */
	int (*set)(struct hostpci *hostpci, const char *value, struct error *err);
	size_t boolean;
};

static const struct property properties[] = {
	{ "host", .set = set_host },
	{ "mapping", .set = set_mapping },
	{ "mdev", .set = set_mdev },
	{ "romfile", .set = set_romfile },
	{ "driver", .set = set_driver },
	{ "rombar", .boolean = offsetof(struct hostpci, rombar) },
	{ "pcie", .boolean = offsetof(struct hostpci, pcie) },
	{ "x-vga", .boolean = offsetof(struct hostpci, x_vga) },
	{ "legacy-igd", .boolean = offsetof(struct hostpci, legacy_igd) },
	{ "vendor-id", .set = check_id },
	{ "device-id", .set = check_id },
	{ "sub-vendor-id", .set = check_id },
	{ "sub-device-id", .set = check_id },
};

#define PROPERTY_COUNT (sizeof(properties) / sizeof(*properties))

static int set_boolean(struct hostpci *hostpci, const struct property *property, const char *value,
		       struct error *err)
{
	bool parsed;

	if (pve_boolean_parse(value, &parsed) < 0)
		return error_set(err, -EINVAL,
				 "%s '%s' is neither 1, on, yes, true nor 0, off, no, false",
				 property->name, value);
	memcpy((char *)hostpci + property->boolean, &parsed, sizeof(parsed));
	return 0;
}

/* Splits "key=value" at the first '='; without one the default key is meant. */
static int split_part(char *part, const char **ret_key, const char **ret_value, struct error *err)
{
	char *equals = strchr(part, '=');

	*ret_key = "host";
	*ret_value = part;
	if (!equals)
		return 0;
	if (equals == part || !equals[1])
		return error_set(err, -EINVAL, "'%s' lacks its %s", part,
				 equals == part ? "key" : "value");
	*equals = '\0';
	*ret_key = part;
	*ret_value = equals + 1;
	return 0;
}

static int set_part(struct hostpci *hostpci, char *part, bool seen[PROPERTY_COUNT],
		    struct error *err)
{
	const char *key, *value;
	int r;

	r = split_part(part, &key, &value, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < PROPERTY_COUNT; i++) {
		if (strcmp(properties[i].name, key) != 0)
			continue;
		if (seen[i])
			return error_set(err, -EINVAL, "'%s' is given twice", key);
		seen[i] = true;
		if (properties[i].set)
			return properties[i].set(hostpci, value, err);
		return set_boolean(hostpci, &properties[i], value, err);
	}
	if (!hostpci->unknown_key)
		return set_string(&hostpci->unknown_key, key, err);
	return 0;
}

static bool is_blank(const char *text)
{
	return text[strspn(text, " \t\r\n\f\v")] == '\0';
}

int hostpci_parse(const char *value, struct hostpci *ret, struct error *err)
{
	cleanup_hostpci struct hostpci hostpci = { .rombar = true };
	cleanup_free char *copy = strdup(value);
	bool seen[PROPERTY_COUNT] = { false };
	char *rest = copy, *part;
	int r;

	if (!copy)
		return error_set_memory(err);
	while ((part = strsep(&rest, ","))) {
		if (is_blank(part))
			continue;
		r = set_part(&hostpci, part, seen, err);
		if (r < 0)
			return r;
	}
	*ret = hostpci;
	hostpci = (struct hostpci){ 0 };
	return 0;
}

void hostpci_done(struct hostpci *hostpci)
{
	strings_done(&hostpci->host);
	free(hostpci->mapping);
	free(hostpci->mdev);
	free(hostpci->romfile);
	free(hostpci->unknown_key);
	*hostpci = (struct hostpci){ 0 };
}
