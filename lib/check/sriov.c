/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: whether virtual functions of a device of the plan are in use, and what one itself needs. */
#include "use/sriov.h"

#include <errno.h>
#include <pci/header.h>
#include <string.h>

#include "change/holding.h"
#include "check/check.h"
#include "check/remedy.h"
#include "pve/reservation.h"
#include "use/eswitch.h"
#include "use/network.h"
#include "use/storage.h"

/* How many functions are named before they are only counted. */
#define NAMES_MAX 4

/* What is asked about the virtual functions of one physical one. */
struct asking {
	const struct start *start;
	struct holdings helds;
	struct reservations reservations;
	struct strings uses;
	struct strings same_vm, vfio; /* functions of which one sentence is said together */
	struct holders holders;
	struct network_sight sight;
	struct error reason;
};

static void asking_done(struct asking *asking)
{
	holdings_done(&asking->helds);
	reservations_done(&asking->reservations);
	strings_done(&asking->uses);
	strings_done(&asking->same_vm);
	strings_done(&asking->vfio);
	holders_done(&asking->holders);
	network_sight_done(&asking->sight);
}

static int add_sentence(struct asking *asking, const char *function, const char *words)
{
	cleanup_free char *sentence = text_format("its virtual function %s %s", function, words);

	return sentence ? strings_add(&asking->uses, sentence) : -ENOMEM;
}

/* The host's own use of one: "its virtual function 0000:03:10.0 is in use: eth4 has …". */
static int add_host_uses(struct asking *asking, const char *function)
{
	const struct start *start = asking->start;
	cleanup_strings struct strings words = { 0 };
	int r;

	r = storage_uses_find(start->root, function, &start->plan.openings, &words,
			      &asking->holders, &asking->reason);
	if (r == 0)
		r = network_uses_find(start->root, function, &asking->sight, &words,
				      &asking->reason);
	for (size_t i = 0; r == 0 && i < words.count; i++) {
		cleanup_free char *sentence = text_format("is in use: %s", words.items[i]);

		r = sentence ? add_sentence(asking, function, sentence) : -ENOMEM;
	}
	return r;
}

/* Whoever has a node of it open: its group, a vGPU's, a render node. Disks are reported above. */
static int add_held(struct asking *asking, const char *function, bool *ret_any)
{
	for (size_t i = 0; i < asking->helds.count; i++) {
		const struct holding *held = &asking->helds.items[i];
		cleanup_free char *who = NULL, *words = NULL;

		if (held->node->kind != NODE_FUNCTION || held->node->id.type == 'b' ||
		    strcmp(held->node->part, function) != 0)
			continue;
		who = holder_words(&held->holder);
		words = who ? text_format("is in use: %s has %s open", who, held->path) : NULL;
		if (!words || add_sentence(asking, function, words) < 0 ||
		    holders_add(&asking->holders, &held->holder) < 0)
			return -ENOMEM;
		*ret_any = true;
	}
	return 0;
}

/* A VM that has it by its journal, or by PVE's reservation, if that is no news. */
static int add_owner(struct asking *asking, const char *function, bool *ret_any)
{
	const struct start *start = asking->start;
	struct holder holder = { .kind = HOLDER_VM };
	const struct journal *journal = claims_against(&start->claims, &start->journal, function);
	cleanup_free char *words = NULL;

	if (journal) {
		holder.vmid = journal->vmid;
	} else {
		const struct reservation *other =
			reservation_blocking(start->root, &asking->reservations, function,
					     start->vmid, time(NULL));

		if (!other)
			return 0;
		holder.vmid = other->vmid;
	}
	*ret_any = true;
	words = text_format("is VM %u's", holder.vmid);
	if (!words || add_sentence(asking, function, words) < 0)
		return -ENOMEM;
	return holders_add(&asking->holders, &holder);
}

/* All VFIO drivers have it in their name. */
static int add_uses(struct asking *asking, struct pci_address address)
{
	cleanup_pci_device struct pci_device function = { 0 };
	const struct start *start = asking->start;
	bool known = false;
	int r;

	r = pci_device_read(start->root, address, &function, &asking->reason);
	if (r < 0)
		return r == -ENODEV ? 0 : r;
	if (plan_has_device(&start->plan, address))
		return strings_add(&asking->same_vm, function.name);
	r = add_held(asking, function.name, &known);
	if (r == 0 && !known)
		r = add_owner(asking, function.name, &known);
	if (r < 0 || known)
		return r;
	if (!function.driver || !strstr(function.driver, "vfio"))
		return add_host_uses(asking, function.name);
	return strings_add(&asking->vfio, function.name);
}

/* "its virtual functions A, B, C and 61 more have a driver of VFIO, so …"; a card can have 256. */
static int add_together(struct asking *asking, const struct strings *functions, const char *of_one,
			const char *of_many)
{
	cleanup_text struct text text = { 0 };

	if (functions->count == 0)
		return 0;
	if (functions->count == 1)
		return add_sentence(asking, functions->items[0], of_one);
	text_add(&text, "its virtual functions ");
	strings_words(functions, 0, NAMES_MAX, &text);
	text_add(&text, " %s", of_many);
	return text.failed ? -ENOMEM : strings_add(&asking->uses, text.data);
}

static int advise(const struct asking *asking, struct findings *findings)
{
	cleanup_free char *remedy = holders_remedy(&asking->holders, asking->start->vmid);

	if (!remedy)
		return -ENOMEM;
	return *remedy ? finding_advise(findings,
					"%s Or pass one of the virtual functions in place of the "
					"physical function.",
					remedy)
		       : 0;
}

/*
 * One whose physical function does not answer its mailbox: igbvf_probe() in igbvf/netdev.c,
 * ixgbevf_sw_init() in ixgbevf_main.c ("PF still in reset state. Is the PF interface up?").
 */
static int check_physical(const struct start *start, const struct pci_device *device,
			  struct findings *findings)
{
	cleanup_strings struct strings interfaces = { 0 };
	struct sriov_place place;
	int r;

	/* A warning only: what cannot be read is not reported. */
	if (device->class_code >> 16 != PCI_BASE_CLASS_NETWORK ||
	    sriov_place_find(start->root, device->name, &place) < 0)
		return 0;
	r = eswitch_interfaces(start->root, place.physical, &interfaces);
	for (size_t i = 0; i < interfaces.count; i++)
		if (network_is_up(start->root, interfaces.items[i]))
			return 0;
	if (r < 0 || interfaces.count == 0)
		return r == -ENOMEM ? r : 0;
	r = finding_add(findings, CHECK_PHYSICAL_DOWN, device->name,
			"%s of its physical function %s is down: the guest has no link with most "
			"cards then, and igbvf and ixgbevf make up a MAC address in place of the "
			"one that is set.",
			interfaces.items[0], place.physical);
	return r < 0 ? r
		     : finding_advise(findings,
				      "'ip link set %s up' before the start; 'auto %s' in "
				      "/etc/network/interfaces has it up after each boot.",
				      interfaces.items[0], interfaces.items[0]);
}

static int check_one(const struct start *start, const struct pci_device *device,
		     struct findings *findings)
{
	cleanup_pci_addresses struct pci_addresses functions = { 0 };
	cleanup(asking_done) struct asking asking = { .start = start };
	bool is_virtual;
	int r = sriov_links_find(start->root, device->name, &functions, &is_virtual,
				 &asking.reason);

	if (r == 0 && functions.count == 0)
		return is_virtual ? check_physical(start, device, findings) : 0;
	if (r == 0)
		r = holdings_find(&start->plan, start->root, &asking.helds, &asking.reason);
	if (r == 0)
		r = reservations_read(start->root, &asking.reservations, &asking.reason);
	for (size_t i = 0; r == 0 && i < functions.count; i++)
		r = add_uses(&asking, functions.items[i]);
	if (r == 0)
		r = add_together(&asking, &asking.same_vm, "is to go to the same VM",
				 "are to go to the same VM");
	if (r == 0)
		r = add_together(&asking, &asking.vfio,
				 "has a driver of VFIO, so a VM has it or may have it",
				 "have a driver of VFIO, so VMs have them or may have them");
	if (r == -ENOMEM)
		return r;
	if (r < 0) {
		r = finding_add(findings, CHECK_SRIOV_IN_USE, device->name,
				"It cannot be determined whether its virtual functions are in "
				"use: %s.",
				asking.reason.message);
		return r < 0 ? r : remedy_unknown(start, findings);
	}
	if (asking.uses.count == 0)
		return 0;
	*asking.uses.items[0] = 'I'; /* each begins with "its virtual function" */
	r = finding_add_list(findings, CHECK_SRIOV_IN_USE, device->name, &asking.uses);
	return r < 0 ? r : advise(&asking, findings);
}

int check_sriov(const struct start *start, struct findings *findings, struct error *err)
{
	for (size_t i = 0; i < start->plan.device_count; i++)
		if (check_one(start, &start->plan.devices[i].device, findings) < 0)
			return error_set_memory(err);
	return 0;
}
