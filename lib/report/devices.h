/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * report: the functions of a node as rows, by IOMMU group, in the order in which a person looks:
 * groups with a display first. Printed as text, as JSON, and by the page of `report`.
 */
#pragma once

#include <jansson.h>

#include "doctor/safety.h"
#include "pci/claim.h"
#include "pci/name.h"

/* One function; all borrowed but `name`. */
struct device_row {
	const struct pci_entry *entry;
	const struct safety *safety;
	const struct strings *modules; /* that would claim it; NULL: not known */
	char *parts; /* of mediated devices: which types are left, and who has some; or NULL */
	char *name;
	bool first; /* of its group */
};

/* Started as { 0 }. */
struct device_rows {
	struct device_row *items;
	size_t count;
};

/* Makes the rows of all functions. 0 or -ENOMEM. */
int device_rows_make(const struct pve_node *node, const struct safeties *safeties,
		     const struct pci_claims *claims, struct pci_names *names,
		     struct device_rows *ret);
/* Keeps the rows that a word fits (pci_word_fits()); how many those are. */
size_t device_rows_keep(struct device_rows *rows, const char *word);
void device_rows_done(struct device_rows *rows);
#define cleanup_device_rows cleanup(device_rows_done)

/* How text looks on the terminal it is for. */
struct terminal {
	size_t width;
	bool colour;
};

/* The table; the caller frees it. NULL without memory. */
char *device_rows_words(const struct device_rows *rows, const struct terminal *terminal);

/* The functions below the bridge they are behind, from the root buses on. NULL without memory. */
char *device_rows_tree(const struct device_rows *rows, const struct terminal *terminal);

/* An array of objects. NULL without memory. */
json_t *device_rows_json(const struct device_rows *rows);

/* What is worth telling of a function besides its name, driver and verdict, as phrases. */
int device_row_remarks(const struct device_row *row, struct strings *remarks);
