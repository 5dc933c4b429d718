/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report: the functions of a node as a tree. Judges nothing. */
#include <string.h>

#include "report/devices.h"

#define TREE_STEP  2
#define NAME_LEAST 12

/* The next function after `after` that is below `parent` (NULL: on a root bus); NULL: the last was it. */
static const struct device_row *next_below(const struct device_rows *rows, const char *parent,
					   const struct device_row *after)
{
	const struct device_row *next = NULL;

	for (size_t i = 0; i < rows->count; i++) {
		const struct device_row *row = &rows->items[i];
		struct pci_address address = row->entry->device.address;

		if (!text_equal(row->entry->facts.parent, parent) ||
		    (after && pci_address_compare(address, after->entry->device.address) <= 0) ||
		    (next && pci_address_compare(address, next->entry->device.address) > 0))
			continue;
		next = row;
	}
	return next;
}

/* ", group 14, nouveau, pass: yes" ("group": with its group) */
static void add_facts(struct text *text, const struct device_row *row, bool driver)
{
	const struct pci_device *device = &row->entry->device;
	enum pass pass = row->safety->pass;

	if (device->iommu_group != IOMMU_GROUP_NONE)
		text_add(text, ", group %d", device->iommu_group);
	if (!device->bridge && driver)
		text_add(text, ", %s", device->driver ? device->driver : "no driver");
	if (!device->bridge)
		text_add(text, ", pass: %s", pass == PASS_GROUP ? "group" : pass_name(pass));
}

/*
 * "0000:01:00.0 NVIDIA GeForce RTX 3070, group 14, nouveau, pass: yes", the name cut to the line; where
 * too little of it would be left, the driver goes.
 */
static void add_row(struct text *text, const struct device_row *row, size_t depth, size_t width)
{
	const struct pci_device *device = &row->entry->device;
	cleanup_text struct text rest = { 0 };
	size_t used = depth * TREE_STEP + strlen(device->name) + 1, size = strlen(row->name), room;

	add_facts(&rest, row, true);
	if (used + rest.size + (size < NAME_LEAST ? size : NAME_LEAST) > width) {
		text_done(&rest);
		add_facts(&rest, row, false);
	}
	used += rest.size;
	room = width > used + NAME_LEAST ? width - used : NAME_LEAST;
	text_add(text, "%*s%s %.*s%s%s\n", (int)(depth * TREE_STEP), "", device->name,
		 (int)(size > room ? room - 1 : size), row->name, size > room ? "~" : "",
		 rest.data ? rest.data : "");
	text->failed |= rest.failed;
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as buses are, 256 at most */
static void add_below(struct text *text, const struct device_rows *rows, const char *parent,
		      size_t depth, size_t width)
{
	const struct device_row *row = NULL;

	while ((row = next_below(rows, parent, row))) {
		add_row(text, row, depth, width);
		if (row->entry->device.bridge)
			add_below(text, rows, row->entry->device.name, depth + 1, width);
	}
}

char *device_rows_tree(const struct device_rows *rows, const struct terminal *terminal)
{
	struct text text = { 0 };

	add_below(&text, rows, NULL, 0, terminal->width);
	return text_take(&text);
}
