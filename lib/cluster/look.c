/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cluster: what this node has to publish. Changes nothing. */
#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "base/lanes.h"
#include "cluster/facts.h"
#include "pci/name.h"
#include "pve/snippets.h"
#include "pve/version.h"
#include "use/mdev.h"

/* For a storage that does not answer. */
#define STORE_DEADLINE_MS 3000
#define NAME_MOST	  80
/* "pve-vfio-hook" that is not ours has no version; a storage that has none is not named. */
#define ABSENT "-"

/* What no VM is ever given: bridges, memory, timers, the processor's own (PCI Code and ID Assignment, 1). */
static bool is_of_chipset(const struct pci_device *device)
{
	static const uint32_t classes[] = { 0x05, 0x06, 0x08, 0x0b, 0x11, 0x13 };

	for (size_t i = 0; i < ARRAY_SIZE(classes); i++)
		if (device->class_code >> 16 == classes[i])
			return true;
	return device->bridge;
}

/* A line of a mapping for this node names it, with its function or as a slot. */
static bool is_mapped(const struct pve_node *node, const char *address)
{
	for (size_t i = 0; i < node->mappings.count; i++)
		for (size_t k = 0; k < node->mappings.items[i].count; k++) {
			const struct mapping_entry *entry = &node->mappings.items[i].entries[k];

			if (strcmp(entry->node, node->name) != 0)
				continue;
			for (size_t p = 0; p < entry->paths.count; p++)
				if (text_starts_with(address, entry->paths.items[p]))
					return true;
		}
	return false;
}

static int add_device(const struct pve_node *node, size_t at, const struct safety *safety,
		      struct pci_names *names, struct facts *facts)
{
	const struct pci_device *of = &node->inventory.items[at].device;
	struct facts_device device = { .device = *of, .pass = safety->pass };

	device.device.driver = NULL;
	device.name = pci_name(names, node->root, of);
	device.why = safety->why_id ? strdup(safety->why_id) : NULL;
	device.mdev = mdev_support(node->root, of->name) != MDEV_NONE;
	if (!device.name || (safety->why_id && !device.why) ||
	    array_reserve(&facts->devices, facts->device_count, sizeof(device)) < 0) {
		free(device.name);
		free(device.why);
		return -ENOMEM;
	}
	if (strlen(device.name) > NAME_MOST)
		device.name[NAME_MOST] = '\0';
	text_clean(device.name, "");
	facts->devices[facts->device_count++] = device;
	return 0;
}

/* ---- the hookscript, storage by storage: one may not answer */

struct looking {
	const struct sysroot *root;
	struct snippet_store *stores;
	char (*versions)[VERSION_MAX]; /* of each; ABSENT, FACTS_HOOK_UNSEEN */
};

static void run_lane(int fd, void *work, void *context)
{
	const struct looking *looking = context;
	struct snippet_store *store = work;
	struct lane_report report = { .step = (size_t)(store - looking->stores) };
	cleanup_hook_copy struct hook_copy copy = { 0 };

	report.result = hook_copy_look(looking->root, store, &copy, NULL);
	if (copy.state == HOOK_COPY_ABSENT)
		snprintf(report.text, sizeof(report.text), ABSENT);
	else if (copy.state == HOOK_COPY_LINK || copy.state == HOOK_COPY_SAME)
		snprintf(report.text, sizeof(report.text), "%s", PVE_VFIO_VERSION);
	else
		snprintf(report.text, sizeof(report.text), "%s", copy.version);
	lane_send(fd, &report);
}

static void take_report(const struct lane_report *report, struct lane *lane, void *context)
{
	struct looking *looking = context;

	(void)lane;
	if (report->result == 0)
		snprintf(looking->versions[report->step], VERSION_MAX, "%.*s", VERSION_MAX - 1,
			 report->text);
}

static int add_hooks(const struct pve_node *node, struct facts *facts, struct error *err)
{
	static const struct lanes_callbacks callbacks = { .run = run_lane, .report = take_report };
	cleanup_snippet_stores struct snippet_stores stores = { 0 };
	cleanup_free struct lane *lanes = NULL;
	cleanup_free char(*versions)[VERSION_MAX] = NULL;
	struct looking looking = { .root = node->root };
	size_t count = 0;
	int r = snippet_stores_read(node->root, node->name, &stores, err);

	if (r < 0)
		return r;
	lanes = calloc(stores.count + 1, sizeof(*lanes));
	versions = calloc(stores.count + 1, sizeof(*versions));
	if (!lanes || !versions)
		return error_set_memory(err);
	for (size_t i = 0; i < stores.count; i++) {
		snprintf(versions[i], VERSION_MAX, "%s",
			 stores.items[i].disabled ? ABSENT : FACTS_HOOK_UNSEEN);
		if (!stores.items[i].disabled)
			lanes[count++].work = &stores.items[i];
	}
	looking.stores = stores.items;
	looking.versions = versions;
	r = lanes_run(lanes, count, STORE_DEADLINE_MS, &callbacks, &looking);
	if (r < 0)
		return error_set(err, r, "cannot look at the storages: %s", strerror(-r));
	for (size_t i = 0; i < stores.count; i++) {
		struct facts_hook hook;

		if (strcmp(versions[i], ABSENT) == 0)
			continue;
		hook = (struct facts_hook){ strdup(stores.items[i].name), strdup(versions[i]) };
		if (!hook.storage || !hook.version ||
		    array_reserve(&facts->hooks, facts->hook_count, sizeof(hook)) < 0) {
			free(hook.storage);
			free(hook.version);
			return error_set_memory(err);
		}
		facts->hooks[facts->hook_count++] = hook;
	}
	return 0;
}

static int make(const struct pve_node *node, const struct safeties *safeties,
		struct pci_names *names, struct facts *ret, struct error *err)
{
	cleanup_facts struct facts facts = { 0 };
	int r;

	facts.node = strdup(node->name);
	facts.version = strdup(PVE_VFIO_VERSION);
	facts.release = strdup(node->release);
	facts.pve = pve_version_read(node->root);
	if (!facts.pve)
		facts.pve = strdup("");
	if (!facts.node || !facts.version || !facts.release || !facts.pve)
		return error_set_memory(err);
	facts.written = time(NULL);
	for (size_t i = 0; i < node->inventory.count; i++) {
		const struct pci_device *device = &node->inventory.items[i].device;

		if (is_of_chipset(device) && !is_mapped(node, device->name))
			continue;
		if (facts.device_count == FACTS_DEVICES_MAX)
			facts.left_out++;
		else if (add_device(node, i, &safeties->items[i], names, &facts) < 0)
			return error_set_memory(err);
	}
	r = add_hooks(node, &facts, err);
	if (r < 0)
		return r;
	*ret = TAKE_STRUCT(facts);
	return 0;
}

int facts_look(const struct sysroot *root, struct facts *ret, struct error *err)
{
	cleanup_pve_node struct pve_node node = { .root = root };
	cleanup_safeties struct safeties safeties = { 0 };
	cleanup_pci_names struct pci_names names = { 0 };
	int r = pve_node_read(&node, err);

	if (r == 0)
		r = safeties_judge(&node, &safeties, err);
	return r < 0 ? r : make(&node, &safeties, &names, ret, err);
}
