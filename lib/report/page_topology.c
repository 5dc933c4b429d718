/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report: root buses, bridges and IOMMU groups as boxes within boxes. */
#include <string.h>

#include "report/html.h"
#include "report/page.h"

/* A box in a box in a box: deeper than any machine, and no loop can go on. */
#define DEPTH_MOST 16

struct drawing {
	const struct page *page;
	struct text *html;
};

static const struct device_row *find_row(const struct drawing *drawing, const char *address)
{
	const struct device_rows *rows = drawing->page->devices;

	for (size_t i = 0; i < rows->count; i++)
		if (strcmp(rows->items[i].entry->device.name, address) == 0)
			return &rows->items[i];
	return NULL;
}

/* "pci0000:00" of "devices/pci0000:00/0000:00:01.0"; its length in `ret_size`. */
static const char *root_bus(const struct pci_facts *facts, size_t *ret_size)
{
	const char *at = facts->folder ? strstr(facts->folder, "pci") : NULL;

	*ret_size = at ? strcspn(at, "/") : 0;
	return at ? at : "";
}

static void draw_device(const struct drawing *drawing, const struct device_row *row)
{
	static const char *const classes[] = {
		[PASS_YES] = "",
		[PASS_GROUP] = " go",
		[PASS_NO] = " not",
	};
	const struct pci_device *device;

	if (!row)
		return;
	device = &row->entry->device;
	text_add(drawing->html, "<div class=\"device%s%s\"><span class=\"mono\">%s</span> ",
		 classes[row->safety->pass], row->safety->vital ? " vital" : "", device->name);
	html_add(drawing->html, row->name);
	if (row->safety->vital)
		text_add(drawing->html, " <span class=\"tag error\">the host needs it</span>");
	if (row->safety->boot_display)
		text_add(drawing->html, " <span class=\"tag info\">boot display</span>");
	text_add(drawing->html, "<div class=\"label\">");
	html_add(drawing->html, device->driver ? device->driver : "no driver");
	if (row->safety->pass == PASS_NO) {
		text_add(drawing->html, " &middot; ");
		html_add(drawing->html, row->safety->why);
	}
	text_add(drawing->html, "</div></div>\n");
}

static bool is_child(const struct pci_entry *entry, const char *bus, size_t bus_size,
		     const char *parent)
{
	size_t size;
	const char *own = root_bus(&entry->facts, &size);

	if (size != bus_size || strncmp(own, bus, size) != 0)
		return false;
	return text_equal(entry->facts.parent, parent);
}

/* Virtual functions of one physical are alike: a server has hundreds. */
static bool is_alike(const struct pci_entry *entry, const struct pci_entry *before)
{
	return before && entry->facts.physical &&
	       text_equal(entry->facts.physical, before->facts.physical) &&
	       text_equal(entry->device.driver, before->device.driver);
}

static size_t count_alike(const struct pci_inventory *inventory, size_t at)
{
	size_t count = 0;

	while (at + count + 1 < inventory->count &&
	       is_alike(&inventory->items[at + count + 1], &inventory->items[at]))
		count++;
	return count;
}

/* The endpoints below one bridge, in order, each run of one group in a box. */
static void draw_endpoints(const struct drawing *drawing, const char *bus, size_t bus_size,
			   const char *parent)
{
	const struct pci_inventory *inventory = &drawing->page->node->inventory;
	int group = IOMMU_GROUP_NONE;
	bool open = false;

	for (size_t i = 0; i < inventory->count; i++) {
		const struct pci_entry *entry = &inventory->items[i];
		size_t alike;

		if (entry->device.bridge || !is_child(entry, bus, bus_size, parent) ||
		    (i > 0 && is_alike(entry, entry - 1)))
			continue;
		if (!open || entry->device.iommu_group != group) {
			group = entry->device.iommu_group;
			text_add(drawing->html, "%s<div class=\"group\"><div class=\"label\">",
				 open ? "</div>\n" : "");
			if (group == IOMMU_GROUP_NONE)
				text_add(drawing->html, "no IOMMU group</div>\n");
			else
				text_add(drawing->html, "IOMMU group %d</div>\n", group);
			open = true;
		}
		draw_device(drawing, find_row(drawing, entry->device.name));
		alike = count_alike(inventory, i);
		if (alike > 0)
			text_add(drawing->html,
				 "<div class=\"label\">and %zu more virtual functions like it, "
				 "each in a group of its own</div>\n",
				 alike);
	}
	if (open)
		text_add(drawing->html, "</div>\n");
}

static void draw_level(const struct drawing *drawing, const char *bus, size_t bus_size,
		       const char *parent, unsigned depth)
{
	const struct pci_inventory *inventory = &drawing->page->node->inventory;

	if (depth > DEPTH_MOST)
		return;
	text_add(drawing->html, "<div class=\"row\">\n");
	draw_endpoints(drawing, bus, bus_size, parent);
	for (size_t i = 0; i < inventory->count; i++) {
		const struct pci_entry *entry = &inventory->items[i];
		const struct device_row *row;

		if (!entry->device.bridge || !is_child(entry, bus, bus_size, parent))
			continue;
		row = find_row(drawing, entry->device.name);
		text_add(drawing->html,
			 "<div class=\"bridge\"><div class=\"label\">%s <span class=\"mono\">%s"
			 "</span> ",
			 parent ? "bridge" : "root port", entry->device.name);
		html_add(drawing->html, row ? row->name : "");
		if (entry->device.iommu_group != IOMMU_GROUP_NONE)
			text_add(drawing->html, " (group %d)", entry->device.iommu_group);
		text_add(drawing->html, "</div>\n");
		draw_level(drawing, bus, bus_size, entry->device.name, depth + 1);
		text_add(drawing->html, "</div>\n");
	}
	text_add(drawing->html, "</div>\n");
}

/* The first function of each root bus represents it. */
static bool is_new_bus(const struct pci_inventory *inventory, size_t at)
{
	size_t size, other;
	const char *bus = root_bus(&inventory->items[at].facts, &size);

	for (size_t i = 0; i < at; i++) {
		const char *before = root_bus(&inventory->items[i].facts, &other);

		if (other == size && strncmp(before, bus, size) == 0)
			return false;
	}
	return size > 0;
}

void page_topology(const struct page *page, struct text *html)
{
	const struct pci_inventory *inventory = &page->node->inventory;
	struct drawing drawing = { page, html };

	text_add(html,
		 "<p class=\"legend\">Solid boxes are root buses and bridges, dashed ones IOMMU "
		 "groups: what goes to a VM goes by the group. Green: can be passed; yellow: with "
		 "others of its group; red: cannot be passed now.</p>\n");
	for (size_t i = 0; i < inventory->count; i++) {
		size_t size;
		const char *bus = root_bus(&inventory->items[i].facts, &size);

		if (!is_new_bus(inventory, i))
			continue;
		text_add(html, "<div class=\"bus\"><div class=\"label\">root bus %.*s</div>\n",
			 (int)size - (int)strlen("pci"), bus + strlen("pci"));
		draw_level(&drawing, bus, size, NULL, 0);
		text_add(html, "</div>\n");
	}
}
