/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: whether the devices of the plan answer, and can be reset. Those that are stuck are left. */
#include "use/reset.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "check/check.h"
#include "check/remedy.h"
#include "pci/facts.h"
#include "use/network.h"
#include "use/storage.h"

/* Base classes: PCI Code and ID Assignment, 1. */
#define CLASS_MEMORY 0x05
#define CLASS_SYSTEM 0x08
#define CLASS_SIGNAL 0x11
#define CLASS_SMBUS  0x0c05

/* AMD's processors and chipsets; the maker of its cards is another, 1002. */
#define VENDOR_AMD_CHIP 0x1022

/* Others of the plan on the same bus, of which the same is to be said. */
static void add_others(const struct start *start, const struct plan_device *planned,
		       struct text *words)
{
	bool any = false;

	for (const struct plan_device *other = planned + 1;
	     other < start->plan.devices + start->plan.device_count; other++) {
		if (other->device.address.domain != planned->device.address.domain ||
		    other->device.address.bus != planned->device.address.bus ||
		    reset_reach_read(start->root, other->device.name) != RESET_BUS)
			continue;
		text_add(words, "%s%s", any ? ", " : "; the same goes for ", other->device.name);
		any = true;
	}
}

/* The host has a disk or an interface of it. What cannot be determined counts as a use. */
static bool host_uses(const struct start *start, const char *address)
{
	cleanup_holders struct holders holders = { 0 };
	cleanup(network_sight_done) struct network_sight sight = { 0 };
	cleanup_strings struct strings uses = { 0 };

	return storage_uses_find(start->root, address, &start->plan.openings, &uses, &holders,
				 NULL) < 0 ||
	       network_uses_find(start->root, address, &sight, &uses, NULL) < 0 || uses.count > 0;
}

/* The others of its bus that the VM does not get. */
struct others {
	bool same_slot; /* all are functions of its slot */
	bool card;	/* they are of one maker, and none is a bridge, as a chipset has */
	char used[PCI_ADDRESS_TEXT]; /* one that the host uses; or empty */
};

static void look_at_others(const struct start *start, const struct pci_device *own,
			   const struct pci_addresses *left, struct others *ret)
{
	*ret = (struct others){ .same_slot = true, .card = own->vendor != VENDOR_AMD_CHIP };
	for (size_t i = 0; i < left->count; i++) {
		cleanup_pci_device struct pci_device other = { 0 };

		ret->same_slot &= left->items[i].device == own->address.device;
		if (pci_device_read(start->root, left->items[i], &other, NULL) < 0) {
			ret->card = false;
			continue;
		}
		ret->card &= other.vendor == own->vendor && !other.bridge;
		if (!*ret->used && host_uses(start, other.name))
			snprintf(ret->used, sizeof(ret->used), "%s", other.name);
	}
}

/* One of its bus that the host uses and that only the group brings: it is not a reason to pass more. */
static void find_used_sibling(const struct start *start, const struct plan_device *planned,
			      struct others *others)
{
	for (size_t i = 0; i < start->plan.device_count && !*others->used; i++) {
		const struct plan_device *other = &start->plan.devices[i];

		if (other->sibling &&
		    pci_same_slot(other->device.address, planned->device.address) &&
		    host_uses(start, other->device.name))
			snprintf(others->used, sizeof(others->used), "%s", other->device.name);
	}
}

/*
 * What is with it on its bus decides: functions of the maker of a card can be passed with it, unless
 * the host needs one; those of a processor or a board hardly, and the devices of other slots are other
 * cards.
 */
static int advise(const struct start *start, const struct plan_device *planned,
		  const struct pci_addresses *left, struct findings *findings)
{
	const struct hostpci *line = vm_config_line(&start->config, planned->source);
	cleanup_free char *slot = NULL, *command = NULL;
	struct others others;

	look_at_others(start, &planned->device, left, &others);
	find_used_sibling(start, planned, &others);
	if (!others.same_slot)
		return finding_advise(findings,
				      "If the VM's second start fails: pass the others too, or put "
				      "the card into a slot of its own.");
	if (!others.card || planned->sibling)
		return finding_advise(
			findings, "They are parts of one chip, which no other slot separates. If "
				  "the VM's second start fails, reboot the node, and from then on "
				  "shut the guest down from inside, not by force.");
	if (*others.used)
		return finding_advise(
			findings,
			"The host uses %s, so the card cannot be passed whole. If the "
			"VM's second start fails, reboot the node, or give VM %u a card "
			"of its own.",
			others.used, start->vmid);
	if (!line)
		return finding_advise(findings, "Pass all of the card's functions in 'args'.");
	if (line->mapping)
		return finding_advise(findings,
				      "Pass all of the card: the mapping '%s' with the path '%.*s' "
				      "(Datacenter, Resource Mappings).",
				      line->mapping, (int)strcspn(planned->device.name, "."),
				      planned->device.name);
	slot = text_format("%.*s", (int)strcspn(planned->device.name, "."), planned->device.name);
	if (!slot)
		return -ENOMEM;
	/* while 'attach' looks there is no such line yet */
	command = start->config_text ? text_format("pve-vfio attach %u %s", start->vmid, slot)
				     : remedy_line(start, planned->source, NULL, slot, NULL);
	return command ? finding_advise(findings, "Pass all of the card: '%s'.", command) : -ENOMEM;
}

/* Those the VM gets are reset with it. */
static int check_neighbours(const struct start *start, const struct plan_device *planned,
			    struct findings *findings, struct error *err)
{
	cleanup_pci_addresses struct pci_addresses neighbours = { 0 }, left = { 0 };
	cleanup_text struct text names = { 0 };
	int r = reset_neighbours_find(start->root, planned->device.address, &neighbours, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < neighbours.count; i++) {
		char name[PCI_ADDRESS_TEXT];

		if (plan_has_device(&start->plan, neighbours.items[i]))
			continue;
		text_add(&names, " %s", pci_address_format(neighbours.items[i], name));
		if (pci_addresses_add(&left, neighbours.items[i]) < 0)
			return error_set_memory(err);
	}
	if (left.count == 0)
		return 0;
	add_others(start, planned, &names);
	if (names.failed ||
	    finding_add(findings, CHECK_BUS_RESET_SHARED, planned->device.name,
			"It can be reset only with its whole bus, and there is more on that "
			"bus:%s.",
			names.data) < 0)
		return error_set_memory(err);
	return advise(start, planned, &left, findings) < 0 ? error_set_memory(err) : 0;
}

/* It was reported with an earlier device on the same bus. */
static bool is_reported(const struct start *start, const struct plan_device *planned)
{
	for (const struct plan_device *other = start->plan.devices; other < planned; other++)
		if (other->device.address.domain == planned->device.address.domain &&
		    other->device.address.bus == planned->device.address.bus &&
		    reset_reach_read(start->root, other->device.name) == RESET_BUS)
			return true;
	return false;
}

/*
 * A function that comes along with the group and that no driver drives: memory or another part of a
 * chipset. What state it is in matters to nobody.
 */
static bool is_helper(const struct plan_device *planned)
{
	unsigned base = planned->device.class_code >> 16;

	return planned->sibling &&
	       (!planned->device.driver || base == CLASS_MEMORY || base == CLASS_SYSTEM ||
		base == CLASS_SIGNAL || planned->device.class_code >> 8 == CLASS_SMBUS);
}

static int check_one(const struct start *start, const struct plan_device *planned,
		     struct findings *findings, struct error *err)
{
	const struct pci_device *device = &planned->device;
	int r = 0;

	if (device_is_dead(start->root, device->name)) {
		r = finding_add(findings, CHECK_DEVICE_DEAD, device->name,
				"/sys/bus/pci/devices/%s/config reads ff throughout.",
				device->name);
		if (r == 0)
			r = finding_advise(
				findings,
				"Switch the machine off for a moment; a reboot alone may not "
				"do. If it comes again, keep it awake: \"devices\": {\"%s\": "
				"{\"d3cold\": false, \"power\": \"on\"}} in "
				"/etc/pve/pve-vfio/%u.json.",
				device->name, start->vmid);
		return r < 0 ? error_set_memory(err) : 0;
	}
	switch (reset_reach_read(start->root, device->name)) {
	case RESET_FUNCTION:
		break;
	case RESET_BUS:
		return is_reported(start, planned)
			       ? 0
			       : check_neighbours(start, planned, findings, err);
	case RESET_NONE:
		if (is_helper(planned))
			break;
		r = finding_add(findings, CHECK_NO_RESET, device->name,
				"It cannot be reset, neither alone nor with its bus.");
		break;
	}
	return r < 0 ? error_set_memory(err) : 0;
}

int check_reset(const struct start *start, struct findings *findings, struct error *err)
{
	int r = 0;

	for (size_t i = 0; i < start->plan.device_count && r == 0; i++) {
		const struct plan_device *planned = &start->plan.devices[i];

		if (!planned->device.bridge && !planned->stuck)
			r = check_one(start, planned, findings, err);
	}
	return r;
}
