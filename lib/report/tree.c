/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report: the functions of a node as a tree. Judges nothing. */
#include <string.h>

#include "report/devices.h"

#define TREE_STEP  2
#define NAME_LEAST 8

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

/* "0000:01:00.0 NVIDIA GeForce RTX 3070, group 14, nouveau, pass: yes" ("group": with its group), the name cut to the line. */
static void add_row(struct text *text, const struct device_row *row, size_t depth, size_t width)
{
	const struct pci_device *device = &row->entry->device;
	cleanup_text struct text rest = { 0 };
	size_t used, room, size = strlen(row->name);

	if (device->iommu_group != IOMMU_GROUP_NONE)
		text_add(&rest, ", group %d", device->iommu_group);
	if (!device->bridge)
		text_add(&rest, ", %s, pass: %s", device->driver ? device->driver : "no driver",
			 row->safety->pass == PASS_GROUP ? "group" : pass_name(row->safety->pass));
	used = depth * TREE_STEP + strlen(device->name) + 1 + rest.size;
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
