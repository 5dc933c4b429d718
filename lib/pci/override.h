/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pci: driver_override of several functions. Reading one waits for the device's lock, so this is for
 * work that base/guard.h bounds, and that is begun anew without what is silent.
 */
#pragma once

#include "host/sysroot.h"

struct override_reading {
	const char *address; /* set by the caller */
	int result;	     /* 0 or -errno */
	bool stuck;	     /* it was silent: a driver's probe or remove holds the lock */
	char *override;	     /* or NULL: not set */
};

/* Reads them; look at each. The caller frees with the function below. */
void pci_overrides_read(const struct sysroot *root, struct override_reading *readings,
			size_t count);
void pci_overrides_done(struct override_reading *readings, size_t count);
