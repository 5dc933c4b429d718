/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup: --mapping: the resource mapping that a hostpci line names in place of an address. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "pve/pve.h"
#include "setup/attach/attach.h"
#include "use/mdev.h"
#include "use/sriov.h"

/* pve-configid in pve-common's JSONSchema.pm. */
static bool is_good_name(const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	static const char others[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";

	return *name && strchr(letters, *name) && strlen(name) > 1 &&
	       strspn(name, others) == strlen(name);
}

/* A `map` property string, as Proxmox VE compares it at the start (Mapping/PCI.pm, assert_valid). */
static char *map_entry(const struct attach *attach, struct pci_address address, bool whole)
{
	cleanup_pci_device struct pci_device device = { 0 };
	char path[PCI_ADDRESS_TEXT];

	if (pci_device_read(attach->root, address, &device, NULL) < 0)
		return NULL;
	pci_address_format(device.address, path);
	if (whole)
		*strrchr(path, '.') = '\0';
	return text_format("id=%04x:%04x,iommugroup=%d,node=%s,path=%s,subsystem-id=%04x:%04x",
			   device.vendor, device.device, device.iommu_group, attach->vm.node, path,
			   device.subsystem_vendor, device.subsystem_device);
}

/* An entry that is there already, as pvesh wants all of them again. */
static char *old_entry(const struct mapping_entry *entry)
{
	cleanup_text struct text text = { 0 };

	text_add(&text, "id=%s", entry->id);
	if (entry->iommu_group)
		text_add(&text, ",iommugroup=%s", entry->iommu_group);
	text_add(&text, ",node=%s,path=", entry->node);
	for (size_t i = 0; i < entry->paths.count; i++)
		text_add(&text, "%s%s", i > 0 ? ";" : "", entry->paths.items[i]);
	if (entry->subsystem_id)
		text_add(&text, ",subsystem-id=%s", entry->subsystem_id);
	if (entry->description)
		text_add(&text, ",description=%s", entry->description);
	return text_take(&text);
}

static int add_map(struct strings *words, char *entry)
{
	cleanup_free char *owned = entry;

	return owned ? pve_words(words, "--map", owned) : -ENOMEM;
}

/* Proxmox VE compares `mdev` of a mapping with what its device offers (assert_valid). */
static bool offers_mdev(const struct attach *attach)
{
	char name[PCI_ADDRESS_TEXT];

	pci_address_format(attach->devices[0].selection.functions.items[0], name);
	return mdev_support(attach->root, name) != MDEV_NONE;
}

/* An entry for the device; with --vfs-of one for each function that has none. */
static int add_new(struct attach *attach, const struct pci_addresses *mapped)
{
	const struct pci_selection *own = &attach->devices[0].selection;
	const struct pci_addresses *functions = &attach->functions;
	int r = 0;

	if (functions->count == 0)
		return add_map(&attach->mapping_words,
			       map_entry(attach, own->functions.items[0], own->whole));
	for (size_t i = 0; i < functions->count && r == 0; i++)
		if (!pci_addresses_has(mapped, functions->items[i]))
			r = add_map(&attach->mapping_words,
				    map_entry(attach, functions->items[i], false));
	return r;
}

static int make_words(struct attach *attach, const struct mapping *old,
		      const struct pci_addresses *mapped, struct error *err)
{
	const char *name = attach->mapping;
	cleanup_free char *path = text_format("/cluster/mapping/pci/%s", name);
	struct strings *words = &attach->mapping_words;
	int r;

	if (!path)
		return error_set_memory(err);
	attach->mapping_is_new = !old;
	r = old ? pve_words(words, "pvesh", "set", path)
		: pve_words(words, "pvesh", "create", "/cluster/mapping/pci", "--id", name);
	for (size_t i = 0; old && i < old->count && r == 0; i++)
		r = add_map(words, old_entry(&old->entries[i]));
	if (r == 0)
		r = add_new(attach, mapped);
	if (r == 0 && !old && offers_mdev(attach))
		r = pve_words(words, "--mdev", "1");
	return r < 0 ? error_set_memory(err) : 0;
}

/* The functions that the mapping has on this node, from all its entries. */
static int mapped_functions(const struct attach *attach, const struct mapping *mapping,
			    struct pci_addresses *ret, bool *ret_entry)
{
	struct vm_config config = { 0 };
	char *value = mapping->name;
	int r;

	config.hostpci[0] = (struct vm_hostpci){ .present = true, .hostpci = { .mapping = value } };
	for (size_t i = 0; i < mapping->count; i++)
		*ret_entry |= strcmp(mapping->entries[i].node, attach->vm.node) == 0;
	r = attach_vm_line(&attach->vm, &config, 0, &attach->mappings, &attach->present, ret);
	return r;
}

/* One that is not there may have been a function of it before there were fewer. */
static bool is_of_physical(const struct attach *attach, const struct mapping *mapping)
{
	for (size_t i = 0; i < mapping->count; i++) {
		const struct mapping_entry *entry = &mapping->entries[i];

		if (strcmp(entry->node, attach->vm.node) != 0)
			continue;
		for (size_t k = 0; k < entry->paths.count; k++) {
			struct sriov_place place;
			const char *path = entry->paths.items[k];
			int r = sriov_place_find(attach->root, path, &place);
			struct pci_address address;

			if (pci_address_parse(path, &address) == 0 &&
			    !pci_addresses_has(&attach->present, address))
				continue;
			if (r < 0 || strcmp(place.physical, attach->physical) != 0)
				return false;
		}
	}
	return true;
}

static int look_at_entry(struct attach *attach, const struct mapping *mapping, struct error *err)
{
	const struct pci_addresses *wanted = attach->functions.count > 0
						     ? &attach->functions
						     : &attach->devices[0].selection.functions;
	cleanup_pci_addresses struct pci_addresses mapped = { 0 };
	bool has_entry = false;

	if (mapped_functions(attach, mapping, &mapped, &has_entry) < 0)
		return error_set_memory(err);
	if (!has_entry && mapping->mdev != offers_mdev(attach))
		return error_set(err, -EINVAL,
				 "the resource mapping '%s' is for devices that %s mediated "
				 "devices, and this one %s; give another name",
				 mapping->name, mapping->mdev ? "offer" : "do not offer",
				 mapping->mdev ? "does not" : "does");
	if (!has_entry)
		return make_words(attach, mapping, &mapped, err);
	if (attach->functions.count > 0 && !is_of_physical(attach, mapping))
		return error_set(
			err, -EEXIST,
			"the resource mapping '%s' is there with other devices of this node "
			"than virtual functions of %s; give another name",
			mapping->name, attach->physical);
	for (size_t i = 0; i < wanted->count; i++)
		if (!pci_addresses_has(&mapped, wanted->items[i]) && attach->functions.count > 0)
			return make_words(attach, mapping, &mapped, err);
		else if (!pci_addresses_has(&mapped, wanted->items[i]))
			return error_set(err, -EEXIST,
					 "the resource mapping '%s' is there with another device "
					 "of this node; give another name",
					 mapping->name);
	return 0;
}

int attach_mapping_look(struct attach *attach, struct error *err)
{
	const char *name = attach->mapping;
	const struct mapping *mapping;
	int r;

	if (!name)
		return 0;
	if (!is_good_name(name))
		r = error_set(err, -EINVAL,
			      "'%s' is not a name for a mapping: a letter, then letters, digits, - "
			      "and _",
			      name);
	else if (attach->device_count != 1)
		r = error_set(err, -EINVAL, "--mapping is for one device; name it");
	else if (attach->devices[0].device.kind == LAYOUT_AMD_APU)
		r = error_set(err, -EINVAL,
			      "--mapping does not go with a device that takes two lines");
	else if ((mapping = mappings_find(&attach->mappings, name)))
		r = look_at_entry(attach, mapping, err);
	else
		r = make_words(attach, NULL, &(struct pci_addresses){ 0 }, err);
	return error_as_refusal(err, r);
}
