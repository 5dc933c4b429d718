/* SPDX-License-Identifier: GPL-2.0-or-later */
/* doctor: the node's devices against the table of known troubles. */
#include <errno.h>

#include "doctor/doctor.h"

/* Of hundreds of functions there are a few kinds. */
static size_t collect_kinds(const struct pci_inventory *inventory, struct quirk_kind *kinds)
{
	size_t count = 0;

	for (size_t i = 0; i < inventory->count; i++) {
		const struct pci_device *device = &inventory->items[i].device;
		size_t k = 0;

		while (k < count && (kinds[k].vendor != device->vendor ||
				     kinds[k].class_code != device->class_code))
			k++;
		if (k == count)
			kinds[count++] = (struct quirk_kind){ device->vendor, device->class_code };
	}
	return count;
}

int doctor_quirks_read(const struct pve_node *node, struct quirks *ret, struct error *err)
{
	cleanup_free struct quirk_kind *kinds = calloc(node->inventory.count + 1, sizeof(*kinds));

	if (!kinds)
		return error_set_memory(err);
	return quirks_read(node->root, kinds, collect_kinds(&node->inventory, kinds), ret, err);
}

/* One line for each trouble; what depends on a VM's settings is for the checks of its start. */
static int judge_quirk(const struct doctor *doctor, const struct quirk *quirk, bool *ret_found,
		       struct verdicts *verdicts)
{
	const struct pci_inventory *inventory = &doctor->node->inventory;
	cleanup_text struct text devices = { 0 };
	cleanup_free char *remedy = NULL, *sources = NULL;
	const struct node_vm *owner = NULL;
	const char *first = NULL;
	struct quirk_target target = { .root = doctor->node->root,
				       .release = doctor->node->release };
	bool asked = false;
	size_t count = 0;

	for (size_t i = 0; i < inventory->count; i++) {
		target.device = &inventory->items[i].device;
		if (!quirk_names(quirk, target.device))
			continue;
		if (!asked && !quirk_fits_host(quirk, &target))
			break;
		asked = true;
		if (!quirk_fits_device(quirk, &target))
			continue;
		/* The remedy is for the first that a VM has, if any has one. */
		if (!owner) {
			owner = node_find_owner(doctor->node, target.device->address);
			if (count == 0 || owner)
				first = target.device->name;
		}
		if (count++ < 4)
			text_add(&devices, "%s%s", devices.size ? ", " : "", target.device->name);
	}
	*ret_found = count > 0;
	if (count == 0)
		return 0;
	if (count > 4)
		text_add(&devices, " and %zu more", count - 4);
	remedy = quirk_remedy(quirk, first, owner ? owner->vmid : 0, NULL);
	sources = quirk_sources(quirk);
	if (devices.failed || !remedy || !sources)
		return -ENOMEM;
	return verdict_add(verdicts, verdict_level_of(quirk->level), quirk->id, devices.data,
			   remedy, "%s Source: %s", quirk->what, sources);
}

int node_quirks(const struct doctor *doctor, struct verdicts *verdicts)
{
	bool any = false;

	for (size_t i = 0; i < doctor->quirks->count; i++) {
		bool found;

		if (judge_quirk(doctor, &doctor->quirks->items[i], &found, verdicts) < 0)
			return -ENOMEM;
		any |= found;
	}
	if (any)
		return 0;
	return verdict_add(verdicts, VERDICT_OK, "quirks-none", NULL, NULL,
			   "None of the %zu known troubles fits this kernel and these devices.",
			   doctor->quirks->known);
}
