/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wanted: the devices a VM wants. Refuses nothing: lib/check does. */
#include "wanted/wanted.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "pve/version.h"

/* One line while it is resolved. */
struct resolution {
	const struct wanted_input *input;
	struct wanted *wanted;
	unsigned line;
	char source[SOURCE_MAX];
	const struct hostpci *hostpci; /* the line, or NULL for `args` */
};

static int add_problem(struct resolution *resolution, enum wanted_problem_kind kind,
		       const char *detail)
{
	struct wanted *wanted = resolution->wanted;
	struct wanted_problem problem = { .kind = kind, .line = resolution->line };

	memcpy(problem.source, resolution->source, sizeof(problem.source));
	problem.detail = strdup(detail);
	if (!problem.detail ||
	    array_reserve(&wanted->problems, wanted->problem_count, sizeof(problem)) < 0) {
		free(problem.detail);
		return -ENOMEM;
	}
	wanted->problems[wanted->problem_count++] = problem;
	return 0;
}

static int add_device(struct resolution *resolution, struct pci_address address,
		      enum wanted_use use)
{
	struct wanted *wanted = resolution->wanted;
	struct wanted_device device = {
		.address = address,
		.use = use,
		.own_driver = !resolution->hostpci || resolution->hostpci->keep,
	};
	char name[PCI_ADDRESS_TEXT];

	if (use != WANTED_ALTERNATIVE && wanted_find(wanted, address))
		return add_problem(resolution, WANTED_TWICE, pci_address_format(address, name));
	memcpy(device.source, resolution->source, sizeof(device.source));
	if (array_reserve(&wanted->devices, wanted->count, sizeof(device)) < 0)
		return -ENOMEM;
	wanted->devices[wanted->count++] = device;
	return 0;
}

static int add_devices(struct resolution *resolution, const struct pci_addresses *addresses,
		       enum wanted_use use)
{
	int r = 0;

	for (size_t i = 0; i < addresses->count && r == 0; i++)
		r = add_device(resolution, addresses->items[i], use);
	return r;
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

/* Adds the functions one entry means; each once more for each entry that means it, as PVE does. */
static int find_entry(struct resolution *resolution, const char *entry,
		      struct pci_addresses *addresses)
{
	const struct pci_addresses *present = resolution->input->present;
	size_t before = addresses->count;

	for (size_t i = 0; i < present->count; i++) {
		char name[PCI_ADDRESS_TEXT];

		if (matches(pci_address_format(present->items[i], name), entry) &&
		    pci_addresses_add(addresses, present->items[i]) < 0)
			return -ENOMEM;
	}
	if (addresses->count > before)
		return 0;
	return add_problem(resolution, WANTED_ABSENT, entry);
}

static int find_entries(struct resolution *resolution, const struct strings *entries,
			struct pci_addresses *addresses)
{
	int r = 0;

	for (size_t i = 0; i < entries->count && r == 0; i++)
		r = find_entry(resolution, entries->items[i], addresses);
	return r;
}

static enum wanted_use use_of(const struct resolution *resolution)
{
	const struct hostpci *hostpci = resolution->hostpci;
	bool left = hostpci->keep && !resolution->input->take_kept;

	return hostpci->mdev || left ? WANTED_LEAVE : WANTED_TAKE;
}

static int add_alternative(struct resolution *resolution, const struct pci_addresses *addresses)
{
	if (resolution->hostpci->mdev && addresses->count > 1) {
		int r = add_problem(resolution, WANTED_MDEV_MANY, "");

		if (r < 0)
			return r;
	}
	return add_devices(resolution, addresses, use_of(resolution));
}

static int resolve_host(struct resolution *resolution)
{
	cleanup_pci_addresses struct pci_addresses addresses = { 0 };
	int r = find_entries(resolution, &resolution->hostpci->host, &addresses);

	return r < 0 ? r : add_alternative(resolution, &addresses);
}

static void alternatives_done(struct pci_addresses **alternatives)
{
	struct pci_addresses *items = *alternatives;

	/* The list ends with one that has nothing. */
	for (size_t i = 0; items && items[i].count > 0; i++)
		pci_addresses_done(&items[i]);
	free(items);
}

/* What the entry would be refused for, or will be by a later version of PVE. */
static int check_entry(const struct sysroot *root, const struct mapping *mapping,
		       const struct mapping_entry *entry, enum wanted_problem_kind *ret_kind,
		       char **ret_fault, struct error *err)
{
	cleanup_free char *fault = NULL;
	int r = mapping_entry_check(root, mapping, entry, true, ret_fault, err);

	*ret_kind = WANTED_MAPPING_WRONG;
	if (r < 0 || !*ret_fault || pve_rule_holds(root, PVE_RULE_MAPPING_MDEV))
		return r;
	r = mapping_entry_check(root, mapping, entry, false, &fault, err);
	if (fault) {
		free(*ret_fault);
		*ret_fault = TAKE_PTR(fault);
	} else {
		*ret_kind = WANTED_MAPPING_MDEV;
	}
	return r;
}

/* PVE looks at every entry of the node before it chooses; one bad entry fails the start. */
static int find_alternatives(struct resolution *resolution, const struct mapping *mapping,
			     struct pci_addresses *alternatives, size_t *ret_count,
			     struct error *err)
{
	size_t count = 0;

	for (size_t i = 0; i < mapping->count; i++) {
		const struct mapping_entry *entry = &mapping->entries[i];
		enum wanted_problem_kind kind;
		cleanup_free char *fault = NULL;
		int r;

		if (strcmp(entry->node, resolution->input->node) != 0)
			continue;
		r = check_entry(resolution->input->root, mapping, entry, &kind, &fault, err);
		if (r == 0 && fault)
			r = add_problem(resolution, kind, fault);
		if (r == 0 && (!fault || kind == WANTED_MAPPING_MDEV))
			r = find_entries(resolution, &entry->paths, &alternatives[count]);
		if (r < 0)
			return r;
		count += alternatives[count].count > 0;
	}
	*ret_count = count;
	return 0;
}

static bool has_entry(const struct mapping *mapping, const char *node)
{
	for (size_t i = 0; i < mapping->count; i++)
		if (strcmp(mapping->entries[i].node, node) == 0)
			return true;
	return false;
}

static int choose(struct resolution *resolution, const struct pci_addresses *alternatives,
		  size_t count, struct error *err)
{
	const struct wanted_input *input = resolution->input;
	struct wanted_choice choice = { resolution->source, alternatives, count };
	size_t chosen = 0;
	int r;

	r = input->choose(&choice, resolution->wanted, input->context, &chosen, err);
	if (r == -EBUSY)
		return add_problem(resolution, WANTED_NONE_FREE, resolution->hostpci->mapping);
	if (r == 0)
		r = add_devices(resolution, &alternatives[chosen], WANTED_TAKE);
	for (size_t i = 0; i < count && r == 0; i++)
		if (i != chosen)
			r = add_devices(resolution, &alternatives[i], WANTED_ALTERNATIVE);
	return r;
}

static int resolve_mapping(struct resolution *resolution, struct error *err)
{
	const char *name = resolution->hostpci->mapping;
	const struct mapping *mapping = mappings_find(resolution->input->mappings, name);
	cleanup(alternatives_done) struct pci_addresses *alternatives = NULL;
	size_t count = 0;
	int r = 0;

	if (!mapping || !has_entry(mapping, resolution->input->node))
		return add_problem(resolution, WANTED_MAPPING_MISSING, name);
	alternatives = calloc(mapping->count + 1, sizeof(*alternatives));
	if (!alternatives)
		return -ENOMEM;
	r = find_alternatives(resolution, mapping, alternatives, &count, err);
	if (r < 0)
		return r;
	if (count == 1)
		return add_alternative(resolution, &alternatives[0]);
	if (use_of(resolution) == WANTED_TAKE && count > 1)
		return choose(resolution, alternatives, count, err);
	for (size_t i = 0; i < count && r == 0; i++)
		r = add_devices(resolution, &alternatives[i], WANTED_LEAVE);
	return r;
}

static int resolve_line(struct resolution *resolution, struct error *err)
{
	const struct hostpci *hostpci = resolution->hostpci;

	if ((hostpci->host.count > 0) == (hostpci->mapping != NULL))
		return add_problem(resolution, WANTED_NOTHING, "");
	return hostpci->mapping ? resolve_mapping(resolution, err) : resolve_host(resolution);
}

/* PVE does nothing for these: QEMU opens them as they stand there. */
static int resolve_args(struct resolution *resolution, const struct vm_setting *setting,
			struct error *err)
{
	struct args *args = &resolution->wanted->args;
	int r;

	memcpy(resolution->source, SOURCE_ARGS, sizeof(SOURCE_ARGS));
	resolution->line = setting->line;
	resolution->hostpci = NULL;
	r = args_parse(setting->value, args, err);
	if (r < 0)
		return r;
	if (args->vanished)
		return add_problem(resolution, WANTED_ARGS_VANISH, "");
	for (size_t i = 0; i < args->problem_count && r == 0; i++)
		r = add_problem(resolution, WANTED_ARGS_UNCLEAR, args->problems[i].text);
	for (size_t i = 0; i < args->count && r == 0; i++) {
		struct pci_address address = args->devices[i].address;
		char name[PCI_ADDRESS_TEXT];

		/* -set may name the address that hostpciN has anyway. */
		if (args->devices[i].from_set && wanted_find(resolution->wanted, address))
			continue;
		if (pci_addresses_has(resolution->input->present, address))
			r = add_device(resolution, address, WANTED_TAKE);
		else
			r = add_problem(resolution, WANTED_ABSENT,
					pci_address_format(address, name));
	}
	return r;
}

int wanted_resolve(const struct wanted_input *input, struct wanted *ret, struct error *err)
{
	cleanup_wanted struct wanted wanted = { 0 };
	struct resolution resolution = { .input = input, .wanted = &wanted };
	const struct vm_setting *args = vm_config_find(input->config, "args");
	int r = 0;

	/* A template is started with its disks alone. */
	for (unsigned i = 0; i < HOSTPCI_COUNT && !input->config->is_template && r == 0; i++) {
		const struct vm_hostpci *line = &input->config->hostpci[i];

		if (!line->present)
			continue;
		resolution.line = line->line;
		resolution.hostpci = &line->hostpci;
		snprintf(resolution.source, sizeof(resolution.source), "hostpci%u", i);
		r = resolve_line(&resolution, err);
	}
	if (r == 0 && args && !input->config->is_template)
		r = resolve_args(&resolution, args, err);
	if (r < 0)
		return r == -ENOMEM ? error_set_memory(err) : r;
	*ret = wanted;
	wanted = (struct wanted){ 0 };
	return 0;
}

const struct wanted_device *wanted_find(const struct wanted *wanted, struct pci_address address)
{
	for (size_t i = 0; i < wanted->count; i++)
		if (wanted->devices[i].use != WANTED_ALTERNATIVE &&
		    pci_address_equal(wanted->devices[i].address, address))
			return &wanted->devices[i];
	return NULL;
}

void wanted_done(struct wanted *wanted)
{
	for (size_t i = 0; i < wanted->problem_count; i++)
		free(wanted->problems[i].detail);
	free(wanted->problems);
	free(wanted->devices);
	args_done(&wanted->args);
	*wanted = (struct wanted){ 0 };
}
