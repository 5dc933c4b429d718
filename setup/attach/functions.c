/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup: --vfs-of: any free virtual function of a physical one, by a mapping of all. Changes nothing. */
#include <errno.h>
#include <string.h>

#include "pci/facts.h"
#include "setup/attach/attach.h"
#include "use/network.h"
#include "use/sriov.h"
#include "use/storage.h"

/* "vfs-05-00-0"; a name for a mapping has no colon and no dot. */
static char *default_name(const char *physical)
{
	char *name = text_format("vfs-%s", text_starts_with(physical, "0000:")
						   ? physical + strlen("0000:")
						   : physical);

	for (char *c = name; c && *c; c++)
		if (*c == ':' || *c == '.')
			*c = '-';
	return name;
}

/* The entry is of this node, and of functions among these alone. */
static bool is_within(const struct attach *attach, const struct mapping_entry *entry,
		      const struct pci_addresses *functions)
{
	for (size_t i = 0; i < entry->paths.count; i++) {
		struct pci_address address;

		if (pci_address_parse(entry->paths.items[i], &address) < 0 ||
		    !pci_addresses_has(functions, address))
			return false;
	}
	return strcmp(entry->node, attach->vm.node) == 0;
}

/* The mapping that has some of the functions on this node, and nothing else there; NULL: none. */
static const char *find_name(const struct attach *attach, const struct pci_addresses *functions)
{
	for (size_t i = 0; i < attach->mappings.count; i++) {
		const struct mapping *mapping = &attach->mappings.items[i];
		size_t own = 0, others = 0;

		for (size_t k = 0; k < mapping->count; k++) {
			own += is_within(attach, &mapping->entries[k], functions);
			others += strcmp(mapping->entries[k].node, attach->vm.node) == 0;
		}
		if (own > 0 && own == others)
			return mapping->name;
	}
	return NULL;
}

/*
 * Proxmox VE takes the first alternative that it can reserve, and knows nothing of what the host does
 * with it: a start would be refused for ever.
 */
static int leave_out_used(struct attach *attach, const struct pci_addresses *functions,
			  struct error *err)
{
	cleanup_network_sight struct network_sight sight = { 0 };

	for (size_t i = 0; i < functions->count; i++) {
		cleanup_strings struct strings uses = { 0 };
		char name[PCI_ADDRESS_TEXT];
		int r;

		pci_address_format(functions->items[i], name);
		r = storage_uses_find(attach->root, name, NULL, &uses, NULL, err);
		if (r == 0)
			r = network_uses_find(attach->root, name, &sight, &uses, err);
		if (r < 0)
			return r;
		if (uses.count > 0)
			deeds_note(attach->deeds, "# %s is not among them: %s", name,
				   uses.items[0]);
		else if (pci_addresses_add(&attach->functions, functions->items[i]) < 0)
			return error_set_memory(err);
	}
	return attach->functions.count > 0
		       ? 0
		       : error_refuse(err, "the host uses each virtual function of %s",
				      attach->physical);
}

/* One for the checks: of those that a driver of the host has, which no VM has. */
static void choose_first(struct attach *attach)
{
	for (size_t i = 0; i < attach->functions.count; i++) {
		cleanup_pci_device struct pci_device device = { 0 };

		if (pci_device_read(attach->root, attach->functions.items[i], &device, NULL) == 0 &&
		    device.driver && strstr(device.driver, "vfio"))
			continue;
		pci_address_format(attach->functions.items[i], attach->first);
		return;
	}
	pci_address_format(attach->functions.items[0], attach->first);
}

static int find_physical(struct attach *attach, struct pci_address *ret, struct error *err)
{
	cleanup_pci_selection struct pci_selection selection = { 0 };
	cleanup_pci_facts struct pci_facts facts = { 0 };
	int r = pci_select(attach->root, &attach->names, &attach->present, attach->options->vfs_of,
			   &selection, err);

	if (r < 0)
		return r;
	*ret = selection.functions.items[0];
	pci_address_format(*ret, attach->physical);
	if (pci_facts_read(attach->root, attach->physical, &facts) < 0)
		return error_set_memory(err);
	if (facts.physical)
		return error_refuse(err,
				    "%s is a virtual function: '--vfs-of %s' means all like it",
				    attach->physical, facts.physical);
	return facts.functions_most > 0 ? 0
					: error_refuse(err, "%s has no virtual functions (SR-IOV)",
						       attach->physical);
}

int attach_functions_look(struct attach *attach, struct error *err)
{
	cleanup_pci_addresses struct pci_addresses functions = { 0 };
	struct pci_address address;
	int r;

	if (!attach->options->vfs_of)
		return 0;
	r = find_physical(attach, &address, err);
	if (r == 0)
		r = sriov_functions_find(attach->root, attach->physical, &functions, err);
	if (r < 0)
		return r;
	if (functions.count == 0)
		return error_refuse(
			err,
			"%s has no virtual functions now: 'pve-vfio sriov %s=4' makes four, "
			"and 'pve-vfio setup --add --sriov %s=4' at every boot",
			attach->physical, attach->physical, attach->physical);
	if (!attach->mapping) {
		const char *found = find_name(attach, &functions);

		attach->own_name = found ? strdup(found) : default_name(attach->physical);
		attach->mapping = attach->own_name;
		if (!attach->mapping)
			return error_set_memory(err);
	}
	r = leave_out_used(attach, &functions, err);
	if (r == 0)
		choose_first(attach);
	return r;
}
