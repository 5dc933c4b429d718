/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report: the cluster on one page: one file, no script, nothing loaded from elsewhere. */
#include "report/cluster_page.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/array.h"
#include "check/finding.h"
#include "report/html.h"

/* ---- VMs: on which nodes, and for the others each reason once */

/* Nodes of which the same is to be said. */
struct same {
	enum place_start start;
	char *words;
	struct text nodes;
	size_t count;
};

struct sames {
	struct same *items;
	size_t count;
};

static void sames_done(struct sames *sames)
{
	for (size_t i = 0; i < sames->count; i++) {
		free(sames->items[i].words);
		text_done(&sames->items[i].nodes);
	}
	free(sames->items);
}

static int add_same(struct sames *sames, const struct place *place, const char *words,
		    const char *node)
{
	struct same *same = NULL;

	for (size_t i = 0; i < sames->count && !same; i++)
		if (sames->items[i].start == place->start &&
		    strcmp(sames->items[i].words, words) == 0)
			same = &sames->items[i];
	if (!same) {
		if (array_reserve(&sames->items, sames->count, sizeof(*same)) < 0)
			return -ENOMEM;
		same = &sames->items[sames->count++];
		*same = (struct same){ .start = place->start, .words = strdup(words) };
		if (!same->words)
			return -ENOMEM;
	}
	text_add(&same->nodes, "%s%s", same->count++ > 0 ? ", " : "", node);
	return same->nodes.failed ? -ENOMEM : 0;
}

static int sort_out(const struct cluster *cluster, const struct cluster_vm *vm, struct sames *sames,
		    struct error *err)
{
	for (size_t i = 0; i < cluster->members.count; i++) {
		cleanup_place struct place place = { 0 };
		cleanup_text struct text words = { 0 };
		int r = place_judge(cluster, vm, i, &place, err);

		if (r < 0)
			return r;
		text_add(&words, "%s", place.reason ? place.reason : "");
		for (size_t k = 0; k < place.notes.count; k++)
			text_add(&words, "%s%s", words.size > 0 ? "; " : "", place.notes.items[k]);
		if (words.failed || add_same(sames, &place, words.data ? words.data : "",
					     cluster->members.items[i].node) < 0)
			return error_set_memory(err);
	}
	return 0;
}

static int add_vm(const struct cluster *cluster, const struct cluster_vm *vm, struct text *html,
		  struct error *err)
{
	static const char *const classes[] = { "ok", "error", "unknown" };
	static const char *const marks[] = { "could start", "not", "not known" };
	cleanup(sames_done) struct sames sames = { 0 };
	const char *name = vm_config_get(&vm->config, "name");
	int r = sort_out(cluster, vm, &sames, err);

	if (r < 0)
		return r;
	text_add(html, "<h3>VM %" PRIu32 " ", vm->vmid);
	html_add(html, name ? name : "");
	text_add(html, " <span class=\"label\">on ");
	html_add(html, cluster->members.items[vm->node].node);
	text_add(html, "</span></h3>\n");
	for (unsigned start = PLACE_YES; start <= PLACE_UNKNOWN; start++)
		for (size_t i = 0; i < sames.count; i++) {
			if (sames.items[i].start != start)
				continue;
			text_add(html,
				 "<div class=\"verdict\"><span class=\"mark %s\">%s</span>"
				 "<div><b>",
				 classes[start], marks[start]);
			html_add(html, sames.items[i].nodes.data);
			text_add(html, "</b>%s", *sames.items[i].words ? ": " : "");
			html_add(html, sames.items[i].words);
			text_add(html, "</div></div>\n");
		}
	return 0;
}

/* ---- nodes and their devices */

static const char *why_words(const struct facts_device *device)
{
	enum check_id id;

	if (device->why && check_id_parse(device->why, &id) == 0)
		return check_describe(id)->meaning;
	return device->why ? device->why : "";
}

static void add_device(const struct cluster *cluster, size_t node,
		       const struct facts_device *device, struct text *html)
{
	static const char *const classes[] = { "yes", "with", "no" };
	const struct pci_device *of = &device->device;
	uint32_t user = cluster_user(cluster, node, of->name, 0);

	text_add(html, "<tr><td class=\"mono\">%s</td><td>", of->name);
	html_add(html, device->name);
	text_add(html, "<div class=\"label\">%04x:%04x", of->vendor, of->device);
	if (of->iommu_group != IOMMU_GROUP_NONE)
		text_add(html, " &middot; group %d", of->iommu_group);
	if (device->pass == PASS_NO) {
		text_add(html, " &middot; ");
		html_add(html, why_words(device));
	}
	text_add(html, "</div></td><td class=\"%s\">%s</td><td>", classes[device->pass],
		 pass_name(device->pass));
	if (user)
		text_add(html, "VM %" PRIu32, user);
	else if (device->pass != PASS_NO)
		text_add(html, "free");
	text_add(html, "</td></tr>\n");
}

static void add_node(const struct cluster *cluster, size_t at, struct text *html)
{
	const struct cluster_node *node = &cluster->nodes[at];
	const struct facts *facts = &node->facts;

	text_add(html, "<h3>");
	html_add(html, node->member->node);
	text_add(html, " <span class=\"tag %s\">%s</span></h3>\n",
		 node->member->online ? "ok" : "error",
		 node->member->online ? "online" : "offline");
	if (node->unknown) {
		text_add(html, "<p class=\"unknown\">");
		html_add(html, node->why);
		text_add(html, "</p>\n");
	}
	if (!facts->node)
		return;
	text_add(html, "<ul class=\"versions\"><li>pve-vfio ");
	html_add(html, facts->version);
	text_add(html, "</li><li>qemu-server ");
	html_add(html, *facts->pve ? facts->pve : "not known");
	text_add(html, "</li><li>kernel ");
	html_add(html, *facts->release ? facts->release : "not known");
	text_add(html, "</li></ul>\n<table><thead><tr><th>address</th><th>device</th><th>pass</th>"
		       "<th>VM</th></tr></thead><tbody>\n");
	for (size_t i = 0; i < facts->device_count; i++)
		add_device(cluster, at, &facts->devices[i], html);
	text_add(html, "</tbody></table>\n");
	if (facts->left_out > 0)
		text_add(html, "<p class=\"legend\">%zu more are left out.</p>\n", facts->left_out);
}

int cluster_page(const struct cluster *cluster, char **ret, struct error *err)
{
	cleanup_text struct text html = { 0 };
	int r = 0;

	text_add(&html,
		 "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
		 "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
		 "<title>pve-vfio: the cluster</title><style>%s</style></head><body><main>\n"
		 "<h1>PCI devices of the cluster</h1>\n<p class=\"legend\">%zu nodes, as ",
		 html_style(), cluster->members.count);
	html_add(&html, cluster->self);
	text_add(&html,
		 " sees them: of itself what it has now, of the others what they have "
		 "published. Which VM has a device goes by the configurations, whether it runs "
		 "or not.</p>\n");
	if (!cluster->members.quorate)
		text_add(&html, "<p class=\"error\">Without quorum: nothing starts here, and what "
				"is known of the others may be old.</p>\n");
	for (size_t i = 0; i < cluster->faults.count; i++) {
		text_add(&html, "<p class=\"warning\">");
		html_add(&html, cluster->faults.items[i]);
		text_add(&html, "</p>\n");
	}
	text_add(&html, "<h2>Where VMs with devices could start</h2>\n");
	if (cluster->vm_count == 0)
		text_add(&html, "<p>No VM has a PCI device.</p>\n");
	for (size_t i = 0; i < cluster->vm_count && r == 0; i++)
		r = add_vm(cluster, &cluster->vms[i], &html, err);
	if (r < 0)
		return r;
	text_add(&html, "<h2>Nodes and their devices</h2>\n");
	for (size_t i = 0; i < cluster->members.count; i++)
		add_node(cluster, i, &html);
	text_add(&html, "</main></body></html>\n");
	*ret = text_take(&html);
	return *ret ? 0 : error_set_memory(err);
}
