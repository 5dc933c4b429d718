/* SPDX-License-Identifier: GPL-2.0-or-later */
/* doctor: the node's devices against the table of known troubles. */
#include <errno.h>

#include "doctor/doctor.h"

/* A card's sound is not named beside the card; of virtual functions the first is enough. */
static int judge_quirk(const struct doctor *doctor, const struct quirk *quirk, bool *ret_found,
		       struct verdicts *verdicts)
{
	const struct pci_inventory *inventory = &doctor->node->inventory;
	cleanup_text struct text devices = { 0 };
	size_t count = 0;

	for (size_t i = 0; i < inventory->count; i++) {
		struct quirk_target target = {
			.root = doctor->node->root,
			.kernel = doctor->node->kernel,
			.device = &inventory->items[i].device,
			.virtual = inventory->items[i].facts.physical,
		};

		if (!quirk_applies(quirk, &target))
			continue;
		if (count++ < 4)
			text_add(&devices, "%s%s", devices.size ? ", " : "", target.device->name);
	}
	*ret_found = count > 0;
	if (count == 0)
		return 0;
	if (count > 4)
		text_add(&devices, " and %zu more", count - 4);
	return devices.failed
		       ? -ENOMEM
		       : verdict_add(verdicts, quirk->level, quirk->id, devices.data, quirk->remedy,
				     "%s Source: %s", quirk->what, quirk->source);
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
			   doctor->quirks->count);
}
