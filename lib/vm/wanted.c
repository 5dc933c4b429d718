/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vm: the devices a VM wants. Reads no device and refuses nothing: lib/check does. */
#include "vm/wanted.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"

/* One hostpciN line while it is resolved. */
struct resolution {
	struct wanted *wanted;
	const struct pci_addresses *present;
	const struct vm_hostpci *line;
	char source[SOURCE_MAX];
};

static int add_problem(struct resolution *resolution, enum wanted_problem_kind kind,
		       const char *value)
{
	struct wanted *wanted = resolution->wanted;
	struct wanted_problem problem = { .kind = kind, .line = resolution->line->line };

	memcpy(problem.source, resolution->source, sizeof(problem.source));
	problem.value = strdup(value);
	if (!problem.value ||
	    array_reserve(&wanted->problems, wanted->problem_count, sizeof(problem)) < 0) {
		free(problem.value);
		return -ENOMEM;
	}
	wanted->problems[wanted->problem_count++] = problem;
	return 0;
}

static int add_left(struct resolution *resolution, const char *why)
{
	struct wanted *wanted = resolution->wanted;
	struct wanted_left left = { .why = why };

	memcpy(left.source, resolution->source, sizeof(left.source));
	if (array_reserve(&wanted->left, wanted->left_count, sizeof(left)) < 0)
		return -ENOMEM;
	wanted->left[wanted->left_count++] = left;
	return 0;
}

static int add_device(struct resolution *resolution, struct pci_address address)
{
	struct wanted *wanted = resolution->wanted;
	struct wanted_device device = { .address = address };
	char name[PCI_ADDRESS_TEXT];

	if (wanted_find(wanted, address))
		return add_problem(resolution, WANTED_TWICE, pci_address_format(address, name));
	memcpy(device.source, resolution->source, sizeof(device.source));
	if (array_reserve(&wanted->devices, wanted->count, sizeof(device)) < 0)
		return -ENOMEM;
	wanted->devices[wanted->count++] = device;
	return 0;
}

/*
 * PVE keeps the sysfs ids that match ^(0000:)?ENTRY: without a function all of them, without a
 * domain those of domain 0000.
 */
static bool matches(const char *name, const char *entry)
{
	return text_starts_with(name, entry) ||
	       (text_starts_with(name, "0000:") && text_starts_with(name + 5, entry));
}

static int resolve_entry(struct resolution *resolution, const char *entry)
{
	bool found = false;

	for (size_t i = 0; i < resolution->present->count; i++) {
		struct pci_address address = resolution->present->items[i];
		char name[PCI_ADDRESS_TEXT];
		int r;

		if (!matches(pci_address_format(address, name), entry))
			continue;
		found = true;
		r = add_device(resolution, address);
		if (r < 0)
			return r;
	}
	return found ? 0 : add_problem(resolution, WANTED_ABSENT, entry);
}

static int resolve_line(struct resolution *resolution)
{
	const struct hostpci *hostpci = &resolution->line->hostpci;
	int r = 0;

	if ((hostpci->host.count > 0) == (hostpci->mapping != NULL))
		return add_problem(resolution, WANTED_NOTHING, "");
	if (hostpci->mdev)
		return add_left(resolution, "mdev");
	if (hostpci->keep)
		return add_left(resolution, "driver=keep");
	if (hostpci->mapping)
		return add_left(resolution, "a resource mapping");
	for (size_t i = 0; i < hostpci->host.count && r == 0; i++)
		r = resolve_entry(resolution, hostpci->host.items[i]);
	return r;
}

int wanted_resolve(const struct vm_config *config, const struct pci_addresses *present,
		   struct wanted *ret, struct error *err)
{
	cleanup_wanted struct wanted wanted = { 0 };

	for (unsigned i = 0; i < HOSTPCI_COUNT && !config->is_template; i++) {
		struct resolution resolution = {
			.wanted = &wanted,
			.present = present,
			.line = &config->hostpci[i],
		};

		if (!config->hostpci[i].present)
			continue;
		snprintf(resolution.source, sizeof(resolution.source), "hostpci%u", i);
		if (resolve_line(&resolution) < 0)
			return error_set_memory(err);
	}
	*ret = wanted;
	wanted = (struct wanted){ 0 };
	return 0;
}

const struct wanted_device *wanted_find(const struct wanted *wanted, struct pci_address address)
{
	for (size_t i = 0; i < wanted->count; i++)
		if (pci_address_equal(wanted->devices[i].address, address))
			return &wanted->devices[i];
	return NULL;
}

void wanted_done(struct wanted *wanted)
{
	for (size_t i = 0; i < wanted->problem_count; i++)
		free(wanted->problems[i].value);
	free(wanted->problems);
	free(wanted->left);
	free(wanted->devices);
	*wanted = (struct wanted){ 0 };
}
