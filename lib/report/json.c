/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report: documents for programs. Writes to no stream. */
#include "report/json.h"

#include "report/words.h"

#include "base/json.h"

json_t *findings_json(const struct findings *findings)
{
	json_t *array = json_array();

	for (size_t i = 0; i < findings->count; i++) {
		const struct finding *finding = &findings->items[i];

		json_array_append_new(array,
				      json_pack("{s:s, s:s, s:b, s:s, s:s, s:s}", "id",
						check_describe(finding->id)->id, "level",
						check_level_name(finding->level), "allowed",
						finding->allowed, "subject", finding->subject,
						"evidence", finding->evidence, "remedy",
						finding_remedy(finding)));
	}
	return array;
}

json_t *vm_edit_json(const struct vm_edit *edit)
{
	json_t *array = json_array();

	for (size_t i = 0; i < edit->count; i++)
		json_array_append_new(array,
				      json_pack("{s:s, s:s?, s:s?}", "key", edit->items[i].key,
						"before", edit->items[i].before, "after",
						edit->items[i].after));
	return array;
}

static json_t *device_json(struct pci_names *names, const struct start *start,
			   const struct plan_device *planned)
{
	cleanup_free char *name = pci_name(names, start->root, &planned->device);
	int group = planned->device.iommu_group;

	return json_pack("{s:s, s:s, s:s, s:b, s:b, s:o, s:s?, s:s, s:b}", "address",
			 planned->device.name, "name", name ? name : "", "source", planned->source,
			 "sibling", planned->sibling, "alternative", planned->foreseen,
			 "iommu_group",
			 group == IOMMU_GROUP_NONE ? json_null() : json_integer(group), "driver",
			 planned->device.driver, "wanted", planned->vfio.name, "held",
			 start_has(start, planned));
}

/* What changes beside the drivers. */
static json_t *changes_json(const struct actions *actions)
{
	json_t *array = json_array();

	for (size_t i = 0; i < actions->count; i++) {
		const struct action *action = &actions->items[i];

		if (action->type != ACTION_BIND)
			json_array_append_new(array,
					      json_pack("{s:s, s:s, s:s, s:s?, s:s}", "type",
							action_operations(action->type)->name,
							"target", action->target, "source",
							action->source, "before", action->before,
							"wanted", action->wanted));
	}
	return array;
}

json_t *start_json(struct pci_names *names, const struct start *start,
		   const struct forecast *forecast, const struct findings *findings)
{
	json_t *devices = json_array(), *left = json_array();

	for (size_t i = 0; i < start->plan.device_count; i++)
		json_array_append_new(devices, device_json(names, start, &start->plan.devices[i]));
	for (size_t i = 0; i < start->wanted.count; i++) {
		const struct wanted_device *device = &start->wanted.devices[i];
		char address[PCI_ADDRESS_TEXT];

		cleanup_free char *words = NULL;

		if (device->use != WANTED_LEAVE)
			continue;
		words = words_left(device, &start->config);
		json_array_append_new(left, json_pack("{s:s, s:s, s:s}", "address",
						      pci_address_format(device->address, address),
						      "source", device->source, "what",
						      words ? words : ""));
	}
	return json_pack("{s:I, s:b, s:o, s:o, s:o, s:o, s:o, s:b}", "vmid",
			 (json_int_t)start->vmid, "running", start->qemu.pid != 0, "devices",
			 devices, "left", left, "changes", changes_json(&start->plan.actions),
			 "forecast", forecast_json(forecast), "findings", findings_json(findings),
			 "refused", findings_count(findings, LEVEL_ERROR) > 0);
}
