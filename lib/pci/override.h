/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pci: driver_override of several functions, each read in a lane of its own, since the read waits
 * for the device's lock.
 */
#pragma once

#include "host/sysroot.h"

struct override_reading {
	const char *address; /* set by the caller */
	int result;	     /* 0 or -errno */
	bool stuck;	     /* a driver's probe or remove holds the lock */
	char *override;	     /* or NULL: not set */
};

/*
 * Reads them side by side and waits for `deadline_ms` at most, and a second. 0 (look at each
 * reading), or -errno where no child could be started. The caller frees with the function below.
 */
int pci_overrides_read(const struct sysroot *root, struct override_reading *readings, size_t count,
		       unsigned deadline_ms, struct error *err);
void pci_overrides_done(struct override_reading *readings, size_t count);
