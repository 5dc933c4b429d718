/* SPDX-License-Identifier: GPL-2.0-or-later */
/* settings: what settings say of one device. Reads no file. */
#include <string.h>

#include "settings/settings.h"

const struct device_settings *settings_device(const struct settings *settings,
					      struct pci_address address)
{
	for (size_t i = 0; i < settings->device_count; i++)
		if (pci_address_equal(settings->devices[i].address, address))
			return &settings->devices[i];
	return NULL;
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
