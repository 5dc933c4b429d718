/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pci: which driver holds a device, and giving it another one. The order of the writes is the
 * documented one (Documentation/ABI/testing/sysfs-bus-pci: driver_override, unbind,
 * drivers_probe); new_id is never written, since an id learned that way claims other devices too.
 *
 * Everything here but pci_driver_read() takes the device's lock in the kernel: it blocks for as
 * long as another driver's probe or remove of that device lasts, which may be for ever, and
 * SIGKILL does not end it. Call these in a lane (base/lanes.h).
 */
#pragma once

#include "host/sysroot.h"

/* What driver_override reads when it is not set; written as an empty line to clear it. */
#define DRIVER_OVERRIDE_UNSET "(null)"

/* The bound driver, or NULL for none. -ENODEV when the device is absent. Does not block. */
int pci_driver_read(const struct sysroot *root, const char *address, char **ret_driver);

/* The module of the bound driver, or NULL: none bound, or built in. Does not block. */
int pci_driver_module(const struct sysroot *root, const char *address, char **ret_module);

/* The override, or NULL when it is not set. */
int pci_override_read(const struct sysroot *root, const char *address, char **ret_override);

/* Sets the override (NULL clears it) and reads it back. */
int pci_override_write(const struct sysroot *root, const char *address, const char *override,
		       struct error *err);

/*
 * Gives the device to `driver` and to no other: override, unbind, probe, look. The override stays
 * set to `driver`. Nothing is written when it is bound to `driver` already, but the override.
 * On failure the device may be without a driver.
 */
int pci_driver_bind(const struct sysroot *root, const char *address, const char *driver,
		    struct error *err);

/* Takes the bound driver away, so that the device has none. The override is left as it is. */
int pci_driver_unbind(const struct sysroot *root, const char *address,
		      struct error *err) must_check;
