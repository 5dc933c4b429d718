/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pve: hostpciN values. Looks at no device. */
#include "pve/hostpci.h"

#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "pci/address.h"

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

/* PVE asks no more than whether it is true, which "0" is not to Perl. */
static int set_true_string(char **string, const char *value, struct error *err)
{
	return strcmp(value, "0") == 0 ? 0 : set_string(string, value, err);
}

static int set_mdev(struct hostpci *hostpci, const char *value, struct error *err)
{
	if (strpbrk(value, "/.:"))
		return error_set(err, -EINVAL, "mdev '%s' holds one of '/', '.', ':'", value);
	return set_true_string(&hostpci->mdev, value, err);
}

static int set_romfile(struct hostpci *hostpci, const char *value, struct error *err)
{
	if (strchr(value, ';'))
		return error_set(err, -EINVAL, "romfile '%s' holds a ';'", value);
	return set_true_string(&hostpci->romfile, value, err);
}

static int set_driver(struct hostpci *hostpci, const char *value, struct error *err)
{
	if (strcmp(value, "keep") != 0 && strcmp(value, "vfio") != 0)
		return error_set(err, -EINVAL, "driver '%s' is neither 'vfio' nor 'keep'", value);
	hostpci->keep = strcmp(value, "keep") == 0;
	hostpci->has_driver = true;
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

struct field {
	const char *name;
	/* One of the two: a setter, or where in struct hostpci the boolean is. */
	int (*set)(struct hostpci *hostpci, const char *value, struct error *err);
	size_t boolean;
};

static const struct field fields[] = {
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

#define FIELD_COUNT (ARRAY_SIZE(fields))

static int set_boolean(struct hostpci *hostpci, const struct field *field, const char *value,
		       struct error *err)
{
	bool parsed;

	if (pve_boolean_parse(value, &parsed) < 0)
		return error_set(err, -EINVAL,
				 "%s '%s' is neither 1, on, yes, true nor 0, off, no, false",
				 field->name, value);
	memcpy((char *)hostpci + field->boolean, &parsed, sizeof(parsed));
	return 0;
}

static int set_property(struct hostpci *hostpci, const struct property *property, struct error *err)
{
	for (size_t i = 0; i < FIELD_COUNT; i++) {
		if (strcmp(fields[i].name, property->key) != 0)
			continue;
		if (fields[i].set)
			return fields[i].set(hostpci, property->value, err);
		return set_boolean(hostpci, &fields[i], property->value, err);
	}
	return strings_add(&hostpci->unknown_keys, property->key) < 0 ? error_set_memory(err) : 0;
}

int hostpci_parse(const char *value, struct hostpci *ret, struct error *err)
{
	cleanup_hostpci struct hostpci hostpci = { .rombar = true };
	cleanup_properties struct properties properties = { 0 };
	int r;

	r = properties_parse(value, "host", &properties, err);
	for (size_t i = 0; i < properties.count && r == 0; i++)
		r = set_property(&hostpci, &properties.items[i], err);
	if (r < 0)
		return r;
	*ret = TAKE_STRUCT(hostpci);
	return 0;
}

bool hostpci_host_is(const char *host, const char *address)
{
	const char *colon = strchr(host, ':');
	bool domain = colon && strchr(colon + 1, ':'), function = strchr(host, '.');
	struct pci_address parsed;
	char whole[PCI_ADDRESS_TEXT + 8], formatted[PCI_ADDRESS_TEXT];

	snprintf(whole, sizeof(whole), "%s%s%s", domain ? "" : "0000:", host, function ? "" : ".0");
	if (pci_address_parse(whole, &parsed) < 0)
		return false;
	pci_address_format(parsed, formatted);
	return strncmp(formatted, address, strlen(formatted) - (function ? 0 : 1)) == 0;
}

void hostpci_done(struct hostpci *hostpci)
{
	strings_done(&hostpci->host);
	free(hostpci->mapping);
	free(hostpci->mdev);
	free(hostpci->romfile);
	strings_done(&hostpci->unknown_keys);
	*hostpci = (struct hostpci){ 0 };
}

char *hostpci_change(const char *value, const char *drop, const char *host, const char *more)
{
	struct text text = { 0 };

	for (const char *part = value; part;
	     part = strchr(part, ',') ? strchr(part, ',') + 1 : NULL) {
		size_t size = strcspn(part, ","), key = strcspn(part, ",=");
		bool is_host =
			key == size || (key == strlen("host") && strncmp(part, "host", key) == 0);

		if (size == 0 ||
		    (drop && key < size && strlen(drop) == key && strncmp(part, drop, key) == 0))
			continue;
		text_add(&text, "%s", text.size ? "," : "");
		if (is_host && host)
			text_add(&text, "%s", host);
		else
			text_add(&text, "%.*s", (int)size, part);
	}
	if (more)
		text_add(&text, "%s%s", text.size ? "," : "", more);
	return text_take(&text);
}

char *hostpci_command(uint32_t vmid, const char *source, const char *value)
{
	struct text text = { 0 };
	bool plain = true;

	for (const char *at = value; *at; at++)
		plain &= isalnum((unsigned char)*at) || strchr(",.:=/_+-", *at);
	text_add(&text, "qm set %u --%s %s", vmid, source, plain ? "" : "\"");
	for (const char *at = value; *at; at++)
		text_add(&text, "%s%c", strchr("\"$`\\", *at) ? "\\" : "", *at);
	text_add(&text, "%s", plain ? "" : "\"");
	return text_take(&text);
}
