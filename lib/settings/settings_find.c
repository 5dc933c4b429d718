/* SPDX-License-Identifier: GPL-2.0-or-later */
/* settings: what settings say of one device. Reads no file. */
#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "settings/settings.h"

static bool is_for(const struct device_settings *device, const char *name,
		   const struct pci_address *address)
{
	return address ? !device->name && pci_address_equal(device->address, *address)
		       : device->name && strcmp(device->name, name) == 0;
}

/* By its address, if that is not NULL, or by its name. */
static struct device_settings *find(const struct settings *settings, const char *name,
				    const struct pci_address *address)
{
	for (size_t i = 0; i < settings->device_count; i++)
		if (is_for(&settings->devices[i], name, address))
			return &settings->devices[i];
	return NULL;
}

const struct device_settings *settings_device(const struct settings *settings,
					      struct pci_address address)
{
	return find(settings, NULL, &address);
}

struct device_settings *settings_device_add(struct settings *settings, const char *name)
{
	struct device_settings device = { 0 }, *there;
	bool is_address = pci_address_parse(name, &device.address) == 0;

	there = find(settings, name, is_address ? &device.address : NULL);
	if (there)
		return there;
	if (array_reserve(&settings->devices, settings->device_count, sizeof(device)) < 0)
		return NULL;
	if (!is_address) {
		device.name = strdup(name);
		if (!device.name)
			return NULL;
	}
	settings->devices[settings->device_count] = device;
	return &settings->devices[settings->device_count++];
}

/* What is set in `from` and not in `to`. */
static int complete(struct device_settings *to, const struct device_settings *from)
{
	if (from->has_keep && !to->has_keep) {
		to->has_keep = true;
		to->keep = from->keep;
	}
	if (from->reset_method && !to->reset_method) {
		to->reset_method = strdup(from->reset_method);
		if (!to->reset_method)
			return -ENOMEM;
	}
	if (from->has_d3cold && !to->has_d3cold) {
		to->has_d3cold = true;
		to->d3cold = from->d3cold;
	}
	if (from->has_power && !to->has_power) {
		to->has_power = true;
		to->power_on = from->power_on;
	}
	for (unsigned i = 0; i < PCI_BAR_COUNT; i++)
		if (to->resize_bar[i] == 0)
			to->resize_bar[i] = from->resize_bar[i];
	to->rescan |= from->rescan;
	vf_copy_parts(&to->vf, &from->vf, from->vf_parts & ~to->vf_parts);
	to->vf_parts |= from->vf_parts;
	return 0;
}

int settings_follow(struct settings *settings, struct pci_address address, const char *line,
		    const char *mapping)
{
	const char *const names[] = { line, mapping };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const struct device_settings *from =
			names[i] ? find(settings, names[i], NULL) : NULL;
		struct device_settings *device;
		char name[PCI_ADDRESS_TEXT];
		size_t at;

		if (!from)
			continue;
		at = (size_t)(from - settings->devices);
		device = settings_device_add(settings, pci_address_format(address, name));
		/* the list may have moved */
		if (!device || complete(device, &settings->devices[at]) < 0)
			return -ENOMEM;
	}
	return 0;
}

bool settings_keep(const struct settings *settings, struct pci_address address)
{
	const struct device_settings *device = settings_device(settings, address);

	return device && device->has_keep ? device->keep : settings->keep;
}

const struct pin *settings_pin(const struct settings *settings, const char *node,
			       struct pci_address address)
{
	const struct pin *any = NULL;

	for (size_t i = 0; i < settings->pin_count; i++) {
		const struct pin *pin = &settings->pins[i];

		if (!pci_address_equal(pin->address, address))
			continue;
		if (strcmp(pin->node, node) == 0)
			return pin;
		if (!*pin->node)
			any = pin;
	}
	return any;
}
