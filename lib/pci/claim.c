/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pci: module aliases. Loads nothing. */
#include "pci/claim.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/number.h"
#include "pci/driver.h"

#define ALIAS_START "alias pci:"
#define ALIAS_MAX   ((size_t)16 << 20)

/* The fields of "v000010DEd00002484sv*sd*bc03sc00i*", in that order. */
static const char *const field_names[] = { "v", "d", "sv", "sd", "bc", "sc", "i" };

#define FIELD_COUNT (ARRAY_SIZE(field_names))

static void fields_of(const struct pci_device *device, uint32_t fields[FIELD_COUNT])
{
	fields[0] = device->vendor;
	fields[1] = device->device;
	fields[2] = device->subsystem_vendor;
	fields[3] = device->subsystem_device;
	fields[4] = device->class_code >> 16 & 0xff;
	fields[5] = device->class_code >> 8 & 0xff;
	fields[6] = device->class_code & 0xff;
}

struct pattern {
	bool any[FIELD_COUNT];
	uint32_t fields[FIELD_COUNT];
};

/* Reads up to the blank behind the pattern; false for what is none. Gives the module's name. */
static bool parse_pattern(const char *at, struct pattern *ret, const char **ret_module)
{
	for (size_t i = 0; i < FIELD_COUNT; i++) {
		size_t name = strlen(field_names[i]), size;
		uint64_t value = 0;

		if (strncmp(at, field_names[i], name) != 0)
			return false;
		at += name;
		ret->any[i] = *at == '*';
		if (ret->any[i]) {
			at++;
			continue;
		}
		/* Lower case begins the next field: the digits are upper case. */
		size = strspn(at, "0123456789ABCDEF");
		if (parse_number(at, size, 16, UINT32_MAX, &value) < 0)
			return false;
		ret->fields[i] = (uint32_t)value;
		at += size;
	}
	/* Every alias ends with a wildcard: add_wildcard() there. */
	if (*at == '*')
		at++;
	if (*at != ' ')
		return false;
	*ret_module = at + 1;
	return true;
}

static bool pattern_matches(const struct pattern *pattern, const uint32_t fields[FIELD_COUNT])
{
	for (size_t i = 0; i < FIELD_COUNT; i++)
		if (!pattern->any[i] && pattern->fields[i] != fields[i])
			return false;
	return true;
}

/* Of the twenty thousand lines hardly one is of a vendor that is there. */
struct present {
	uint32_t (*fields)[FIELD_COUNT];
	uint64_t vendors[0x10000 / 64];
};

static bool has_vendor(const struct present *present, const struct pattern *pattern)
{
	uint32_t vendor = pattern->fields[0];

	return pattern->any[0] ||
	       (vendor < 0x10000 && present->vendors[vendor / 64] >> vendor % 64 & 1);
}

static int add_line(const char *line, const struct present *present, struct pci_claims *claims)
{
	struct pattern pattern = { 0 };
	const char *module;

	if (!parse_pattern(line, &pattern, &module) || !has_vendor(present, &pattern))
		return 0;
	for (size_t i = 0; i < claims->count; i++)
		if (pattern_matches(&pattern, present->fields[i]) &&
		    !strings_has(&claims->items[i], module) &&
		    strings_add(&claims->items[i], module) < 0)
			return -ENOMEM;
	return 0;
}

int pci_claims_parse(char *data, const struct pci_inventory *inventory, struct pci_claims *ret)
{
	cleanup_pci_claims struct pci_claims claims = { .known = true };
	cleanup_free uint32_t(*fields)[FIELD_COUNT] = calloc(inventory->count + 1, sizeof(*fields));
	struct present present = { .fields = fields };
	char *rest = data, *line;

	claims.items = calloc(inventory->count + 1, sizeof(*claims.items));
	if (!fields || !claims.items)
		return -ENOMEM;
	claims.count = inventory->count;
	for (size_t i = 0; i < claims.count; i++) {
		const struct pci_device *device = &inventory->items[i].device;

		fields_of(device, fields[i]);
		present.vendors[device->vendor / 64] |= UINT64_C(1) << device->vendor % 64;
	}
	while ((line = strsep(&rest, "\n")))
		if (text_starts_with(line, ALIAS_START) &&
		    add_line(line + strlen(ALIAS_START), &present, &claims) < 0)
			return -ENOMEM;
	*ret = TAKE_STRUCT(claims);
	return 0;
}

int pci_claims_read(const struct sysroot *root, const struct pci_inventory *inventory,
		    struct pci_claims *ret)
{
	cleanup_free char *release = NULL, *data = NULL;
	char path[SYSROOT_PATH_MAX];
	size_t size;

	if (sysroot_read_attribute(root, "proc/sys/kernel/osrelease", &release) < 0)
		return 0;
	snprintf(path, sizeof(path), "lib/modules/%s/modules.alias", release);
	if (sysroot_read(root, path, ALIAS_MAX, &data, &size) < 0)
		return 0;
	return pci_claims_parse(data, inventory, ret);
}

void pci_claims_done(struct pci_claims *claims)
{
	for (size_t i = 0; i < claims->count; i++)
		strings_done(&claims->items[i]);
	free(claims->items);
	*claims = (struct pci_claims){ 0 };
}

static bool same_module(const char *a, const char *b)
{
	for (; *a && *b; a++, b++)
		if ((*a == '-' ? '_' : *a) != (*b == '-' ? '_' : *b))
			return false;
	return *a == *b;
}

int pci_claims_replaced(const struct sysroot *root, const struct pci_claims *claims,
			const struct pci_inventory *inventory, struct strings *ret)
{
	for (size_t i = 0; i < claims->count && claims->known; i++) {
		const struct pci_device *device = &inventory->items[i].device;
		cleanup_free char *module = NULL;

		if (!device->driver || pci_driver_module(root, device->name, &module) < 0 ||
		    !module || strstr(module, "vfio"))
			continue;
		for (size_t k = 0; k < claims->items[i].count; k++) {
			const char *other = claims->items[i].items[k];

			if (!same_module(other, module) && !strings_has(ret, other) &&
			    strings_add(ret, other) < 0)
				return -ENOMEM;
		}
	}
	return 0;
}

int pci_modules_replaced(const struct sysroot *root, struct strings *ret)
{
	cleanup_pci_inventory struct pci_inventory inventory = { 0 };
	cleanup_pci_claims struct pci_claims claims = { 0 };

	if (pci_inventory_read(root, &inventory, NULL) < 0)
		return 0;
	if (pci_claims_read(root, &inventory, &claims) < 0)
		return -ENOMEM;
	return pci_claims_replaced(root, &claims, &inventory, ret);
}
