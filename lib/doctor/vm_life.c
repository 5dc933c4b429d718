/* SPDX-License-Identifier: GPL-2.0-or-later */
/* doctor: a VM's life as its configuration and the cluster's have it: start, backup, another node. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "doctor/vm_lint.h"
#include "pve/property.h"
#include "pve/section.h"

#define USER_FILE_MAX ((size_t)1 << 20)

static bool is_on(const char *value)
{
	bool on = false;

	return value && pve_boolean_parse(value, &on) == 0 && on;
}

/* "[name]" and below it "vmstate: …": a snapshot with the VM's memory. */
static char *find_snapshot(const struct lint *lint)
{
	cleanup_free char *path = text_format("etc/pve/qemu-server/%u.conf", lint->vm->vmid);
	cleanup_free char *data = NULL;
	const char *section = NULL;
	char *rest, *line;
	size_t size;

	if (!path || sysroot_read(lint->doctor->node->root, path, VM_CONFIG_MAX, &data, &size) < 0)
		return NULL;
	rest = data;
	while ((line = strsep(&rest, "\n"))) {
		if (*line == '[')
			section = line;
		else if (section && text_starts_with(line, "vmstate:"))
			return text_format("%.*s", (int)strcspn(section + 1, "]"), section + 1);
	}
	return NULL;
}

/* One that is suspended to disk is a matter of its start: see the checks. */
int lint_state(const struct lint *lint, struct verdicts *verdicts)
{
	const char *lock = vm_config_get(lint->config, "lock");
	cleanup_free char *snapshot = find_snapshot(lint), *remedy = NULL;
	int r = 0;

	if (lock && strcmp(lock, "suspended") != 0) {
		remedy = text_format("If no task of that kind is running, 'qm unlock %u'.",
				     lint->vm->vmid);
		r = remedy ? verdict_add(verdicts, VERDICT_WARNING, "vm-locked", "lock", remedy,
					 "The VM is locked ('%s'): Proxmox VE does not start it "
					 "before that has ended.",
					 lock)
			   : -ENOMEM;
	}
	if (r < 0 || !snapshot)
		return r;
	free(remedy);
	remedy =
		text_format("'qm snapshot %u NAME --vmstate 0' makes one without.", lint->vm->vmid);
	return remedy ? verdict_add(verdicts, VERDICT_INFO, "vm-snapshot", snapshot, remedy,
				    "It is a snapshot with the VM's memory. With these devices "
				    "QEMU makes no other of that kind, unless all of them can be "
				    "migrated.")
		      : -ENOMEM;
}

/* The first other VM that starts with the node too and wants a device of this one; NULL. */
static const struct node_vm *find_rival(const struct lint *lint, char device[PCI_ADDRESS_TEXT])
{
	const struct pve_node *node = lint->doctor->node;

	for (size_t i = 0; i < node->vm_count; i++) {
		const struct node_vm *other = &node->vms[i];

		if (other == lint->vm || !is_on(vm_config_get(&other->config, "onboot")))
			continue;
		for (size_t k = 0; k < lint->vm->wanted.count; k++) {
			const struct wanted_device *wanted = &lint->vm->wanted.devices[k];

			if (wanted->kind == WANTED_MDEV ||
			    !wanted_find(&other->wanted, wanted->address))
				continue;
			pci_address_format(wanted->address, device);
			return other;
		}
	}
	return NULL;
}

int lint_onboot(const struct lint *lint, struct verdicts *verdicts)
{
	cleanup_free char *remedy = NULL;
	char device[PCI_ADDRESS_TEXT];
	const struct node_vm *rival;

	if (!is_on(vm_config_get(lint->config, "onboot")))
		return 0;
	rival = find_rival(lint, device);
	if (!rival)
		return verdict_add(verdicts, VERDICT_INFO, "onboot", "onboot", NULL,
				   "The VM starts with the node: the host has these devices for a "
				   "moment only.");
	remedy = text_format("Let one of them start by hand: 'qm set %u --onboot 0'.", rival->vmid);
	return remedy ? verdict_add(verdicts, VERDICT_WARNING, "onboot", "onboot", remedy,
				    "The VM starts with the node, and so does VM %u, which wants "
				    "%s too: the second is refused.",
				    rival->vmid, device)
		      : -ENOMEM;
}

/* user.cfg: "pool:NAME:COMMENT:VMID,VMID:STORAGES:" (PVE::AccessControl, parse_user_config()). */
static bool pool_has(const struct sysroot *root, const char *pool, const char *vmid)
{
	cleanup_free char *data = NULL;
	char *rest, *line;
	size_t size;

	if (sysroot_read(root, "etc/pve/user.cfg", USER_FILE_MAX, &data, &size) < 0)
		return false;
	rest = data;
	while ((line = strsep(&rest, "\n"))) {
		const char *type = strsep(&line, ":"), *name = strsep(&line, ":");
		const char *vms = strsep(&line, ":") ? strsep(&line, ":") : NULL;

		if (strcmp(type, "pool") == 0 && text_equal(name, pool) && vms)
			return list_has_word(vms, vmid, false);
	}
	return false;
}

/* As vzdump chooses: PVE::VZDump, get_included_guests(). */
static bool job_takes(const struct lint *lint, const struct section *job, const char *vmid)
{
	const char *vms = section_get(job, "vmid"), *pool = section_get(job, "pool");
	const char *exclude = section_get(job, "exclude"), *node = section_get(job, "node");

	if (strcmp(job->type, "vzdump") != 0 || !section_is_on(job, "enabled", true) ||
	    (node && *node && strcmp(node, lint->doctor->node->name) != 0))
		return false;
	if (vms)
		return list_has_word(vms, vmid, false);
	if (exclude && list_has_word(exclude, vmid, false))
		return false;
	return pool ? pool_has(lint->doctor->node->root, pool, vmid)
		    : section_is_on(job, "all", false);
}

int lint_backup(const struct lint *lint, struct verdicts *verdicts)
{
	cleanup_sections struct sections jobs = { 0 };
	char vmid[16];

	snprintf(vmid, sizeof(vmid), "%u", lint->vm->vmid);
	(void)sections_read(lint->doctor->node->root, "etc/pve/jobs.cfg", &jobs);
	for (size_t i = 0; i < jobs.count; i++)
		if (job_takes(lint, &jobs.items[i], vmid))
			return verdict_add(verdicts, VERDICT_INFO, "backup", NULL,
					   "Choose a time at which the host can do without the "
					   "devices, or let the VM run.",
					   "The backup job '%s' has it. A backup of a stopped VM "
					   "starts it, paused: it takes its devices from the host "
					   "meanwhile, and fails when another VM has them.",
					   jobs.items[i].name);
	return 0;
}

/* ---- high availability */

/* "pve1:2,pve2" without the priorities. */
static int add_nodes(const char *list, struct strings *nodes)
{
	while (list && *list) {
		char name[NODE_NAME_MAX + 1];

		list += strspn(list, ",; \t");
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(list, ",; \t:"), list);
		if (*name && strings_add(nodes, name) < 0)
			return -ENOMEM;
		list += strcspn(list, ",; \t");
	}
	return 0;
}

/* The list of nodes that a strict rule (Proxmox VE 9) or a restricted group (8) allows, or NULL. */
static const char *find_limit(const struct section *resource, const struct sections *groups,
			      const struct sections *rules)
{
	const char *group = section_get(resource, "group");
	cleanup_free char *name = text_format("vm:%s", resource->name);

	for (size_t i = 0; name && i < rules->count; i++) {
		const struct section *rule = &rules->items[i];
		const char *resources = section_get(rule, "resources");

		if (strcmp(rule->type, "node-affinity") == 0 && resources &&
		    list_has_word(resources, name, false) && section_is_on(rule, "strict", false) &&
		    !section_is_on(rule, "disable", false))
			return section_get(rule, "nodes");
	}
	for (size_t i = 0; group && i < groups->count; i++)
		if (strcmp(groups->items[i].type, "group") == 0 &&
		    strcmp(groups->items[i].name, group) == 0 &&
		    section_is_on(&groups->items[i], "restricted", false))
			return section_get(&groups->items[i], "nodes");
	return NULL;
}

/* The section of this VM among the resources, or NULL. */
static const struct section *find_resource(const struct lint *lint, const struct sections *all)
{
	const struct section *resource;
	char vmid[16];

	snprintf(vmid, sizeof(vmid), "%u", lint->vm->vmid);
	resource = sections_find(all, "vm", vmid);
	return resource && !text_equal(section_get(resource, "state"), "ignored") ? resource : NULL;
}

static bool mapping_is_on(const struct mapping *mapping, const char *node)
{
	for (size_t i = 0; i < mapping->count; i++)
		if (strcmp(mapping->entries[i].node, node) == 0)
			return true;
	return false;
}

/* What of the VM is not on `node`, NULL being any other; NULL where it has all there. */
static char *find_absent(const struct lint *lint, const char *node)
{
	for (unsigned i = 0; i < HOSTPCI_COUNT; i++) {
		const struct hostpci *line = &lint->config->hostpci[i].hostpci;
		const struct mapping *mapping;
		bool elsewhere = false;

		if (!lint->config->hostpci[i].present)
			continue;
		if (line->host.count > 0)
			return text_format("where %s is another device or none",
					   line->host.items[0]);
		mapping = line->mapping
				  ? mappings_find(&lint->doctor->node->mappings, line->mapping)
				  : NULL;
		for (size_t k = 0; mapping && !node && k < mapping->count; k++)
			elsewhere |=
				strcmp(mapping->entries[k].node, lint->doctor->node->name) != 0;
		if (mapping && !(node ? mapping_is_on(mapping, node) : elsewhere))
			return text_format("for which the mapping '%s' has no device",
					   line->mapping);
	}
	return NULL;
}

static int add_ha(const char *node, const char *absent, struct verdicts *verdicts)
{
	return verdict_add(
		verdicts, VERDICT_WARNING, "ha-address", NULL,
		"Use a resource mapping with a device on every node (Datacenter, Resource "
		"Mappings), or allow this node alone (Datacenter, HA: a strict rule, or "
		"a restricted group).",
		"High availability may start it on %s%s%s, %s.", node ? "node '" : "another node",
		node ? node : "", node ? "'" : "", absent);
}

int lint_ha(const struct lint *lint, struct verdicts *verdicts)
{
	const struct pve_node *node = lint->doctor->node;
	cleanup_sections struct sections resources = { 0 }, groups = { 0 }, rules = { 0 };
	cleanup_strings struct strings nodes = { 0 };
	cleanup_free char *absent = NULL;
	const struct section *resource;
	const char *limit;

	(void)sections_read(node->root, "etc/pve/ha/resources.cfg", &resources);
	(void)sections_read(node->root, "etc/pve/ha/groups.cfg", &groups);
	(void)sections_read(node->root, "etc/pve/ha/rules.cfg", &rules);
	resource = find_resource(lint, &resources);
	if (!resource)
		return 0;
	limit = find_limit(resource, &groups, &rules);
	if (limit && add_nodes(limit, &nodes) < 0)
		return -ENOMEM;
	if (!limit && sysroot_list(node->root, "etc/pve/nodes", &nodes) == -ENOMEM)
		return -ENOMEM;
	for (size_t i = 0; i < nodes.count; i++) {
		if (strcmp(nodes.items[i], node->name) == 0)
			continue;
		absent = find_absent(lint, nodes.items[i]);
		if (absent)
			return add_ha(nodes.items[i], absent, verdicts);
	}
	if (nodes.count > 0)
		return 0;
	absent = find_absent(lint, NULL);
	return absent ? add_ha(NULL, absent, verdicts) : 0;
}

/* ---- migration */

/* Datacenter options: "ha: shutdown_policy=migrate". */
static bool node_migrates_at_shutdown(const struct pve_node *node)
{
	cleanup_free char *data = NULL;
	char *rest, *line;
	size_t size;

	if (sysroot_read(node->root, "etc/pve/datacenter.cfg", USER_FILE_MAX, &data, &size) < 0)
		return false;
	rest = data;
	while ((line = strsep(&rest, "\n")))
		if (text_starts_with(line, "ha:") && strstr(line, "shutdown_policy=migrate"))
			return true;
	return false;
}

/* A part of a device (mdev, vGPU) or its own VFIO driver may be migrated, the whole of it not. */
static int judge_line(const struct lint *lint, unsigned number, bool *ret_whole,
		      struct verdicts *verdicts)
{
	const struct hostpci *line = &lint->config->hostpci[number].hostpci;
	const struct mapping *mapping =
		line->mapping ? mappings_find(&lint->doctor->node->mappings, line->mapping) : NULL;
	char source[16];

	if (!lint->config->hostpci[number].present || line->mdev || line->keep)
		return 0;
	*ret_whole = true;
	if (!mapping || !mapping->migratable)
		return 0;
	snprintf(source, sizeof(source), "hostpci%u", number);
	return verdict_add(
		verdicts, VERDICT_WARNING, "vm-migration", source,
		"Take 'live-migration-capable' out of the mapping (Datacenter, Resource "
		"Mappings); move the VM while it is off.",
		"The mapping '%s' says that its devices can be migrated live. The VM has "
		"the whole device by vfio-pci, and its migration fails.",
		mapping->name);
}

int lint_migration(const struct lint *lint, struct verdicts *verdicts)
{
	cleanup_sections struct sections resources = { 0 };
	cleanup_free char *remedy = NULL;
	bool whole = false;
	int r = 0;

	for (unsigned i = 0; i < HOSTPCI_COUNT && r == 0; i++)
		r = judge_line(lint, i, &whole, verdicts);
	(void)sections_read(lint->doctor->node->root, "etc/pve/ha/resources.cfg", &resources);
	if (r < 0 || !whole || !find_resource(lint, &resources) ||
	    !node_migrates_at_shutdown(lint->doctor->node))
		return r;
	remedy = text_format(
		"Set another shutdown policy (Datacenter, Options, HA Settings), or take "
		"the VM out: 'ha-manager remove vm:%u'.",
		lint->vm->vmid);
	return remedy ? verdict_add(
				verdicts, VERDICT_WARNING, "ha-migrate", NULL, remedy,
				"When the node is shut down, high availability wants to migrate "
				"the running VM first (shutdown_policy=migrate), which these "
				"devices do not allow: the shutdown waits for it.")
		      : -ENOMEM;
}
