/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pci: driver overrides. Writes none. */
#include "pci/override.h"

#include <errno.h>

#include "pci/driver.h"

void pci_overrides_read(const struct sysroot *root, struct override_reading *readings, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct override_reading *reading = &readings[i];

		reading->result = pci_override_read(root, reading->address, &reading->override);
		reading->stuck = reading->result == -ETIMEDOUT;
	}
}

void pci_overrides_done(struct override_reading *readings, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(readings[i].override);
		readings[i].override = NULL;
	}
}
