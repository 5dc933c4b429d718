/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * check: remedies that several topics give: a line to set, and what to do about a device that comes
 * along with the IOMMU group of another. The caller frees what is returned; NULL without memory.
 */
#pragma once

#include "change/start.h"
#include "check/finding.h"

/*
 * The command that sets a line of the VM anew, "qm set 101 --hostpci0 01:00,pcie=1": without the key
 * `drop`, for the device `host`, with `more` at its end; each may be NULL. The line is there.
 */
char *remedy_line(const struct start *start, const char *source, const char *drop, const char *host,
		  const char *more);

/* The finding that was added last says that something cannot be determined, which refuses a start. */
int remedy_unknown(const struct start *start, struct findings *findings);

/*
 * Adds to the remedies of the errors that concern a device which the configuration does not name, or names
 * with others of its card, why the VM gets it, and what would not bring it. Once, after all findings are
 * there. 0 or -ENOMEM.
 */
int remedies_explain(const struct start *start, struct findings *findings);
