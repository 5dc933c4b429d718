/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * report: physical functions and their virtual ones, who has each, and what is set, as text and JSON.
 */
#pragma once

#include <jansson.h>

#include "doctor/sriov.h"
#include "report/devices.h"

/* In lines of the terminal's width; the caller frees it. NULL without memory. */
char *sriov_words(const struct sriov_card *cards, size_t count, struct pci_names *names,
		  const struct sysroot *root, const struct terminal *terminal);

/* An array of objects. NULL without memory. */
json_t *sriov_json(const struct sriov_card *cards, size_t count, struct pci_names *names,
		   const struct sysroot *root);
