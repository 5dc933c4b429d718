/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * report: everything about a node on one page, as Markdown for a forum or as HTML to read. Made of
 * the rows that `doctor` and `devices` print. What must not be posted is taken out here.
 */
#pragma once

#include "report/anonymise.h"
#include "report/devices.h"
#include "report/verdicts.h"

struct page_vm {
	uint32_t vmid;
	struct verdicts verdicts;
};

struct page_block {
	char *title; /* "/etc/modprobe.d/vfio.conf" */
	char *text;  /* its lines */
};

/* Started as { 0 } with what is borrowed set. */
struct page {
	const struct pve_node *node;
	const struct verdicts *verdicts; /* of the node */
	const struct device_rows *devices;
	const struct anonymiser *anonymiser;
	struct strings versions; /* "kernel 6.8.12-4-pve" */
	struct page_vm *vms;	 /* with passthrough */
	size_t vm_count;
	struct page_block *blocks; /* lines of configuration; the hook's log */
	size_t block_count;
};

/* Adds the relevant lines of a VM's configuration, of mappings, modprobe.d, the boot. -ENOMEM. */
int page_add_configuration(struct page *page);

/* Adds a block of text; both are copied. 0 or -ENOMEM. */
int page_add_block(struct page *page, const char *title, const char *text);

/* The versions of what is involved, CPU, board and BIOS, and on the running node the date. 0 or -ENOMEM. */
int page_add_versions(struct page *page);

/* The page; the caller frees it. NULL without memory. */
char *page_markdown(const struct page *page);
char *page_html(const struct page *page);

/* The functions of the node as boxes within boxes; a part of page_html(). */
void page_topology(const struct page *page, struct text *html);
void page_done(struct page *page);
#define cleanup_page cleanup(page_done)
