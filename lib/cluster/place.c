/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cluster: where a VM could start. What cannot be determined is said to be unknown. */
#include "cluster/place.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/number.h"
#include "check/finding.h"
#include "pve/version.h"
#include "settings/settings.h"

static const char *const start_names[] = {
	[PLACE_YES] = "yes",
	[PLACE_NO] = "no",
	[PLACE_UNKNOWN] = "unknown",
};

const char *place_start_name(enum place_start start)
{
	return start_names[start];
}

void place_done(struct place *place)
{
	free(place->reason);
	strings_done(&place->notes);
	strings_done(&place->devices);
	*place = (struct place){ 0 };
}

/* The first reason counts. Always 1, or -ENOMEM. */
static int __attribute__((format(printf, 4, 5)))
decide(struct place *place, enum place_start start, const char *id, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	place->start = start;
	place->id = id;
	place->reason = text_format_list(format, arguments);
	va_end(arguments);
	return place->reason ? 1 : -ENOMEM;
}

/* What is being judged. Each step returns 0 to go on, 1 where it is decided, or -errno. */
struct judging {
	const struct cluster *cluster;
	const struct cluster_vm *vm;
	const struct cluster_node *node;
	size_t at;
	bool mdev; /* Proxmox VE compares `mdev` of mappings on that node */
	struct place *place;
	struct error *err;
};

static int need_facts(struct judging *judging)
{
	const struct cluster_node *node = judging->node;

	if (!node->unknown)
		return 0;
	return decide(judging->place, PLACE_UNKNOWN, node->unknown, "%s", node->why);
}

/* ---- a device on the node */

static int look_in_facts(const void *context, const char *address, struct mapping_device *ret,
			 struct error *err)
{
	const struct facts_device *device = facts_find(context, address);

	(void)err;
	if (!device)
		return -ENODEV;
	*ret = (struct mapping_device){
		.vendor = device->device.vendor,
		.device = device->device.device,
		.subsystem_vendor = device->device.subsystem_vendor,
		.subsystem_device = device->device.subsystem_device,
		.iommu_group = device->device.iommu_group,
		.mdev = device->mdev,
	};
	return 0;
}

/* A VM that has it now is no reason: it will not be there for ever, and is a note. */
static bool is_refused(const struct facts_device *device)
{
	static const char *const passing[] = { "device-owned", "device-held", "device-reserved",
					       "vm" };

	if (device->pass != PASS_NO)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(passing); i++)
		if (text_equal(device->why, passing[i]))
			return false;
	return true;
}

static int refuse_device(struct judging *judging, const char *key,
			 const struct facts_device *device)
{
	enum check_id id;
	bool known = device->why && check_id_parse(device->why, &id) == 0;

	return decide(judging->place, PLACE_NO, known ? check_describe(id)->id : "not-passable",
		      "%s: %s %s: %s", key, device->device.name, device->name,
		      known	    ? check_describe(id)->meaning
		      : device->why ? device->why
				    : "it cannot be passed there");
}

/* ---- a line with a mapping */

#define ALTERNATIVES_MAX 64

struct choice {
	const struct mapping_entry *entries[ALTERNATIVES_MAX];
	size_t count;
};

static int check_entries(struct judging *judging, const char *key, const struct mapping *mapping,
			 struct choice *choice)
{
	for (size_t i = 0; i < mapping->count; i++) {
		const struct mapping_entry *entry = &mapping->entries[i];
		cleanup_free char *fault = NULL;
		int r;

		if (strcmp(entry->node, judging->node->member->node) != 0)
			continue;
		if (judging->node->unknown)
			return need_facts(judging);
		/* PVE checks each before it takes one, and dies of the first that is wrong. */
		r = mapping_entry_compare(mapping, entry, judging->mdev, look_in_facts,
					  &judging->node->facts, &fault, judging->err);
		if (r < 0)
			return r;
		if (fault)
			return decide(judging->place, PLACE_NO, "mapping-wrong",
				      "%s: mapping '%s': %s", key, mapping->name, fault);
		if (choice->count < ALTERNATIVES_MAX)
			choice->entries[choice->count++] = entry;
	}
	if (choice->count == 0)
		return decide(judging->place, PLACE_NO, "mapping-missing",
			      "%s: the mapping '%s' has no device on this node", key,
			      mapping->name);
	return 0;
}

/* An earlier line of the VM has one of its devices. */
static bool is_taken(const struct judging *judging, const struct facts_device *device)
{
	return strings_has(&judging->place->devices, device->device.name);
}

/* All devices of an alternative, or the one that speaks against it in *ret_against. */
static bool fits(const struct judging *judging, const struct mapping_entry *entry,
		 const struct facts_device **ret_against, bool *ret_taken)
{
	const struct facts *facts = &judging->node->facts;

	*ret_taken = false;
	for (size_t p = 0; p < entry->paths.count; p++)
		for (size_t i = 0; i < facts->device_count; i++) {
			const struct facts_device *device = &facts->devices[i];

			if (!hostpci_host_is(entry->paths.items[p], device->device.name))
				continue;
			*ret_taken = is_taken(judging, device);
			*ret_against = device;
			if (*ret_taken || is_refused(device))
				return false;
		}
	return true;
}

static int take(struct judging *judging, const struct strings *words)
{
	const struct facts *facts = &judging->node->facts;

	for (size_t w = 0; w < words->count; w++)
		for (size_t i = 0; i < facts->device_count; i++)
			if (hostpci_host_is(words->items[w], facts->devices[i].device.name) &&
			    strings_add(&judging->place->devices, facts->devices[i].device.name) <
				    0)
				return -ENOMEM;
	return 0;
}

static int judge_mapping(struct judging *judging, const char *key, const struct hostpci *line)
{
	const struct mapping *mapping = mappings_find(&judging->cluster->mappings, line->mapping);
	const struct facts_device *against = NULL, *refused = NULL;
	struct choice choice = { .count = 0 };
	int r;

	if (!mapping)
		return decide(judging->place, PLACE_NO, "mapping-missing",
			      "%s: there is no mapping '%s'", key, line->mapping);
	r = check_entries(judging, key, mapping, &choice);
	if (r != 0 || line->mdev)
		return r;
	for (size_t i = 0; i < choice.count; i++) {
		bool taken;

		if (fits(judging, choice.entries[i], &against, &taken))
			return take(judging, &choice.entries[i]->paths);
		if (!taken)
			refused = against;
	}
	if (refused)
		return refuse_device(judging, key, refused);
	return decide(judging->place, PLACE_NO, "mapping-busy",
		      "%s: other lines of the VM take all devices that '%s' has on this node", key,
		      line->mapping);
}

/* ---- a line with an address */

static int check_pin(struct judging *judging, const char *key, const struct facts_device *device)
{
	cleanup_settings struct settings settings = { 0 };
	const struct pci_device *of = &device->device;
	const struct pci_identity now = {
		.vendor = of->vendor,
		.device = of->device,
		.subsystem_vendor = of->subsystem_vendor,
		.subsystem_device = of->subsystem_device,
		.class_code = of->class_code,
	};
	const struct pin *pin;

	if (settings_read(judging->cluster->root, judging->vm->vmid, judging->node->member->node,
			  &settings, NULL) < 0)
		return 0;
	pin = settings_pin(&settings, judging->node->member->node, of->address);
	if (!pin || pci_identity_matches(&pin->identity, &now))
		return 0;
	return decide(judging->place, PLACE_NO, "device-changed",
		      "%s: %s is another device than at the last start (%04x:%04x, not "
		      "%04x:%04x)",
		      key, of->name, of->vendor, of->device, pin->identity.vendor,
		      pin->identity.device);
}

static int judge_address(struct judging *judging, const char *key, const char *word)
{
	const struct facts *facts = &judging->node->facts;
	bool seen = false;
	int r;

	for (size_t i = 0; i < facts->device_count; i++) {
		const struct facts_device *device = &facts->devices[i];

		if (!hostpci_host_is(word, device->device.name))
			continue;
		seen = true;
		if (is_taken(judging, device))
			return decide(judging->place, PLACE_NO, "config-device-twice",
				      "%s: another line of the VM has %s, too", key,
				      device->device.name);
		r = is_refused(device) ? refuse_device(judging, key, device)
				       : check_pin(judging, key, device);
		if (r != 0)
			return r;
	}
	if (!seen)
		return decide(judging->place, PLACE_NO, "device-absent",
			      "%s: there is no device at %s", key, word);
	return 0;
}

static int judge_host(struct judging *judging, const char *key, const struct hostpci *line)
{
	int r;

	if (judging->at != judging->vm->node)
		return decide(judging->place, PLACE_NO, "local-device",
			      "%s names a device by its address, and Proxmox VE moves no VM with "
			      "such; 'pve-vfio attach' with --mapping makes it one of each node",
			      key);
	r = need_facts(judging);
	for (size_t i = 0; i < line->host.count && r == 0; i++)
		r = judge_address(judging, key, line->host.items[i]);
	return r == 0 && !line->mdev ? take(judging, &line->host) : r;
}

static int judge_lines(struct judging *judging)
{
	const struct vm_config *config = &judging->vm->config;
	const char *args = vm_config_get(config, "args");
	int r = 0;

	for (unsigned i = 0; i < HOSTPCI_COUNT && r == 0; i++) {
		const struct hostpci *line = &config->hostpci[i].hostpci;
		char key[16];

		if (!config->hostpci[i].present)
			continue;
		snprintf(key, sizeof(key), "hostpci%u", i);
		r = line->mapping ? judge_mapping(judging, key, line)
				  : judge_host(judging, key, line);
	}
	if (r == 0 && args && strstr(args, "vfio-pci") && judging->at != judging->vm->node)
		r = decide(judging->place, PLACE_UNKNOWN, "args",
			   "its args name a device by an address, which another has on each node");
	return r;
}

/* ---- the hookscript */

static int judge_hook(struct judging *judging)
{
	const char *volume = vm_config_get(&judging->vm->config, "hookscript");
	const char *colon = volume ? strchr(volume, ':') : NULL;
	const struct facts *facts = &judging->node->facts;
	const struct facts_hook *hook;
	cleanup_free char *storage = NULL;

	if (!colon || strcmp(colon, HOOK_VOLUME) != 0)
		return 0;
	if (judging->node->unknown)
		return need_facts(judging);
	storage = strndup(volume, (size_t)(colon - volume));
	if (!storage)
		return -ENOMEM;
	hook = facts_hook_find(facts, storage);
	if (!hook)
		return decide(judging->place, PLACE_NO, "hook-missing",
			      "its hookscript %s is not there, and Proxmox VE does not start it "
			      "without",
			      volume);
	if (strcmp(hook->version, FACTS_HOOK_UNSEEN) == 0)
		return decide(judging->place, PLACE_UNKNOWN, "hook-unseen",
			      "its hookscript %s could not be looked at there", volume);
	if (*hook->version && strverscmp(hook->version, PVE_VFIO_VERSION) < 0) {
		cleanup_free char *note =
			text_format("its hookscript there is of version %s, older than %s here",
				    hook->version, PVE_VFIO_VERSION);

		return note ? strings_add(&judging->place->notes, note) : -ENOMEM;
	}
	return 0;
}

/* ---- other VMs of the node */

static bool names(const struct cluster *cluster, const struct cluster_vm *vm, const char *node,
		  const char *address)
{
	for (unsigned i = 0; i < HOSTPCI_COUNT; i++) {
		const struct hostpci *line = &vm->config.hostpci[i].hostpci;
		const struct mapping *mapping =
			line->mapping ? mappings_find(&cluster->mappings, line->mapping) : NULL;

		if (!vm->config.hostpci[i].present || line->mdev)
			continue;
		for (size_t k = 0; k < line->host.count; k++)
			if (hostpci_host_is(line->host.items[k], address))
				return true;
		for (size_t k = 0; mapping && k < mapping->count; k++)
			for (size_t p = 0; p < mapping->entries[k].paths.count; p++)
				if (strcmp(mapping->entries[k].node, node) == 0 &&
				    hostpci_host_is(mapping->entries[k].paths.items[p], address))
					return true;
	}
	return false;
}

static uint32_t find_user(const struct cluster *cluster, size_t node, const char *address,
			  uint32_t but)
{
	for (size_t i = 0; i < cluster->vm_count; i++) {
		const struct cluster_vm *vm = &cluster->vms[i];

		if (vm->vmid != but && vm->node == node && !vm->config.is_template &&
		    names(cluster, vm, cluster->members.items[node].node, address))
			return vm->vmid;
	}
	return 0;
}

/* Who has one of an IOMMU group has all of it. */
uint32_t cluster_user(const struct cluster *cluster, size_t node, const char *address, uint32_t but)
{
	const struct facts *facts = &cluster->nodes[node].facts;
	const struct facts_device *device = facts_find(facts, address);
	uint32_t user = find_user(cluster, node, address, but);

	if (!device || device->device.iommu_group == IOMMU_GROUP_NONE)
		return user;
	for (size_t i = 0; i < facts->device_count && !user; i++)
		if (facts->devices[i].device.iommu_group == device->device.iommu_group)
			user = find_user(cluster, node, facts->devices[i].device.name, but);
	return user;
}

static int note_users(struct judging *judging)
{
	struct place *place = judging->place;

	for (size_t i = 0; i < place->devices.count; i++) {
		uint32_t other = cluster_user(judging->cluster, judging->at,
					      place->devices.items[i], judging->vm->vmid);
		cleanup_free char *note = NULL;

		if (!other)
			continue;
		note = text_format("VM %" PRIu32 " there may have %s, too: one of them at a time",
				   other, place->devices.items[i]);
		if (!note)
			return -ENOMEM;
		if (strings_add(&place->notes, note) < 0)
			return -ENOMEM;
	}
	return 0;
}

int place_judge(const struct cluster *cluster, const struct cluster_vm *vm, size_t node,
		struct place *ret, struct error *err)
{
	cleanup_place struct place place = { .start = PLACE_YES };
	struct judging judging = {
		.cluster = cluster,
		.vm = vm,
		.node = &cluster->nodes[node],
		.at = node,
		.place = &place,
		.err = err,
	};
	const char *version = judging.node->facts.pve;
	int r = 0;

	judging.mdev =
		pve_rule_holds_in(PVE_RULE_MAPPING_MDEV, version && *version ? version : NULL);
	if (vm->config.is_template)
		r = decide(&place, PLACE_NO, "template", "it is a template, which nobody starts");
	else if (!judging.node->member->online)
		r = decide(&place, PLACE_NO, "offline", "the node is not online");
	if (r == 0)
		r = judge_lines(&judging);
	if (r == 0)
		r = judge_hook(&judging);
	if (r == 0)
		r = note_users(&judging);
	if (r < 0)
		return r == -ENOMEM ? error_set_memory(err) : r;
	*ret = TAKE_STRUCT(place);
	return 0;
}
