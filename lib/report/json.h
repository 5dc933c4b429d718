/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * report: what --json prints; the schema is in pve-vfio(8) and does not change but for additions.
 */
#pragma once

#include <jansson.h>

#include "change/start.h"
#include "check/finding.h"
#include "check/forecast.h"
#include "pci/name.h"
#include "pve/edit.h"

/* An array of findings, in the order in which they were found. NULL without memory. */
json_t *findings_json(const struct findings *findings);

/* An array of what is set, and what it was. NULL without memory. */
json_t *vm_edit_json(const struct vm_edit *edit);

/* What a start would do, what it takes beside us, and what speaks against it. NULL without memory. */
json_t *start_json(struct pci_names *names, const struct start *start,
		   const struct forecast *forecast, const struct findings *findings);
