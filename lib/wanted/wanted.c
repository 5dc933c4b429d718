/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wanted: the devices a VM wants. Refuses nothing: lib/check does. */
#include "wanted/wanted.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "pve/version.h"
#include "use/mdev.h"

/* One line while it is resolved. */
struct resolution {
	const struct wanted_input *input;
	struct wanted *wanted;
	unsigned line;
	char source[SOURCE_MAX];
	const struct hostpci *hostpci; /* the line, or NULL for `args` */
	enum wanted_kind kind;
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
		.kind = resolution->kind,
		.own_driver = !resolution->hostpci || resolution->hostpci->keep,
	};
	char name[PCI_ADDRESS_TEXT];

	if (use != WANTED_ALTERNATIVE && resolution->kind != WANTED_MDEV &&
	    wanted_find(wanted, address))
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
 * Adds the functions one entry means, each once more for each entry that means it, as PVE does, which
 * keeps the sysfs ids that match ^(0000:)?ENTRY: without a function all of them, without a domain those
 * of domain 0000.
 */
static int find_entry(struct resolution *resolution, const char *entry,
		      struct pci_addresses *addresses)
{
	size_t before = addresses->count;
	int r = pci_present_match(resolution->input->present, entry, addresses);

	if (r < 0 || addresses->count > before)
		return r;
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
	if (resolution->kind == WANTED_PLAIN ||
	    (resolution->kind == WANTED_KEPT && resolution->input->take_kept))
		return WANTED_TAKE;
	return WANTED_LEAVE;
}

/* mdev=nvidia-N, where a function has NVIDIA's own folder: parse_hostpci() in PCI.pm. */
static bool is_vgpu(const struct resolution *resolution, const struct pci_addresses *alternatives,
		    size_t count)
{
	const struct sysroot *root = resolution->input->root;

	if (!mdev_nvidia_number(resolution->hostpci->mdev))
		return false;
	for (size_t i = 0; i < count; i++) {
		char name[PCI_ADDRESS_TEXT];

		pci_address_format(alternatives[i].items[0], name);
		if (mdev_support(root, name) == MDEV_NVIDIA)
			return pve_rule_holds(root, PVE_RULE_NVIDIA_SYSFS);
	}
	return false;
}

static enum wanted_kind kind_of(const struct resolution *resolution,
				const struct pci_addresses *alternatives, size_t count)
{
	if (!resolution->hostpci->mdev)
		return resolution->hostpci->keep ? WANTED_KEPT : WANTED_PLAIN;
	return is_vgpu(resolution, alternatives, count) ? WANTED_VGPU : WANTED_MDEV;
}

static int choose(struct resolution *resolution, const struct pci_addresses *alternatives,
		  size_t count, struct error *err)
{
	const struct wanted_input *input = resolution->input;
	struct wanted_choice choice = {
		resolution->source,
		resolution->kind,
		resolution->hostpci->mdev,
		alternatives,
		count,
	};
	enum wanted_use use = use_of(resolution);
	size_t chosen = 0;
	int r;

	r = input->choose(&choice, resolution->wanted, input->context, &chosen, err);
	if (r == -EBUSY)
		return add_problem(resolution, WANTED_NONE_FREE, resolution->hostpci->mapping);
	if (r == 0)
		r = add_devices(resolution, &alternatives[chosen], use);
	/* Of a line that PVE handles alone it does not matter which others there are. */
	for (size_t i = 0; i < count && r == 0 && use == WANTED_TAKE; i++)
		if (i != chosen)
			r = add_devices(resolution, &alternatives[i], WANTED_ALTERNATIVE);
	return r;
}

/* PVE makes the mediated device of the first alternative that lets it. */
static int add_alternatives(struct resolution *resolution, const struct pci_addresses *alternatives,
			    size_t count, struct error *err)
{
	int r = 0;

	resolution->kind = kind_of(resolution, alternatives, count);
	for (size_t i = 0; i < count && resolution->hostpci->mdev && r == 0; i++)
		if (alternatives[i].count > 1)
			r = add_problem(resolution, WANTED_MDEV_MANY, "");
	if (r == 0 && count > 1 && resolution->kind != WANTED_MDEV)
		return choose(resolution, alternatives, count, err);
	for (size_t i = 0; i < count && r == 0; i++)
		r = add_devices(resolution, &alternatives[i], use_of(resolution));
	return r;
}

static int resolve_host(struct resolution *resolution, struct error *err)
{
	cleanup_pci_addresses struct pci_addresses addresses = { 0 };
	int r = find_entries(resolution, &resolution->hostpci->host, &addresses);

	if (r < 0 || addresses.count == 0)
		return r;
	return add_alternatives(resolution, &addresses, 1, err);
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

static int resolve_mapping(struct resolution *resolution, struct error *err)
{
	const char *name = resolution->hostpci->mapping;
	const struct mapping *mapping = mappings_find(resolution->input->mappings, name);
	cleanup(alternatives_done) struct pci_addresses *alternatives = NULL;
	size_t count = 0;
	int r;

	if (!mapping || !has_entry(mapping, resolution->input->node))
		return add_problem(resolution, WANTED_MAPPING_MISSING, name);
	alternatives = calloc(mapping->count + 1, sizeof(*alternatives));
	if (!alternatives)
		return -ENOMEM;
	r = find_alternatives(resolution, mapping, alternatives, &count, err);
	if (r < 0)
		return r;
	return count > 0 ? add_alternatives(resolution, alternatives, count, err) : 0;
}

static int resolve_line(struct resolution *resolution, struct error *err)
{
	const struct hostpci *hostpci = resolution->hostpci;

	if ((hostpci->host.count > 0) == (hostpci->mapping != NULL))
		return add_problem(resolution, WANTED_NOTHING, "");
	return hostpci->mapping ? resolve_mapping(resolution, err) : resolve_host(resolution, err);
}

/* PVE does nothing for these: QEMU opens them as they are written. */
static int resolve_args(struct resolution *resolution, const struct vm_setting *setting,
			struct error *err)
{
	struct args *args = &resolution->wanted->args;
	int r;

	memcpy(resolution->source, SOURCE_ARGS, sizeof(SOURCE_ARGS));
	resolution->line = setting->line;
	resolution->hostpci = NULL;
	resolution->kind = WANTED_PLAIN;
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
		if (pci_present_has(resolution->input->present, address))
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
	*ret = TAKE_STRUCT(wanted);
	return 0;
}

const struct wanted_device *wanted_find(const struct wanted *wanted, struct pci_address address)
{
	for (size_t i = 0; i < wanted->count; i++)
		if (wanted->devices[i].use != WANTED_ALTERNATIVE &&
		    wanted->devices[i].kind != WANTED_MDEV &&
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
