/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report: the page as HTML: one file, no script, nothing loaded from elsewhere. */
#include <string.h>

#include "report/html.h"
#include "report/page.h"

static void add_verdict(struct text *html, const struct verdict *verdict)
{
	const char *level = verdict_level_name(verdict->level);

	text_add(html, "<div class=\"verdict\"><span class=\"mark %s\">%s</span><div>", level,
		 verdict->level == VERDICT_UNKNOWN ? "not known" : level);
	if (verdict->subject) {
		text_add(html, "<b>");
		html_add(html, verdict->subject);
		text_add(html, "</b>: ");
	}
	html_add(html, verdict->evidence);
	text_add(html, "</div>");
	if (verdict->remedy) {
		text_add(html, "<div class=\"remedy\">&rarr; ");
		html_add(html, verdict->remedy);
		text_add(html, "</div>");
	}
	text_add(html, "</div>\n");
}

static void add_verdicts(struct text *html, const struct verdicts *verdicts)
{
	cleanup_free char *summary = verdicts_summary(verdicts);
	const char *section = "";

	text_add(html, "<p>%s</p>\n", summary ? summary : "");
	for (size_t i = 0; i < verdicts->count; i++) {
		if (strcmp(section, verdicts->items[i].section) != 0) {
			section = verdicts->items[i].section;
			text_add(html, "<h3>");
			html_add(html, section);
			text_add(html, "</h3>\n");
		}
		add_verdict(html, &verdicts->items[i]);
	}
}

static const char *pass_class(const struct device_row *row)
{
	static const char *const classes[] = { "yes", "with", "no" };

	return row->entry->device.bridge ? "" : classes[row->safety->pass];
}

static void add_row(struct text *html, const struct device_row *row)
{
	const struct pci_device *device = &row->entry->device;
	cleanup_strings struct strings remarks = { 0 };

	if (device_row_remarks(row, &remarks) < 0)
		html->failed = true;
	text_add(html, "<tr><td>");
	if (device->iommu_group != IOMMU_GROUP_NONE)
		text_add(html, "%d", device->iommu_group);
	text_add(html, "</td><td class=\"mono\">%s</td><td>", device->name);
	html_add(html, row->name);
	text_add(html, "<div class=\"label\">%04x:%04x", device->vendor, device->device);
	for (size_t i = 0; i < remarks.count; i++) {
		text_add(html, " &middot; ");
		html_add(html, remarks.items[i]);
	}
	text_add(html, "</div></td><td>");
	html_add(html, device->driver ? device->driver : "");
	text_add(html, "</td><td class=\"%s\">%s</td></tr>\n", pass_class(row),
		 device->bridge ? "" : pass_name(row->safety->pass));
}

static void add_devices(struct text *html, const struct device_rows *rows)
{
	text_add(html, "<table><thead><tr><th>group</th><th>address</th><th>device</th>"
		       "<th>driver</th><th>pass</th></tr></thead><tbody>\n");
	for (size_t i = 0; i < rows->count; i++)
		add_row(html, &rows->items[i]);
	text_add(html, "</tbody></table>\n");
}

static void add_head(struct text *html, const struct page *page)
{
	text_add(html,
		 "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
		 "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
		 "<title>pve-vfio report</title><style>%s</style></head><body><main>\n"
		 "<h1>pve-vfio report</h1>\n<ul class=\"versions\">",
		 html_style());
	for (size_t i = 0; i < page->versions.count; i++) {
		text_add(html, "<li>");
		html_add(html, page->versions.items[i]);
		text_add(html, "</li>");
	}
	text_add(html, "</ul>\n");
}

char *page_html(const struct page *page)
{
	cleanup_text struct text html = { 0 };

	add_head(&html, page);
	text_add(&html, "<h2>Node</h2>\n");
	add_verdicts(&html, page->verdicts);
	for (size_t i = 0; i < page->vm_count; i++) {
		text_add(&html, "<h2>VM %u</h2>\n", page->vms[i].vmid);
		add_verdicts(&html, &page->vms[i].verdicts);
	}
	text_add(&html, "<h2>Where the devices hang</h2>\n");
	page_topology(page, &html);
	text_add(&html, "<h2>Devices</h2>\n");
	add_devices(&html, page->devices);
	text_add(&html, "<h2>Configuration</h2>\n");
	for (size_t i = 0; i < page->block_count; i++) {
		text_add(&html, "<h3>");
		html_add(&html, page->blocks[i].title);
		text_add(&html, "</h3>\n<pre>");
		html_add(&html, page->blocks[i].text);
		text_add(&html, "</pre>\n");
	}
	text_add(&html, "</main></body></html>\n");
	return html.failed ? NULL : anonymise(page->anonymiser, html.data);
}
