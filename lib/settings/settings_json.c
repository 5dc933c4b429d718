/* SPDX-License-Identifier: GPL-2.0-or-later */
/* settings: settings as JSON, for `pve-vfio config`. Reads none. */
#include "settings/settings.h"

static json_t *list_json(const struct strings *strings)
{
	json_t *json = json_array();

	for (size_t i = 0; i < strings->count; i++)
		json_array_append_new(json, json_string(strings->items[i]));
	return json;
}

static json_t *device_json(const struct device_settings *device)
{
	json_t *json = json_object(), *bars = json_object();

	if (device->has_keep)
		json_object_set_new(json, "after_stop",
				    json_string(device->keep ? "keep" : "host"));
	if (device->reset_method)
		json_object_set_new(json, "reset_method", json_string(device->reset_method));
	if (device->has_d3cold)
		json_object_set_new(json, "d3cold", json_boolean(device->d3cold));
	if (device->has_power)
		json_object_set_new(json, "power", json_string(device->power_on ? "on" : "auto"));
	for (int i = 0; i < PCI_BAR_COUNT; i++)
		if (device->resize_bar[i] > 0)
			json_object_set_new(bars, (char[]){ (char)('0' + i), '\0' },
					    json_integer(device->resize_bar[i]));
	if (json_object_size(bars) > 0)
		json_object_set(json, "resize_bar", bars);
	json_decref(bars);
	if (device->rescan)
		json_object_set_new(json, "rescan", json_true());
	vf_add_json(device, json);
	return json;
}

json_t *settings_vm_json(const struct vm_identity *vm)
{
	json_t *json = json_object();

	if (*vm->uuid)
		json_object_set_new(json, "uuid", json_string(vm->uuid));
	if (vm->ctime > 0)
		json_object_set_new(json, "ctime", json_integer((json_int_t)vm->ctime));
	return json;
}

static void add_pin(json_t *document, const struct pin *pin)
{
	char name[PCI_ADDRESS_TEXT];

	if (*pin->node)
		(void)pin_add(document, pin);
	else
		json_object_set_new(json_object_get(document, "pins"),
				    pci_address_format(pin->address, name),
				    pin_json(&pin->identity));
}

json_t *settings_json(const struct settings *settings)
{
	json_t *devices = json_object(), *document;
	char name[PCI_ADDRESS_TEXT];

	for (size_t i = 0; i < settings->device_count; i++)
		json_object_set_new(devices,
				    settings->devices[i].name
					    ? settings->devices[i].name
					    : pci_address_format(settings->devices[i].address,
								 name),
				    device_json(&settings->devices[i]));
	document = json_pack(
		"{s:s, s:s, s:i, s:s*, s:o, s:o, s:s, s:b, s:b, s:b, s:o*, s:o, s:s*, s:o, s:{}}",
		"after_stop", settings->keep ? "keep" : "host", "siblings",
		settings->refuse_siblings ? "refuse" : "take", "deadline_s",
		(int)settings->deadline_s, "driver", settings->driver, "stop_units",
		list_json(&settings->stop_units), "unload_modules",
		list_json(&settings->unload_modules), "console",
		settings->leave_console ? "leave" : "release", "compact_memory",
		settings->compact_memory, "trace", settings->trace, "notify", settings->notify,
		"displace", displace_json(&settings->displace), "allow",
		list_json(&settings->allow), "chain", settings->chain, "devices", devices, "pins");
	for (size_t i = 0; document && i < settings->pin_count; i++)
		add_pin(document, &settings->pins[i]);
	if (document && vm_identity_is_known(&settings->vm) && !settings->foreign)
		json_object_set_new(document, "vm", settings_vm_json(&settings->vm));
	return document;
}
