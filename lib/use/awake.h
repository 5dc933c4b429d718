/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * use: what keeps a function from being suspended while nobody needs it
 * (Documentation/power/runtime_pm.rst). Wakes nothing.
 */
#pragma once

#include "pci/device.h"

/*
 * A clause, "power/control is on", to be freed; NULL where it sleeps, or the kernel does not say how it is.
 * 0 or -ENOMEM. Does not block.
 */
int awake_why(const struct sysroot *root, const struct pci_device *device, char **ret) must_check;
