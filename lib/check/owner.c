/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * check: whether another VM or process has a device of the plan. What its journal, PVE's
 * reservation and its open files say of the same VM is one finding.
 */
#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "change/displace.h"
#include "change/holding.h"
#include "check/check.h"
#include "pve/qemu.h"
#include "pve/reservation.h"

/* Somebody who has devices of the plan. */
struct owner {
	uint32_t vmid;		    /* 0: a process that belongs to no VM */
	const struct holding *held; /* the first node that it has open; NULL */
	const struct journal *journal;
	const char *source; /* in that journal: "hostpci0" */
	bool reserved;
	struct strings devices; /* addresses */
};

struct owners {
	struct owner *items;
	size_t count;
};

static void owners_done(struct owners *owners)
{
	for (size_t i = 0; i < owners->count; i++)
		strings_done(&owners->items[i].devices);
	free(owners->items);
}

/* The entry of a VM, or for 0 of the process; NULL without memory. */
static struct owner *owner_of(struct owners *owners, uint32_t vmid, const struct holding *held,
			      const char *address)
{
	struct owner *owner = NULL;

	for (size_t i = 0; i < owners->count && !owner; i++)
		if (owners->items[i].vmid == vmid &&
		    (vmid || (held && owners->items[i].held->holder.pid == held->holder.pid)))
			owner = &owners->items[i];
	if (!owner) {
		if (array_reserve(&owners->items, owners->count, sizeof(*owner)) < 0)
			return NULL;
		owner = &owners->items[owners->count++];
		*owner = (struct owner){ .vmid = vmid };
	}
	if (!strings_has(&owner->devices, address) && strings_add(&owner->devices, address) < 0)
		return NULL;
	if (held && !owner->held)
		owner->held = held;
	return owner;
}

static bool has_owner(const struct owners *owners, uint32_t vmid)
{
	for (size_t i = 0; i < owners->count; i++)
		if (owners->items[i].vmid == vmid)
			return true;
	return false;
}

static int add_held(const struct holdings *helds, struct owners *owners)
{
	for (size_t i = 0; i < helds->count; i++) {
		const struct holding *held = &helds->items[i];
		uint32_t vmid = held->holder.kind == HOLDER_VM ? held->holder.vmid : 0;

		if (held->node->kind == NODE_VFIO &&
		    !owner_of(owners, vmid, held, held->node->address))
			return -ENOMEM;
	}
	return 0;
}

static int add_claim(const struct journal *journal, const char *name, struct owners *owners)
{
	const struct action *action = claim_find(journal, name);
	struct owner *owner;

	if (!action)
		return 0;
	owner = owner_of(owners, journal->vmid, NULL, name);
	if (!owner)
		return -ENOMEM;
	if (!owner->journal)
		owner->source = action->type == ACTION_BIND ? action->source : "asked for";
	owner->journal = journal;
	return 0;
}

/*
 * A device that its VM has stopped with and only kept from the host may change hands; so may that of
 * one that gives way, unless another start has it give way too.
 */
static int add_claims(const struct start *start, struct owners *owners)
{
	int r = 0;

	for (size_t i = 0; i < start->claims.count; i++) {
		const struct journal *journal = &start->claims.items[i];

		if (claim_is_free(journal, &start->journal) ||
		    actions_displace(&start->plan.actions, GUEST_VM, journal->vmid, false))
			continue;
		for (size_t k = 0; k < start->plan.device_count && r == 0; k++)
			r = add_claim(journal, start->plan.devices[k].device.name, owners);
	}
	return r;
}

/* PVE reserves what hostpci lines claim, and nothing for a mediated device, `args` or the group. */
static int add_reservations(const struct start *start, struct owners *owners, struct error *err)
{
	cleanup_reservations struct reservations reservations = { 0 };
	time_t now = time(NULL);
	int r = start->wanted.count > 0 ? reservations_read(start->root, &reservations, err) : 0;

	for (size_t i = 0; i < start->wanted.count && r == 0; i++) {
		const struct wanted_device *device = &start->wanted.devices[i];
		const struct reservation *other;
		struct owner *owner;
		char name[PCI_ADDRESS_TEXT];

		if (device->use == WANTED_ALTERNATIVE || device->kind == WANTED_MDEV ||
		    strcmp(device->source, SOURCE_ARGS) == 0)
			continue;
		pci_address_format(device->address, name);
		other = reservation_blocking(start->root, &reservations, name, start->vmid, now);
		if (!other || actions_displace(&start->plan.actions, GUEST_VM, other->vmid, false))
			continue;
		owner = owner_of(owners, other->vmid, NULL, name);
		if (!owner)
			return error_set_memory(err);
		owner->reserved = true;
	}
	return r;
}

/* ---- reported */

/* "VM 100 (process 2001) has /dev/vfio/27 open, and its journal says 'running' (hostpci0 there)" */
static char *describe(const struct owner *owner)
{
	struct text text = { 0 };

	if (owner->held) {
		cleanup_free char *who = holder_words(&owner->held->holder);

		if (owner->held->holder.kind != HOLDER_VM && who && *who >= 'a' && *who <= 'z')
			*who = (char)(*who - 'a' + 'A');
		text_add(&text, "%s has %s open", who ? who : "", owner->held->path);
		if (owner->journal)
			text_add(&text, ", and its journal says '%s' (%s there)",
				 journal_phase_name(owner->journal->phase), owner->source);
		if (owner->reserved)
			text_add(&text, ", and Proxmox VE has reserved it for that VM");
	} else if (owner->journal) {
		text_add(&text, "VM %u has it (%s there; its journal says '%s')%s", owner->vmid,
			 owner->source, journal_phase_name(owner->journal->phase),
			 owner->reserved ? ", and Proxmox VE has reserved it for that VM" : "");
	} else {
		text_add(&text, "It is reserved for VM %u (%s)", owner->vmid, RESERVATION_PATH);
	}
	for (size_t i = 1; i < owner->devices.count; i++)
		text_add(&text, "%s%s", i == 1 ? "; the same goes for " : ", ",
			 owner->devices.items[i]);
	text_add(&text, ".");
	return text_take(&text);
}

/* Adds to the remedy that was given how the VM could give way. */
static int advise_displacing(const struct start *start, uint32_t vmid, const char *remedy,
			     struct findings *findings)
{
	const struct guest guest = { GUEST_VM, vmid };
	cleanup_free char *advice = check_displace_advice(start, &guest);

	if (!advice)
		return -ENOMEM;
	return finding_advise(findings, "%s%s%s", remedy, *advice ? " " : "", advice);
}

/* A journal without a QEMU is that of a start that is on its way, or of one that came to nothing. */
static int advise(const struct start *start, const struct owner *owner, struct findings *findings)
{
	cleanup_holders struct holders holders = { 0 };
	cleanup_free char *remedy = NULL;
	struct task qemu = { 0 };

	if (owner->held) {
		if (holders_add(&holders, &owner->held->holder) < 0)
			return -ENOMEM;
		remedy = holders_remedy(&holders, start->vmid);
		if (!remedy)
			return -ENOMEM;
		return owner->vmid ? advise_displacing(start, owner->vmid, remedy, findings)
				   : finding_advise(findings, "%s", remedy);
	}
	if (owner->journal && !owner->reserved &&
	    qemu_find(start->root, owner->vmid, &qemu, NULL) == 0 && !qemu.pid)
		return finding_advise(findings,
				      "VM %u does not run. Unless it is just starting, "
				      "'pve-vfio restore %u' gives its devices back.",
				      owner->vmid, owner->vmid);
	remedy = text_format("Shut VM %u down ('qm shutdown %u').", owner->vmid, owner->vmid);
	return remedy ? advise_displacing(start, owner->vmid, remedy, findings) : -ENOMEM;
}

/* Who allows that a journal names the device does not mean that a QEMU has it. */
static enum check_id id_of(const struct start *start, const struct owner *owner)
{
	const char *owned = check_describe(CHECK_DEVICE_OWNED)->id;

	if (owner->journal && !(owner->held && strings_has(&start->settings.allow, owned)))
		return CHECK_DEVICE_OWNED;
	return owner->held ? CHECK_DEVICE_HELD : CHECK_DEVICE_RESERVED;
}

/*
 * A guest is shut down for one start at a time. Where the other start wants a device of this plan too, that
 * is what there is to tell.
 */
static int tell_asked(const struct start *start, const struct owners *owners,
		      struct findings *findings)
{
	int r = 0;

	for (size_t i = 0; i < start->plan.actions.count && r == 0; i++) {
		const struct action *action = &start->plan.actions.items[i];
		struct guest guest;
		uint32_t other;

		if (!displace_is_asked(action) || guest_parse(action->target, &guest) < 0)
			continue;
		other = displace_asked_by(&start->claims, action->target);
		if (!other || has_owner(owners, other))
			continue;
		r = finding_add(findings, CHECK_DEVICE_OWNED, action->target,
				"VM %u is starting just now and has %s %u give way for another "
				"device; a guest gives way to one start at a time.",
				other, guest_kind_name(guest.kind), guest.vmid);
		if (r == 0)
			r = finding_advise(findings, "'qm start %u' once VM %u runs.", start->vmid,
					   other);
	}
	return r;
}

static int tell(const struct start *start, const struct owners *owners, struct findings *findings)
{
	int r = 0;

	for (size_t i = 0; i < owners->count && r == 0; i++) {
		const struct owner *owner = &owners->items[i];
		cleanup_free char *words = describe(owner);
		enum check_id id = id_of(start, owner);

		r = words ? finding_add(findings, id, owner->devices.items[0], "%s", words)
			  : -ENOMEM;
		if (r == 0)
			r = advise(start, owner, findings);
	}
	return r == 0 ? tell_asked(start, owners, findings) : r;
}

int check_claims(const struct start *start, struct findings *findings, struct error *err)
{
	cleanup(owners_done) struct owners owners = { 0 };
	int r = add_claims(start, &owners);

	if (r == 0)
		r = tell(start, &owners, findings);
	return r < 0 ? error_set_memory(err) : 0;
}

static bool has_vfio_node(const struct plan *plan)
{
	for (size_t i = 0; i < plan->nodes.count; i++)
		if (plan->nodes.items[i].kind == NODE_VFIO)
			return true;
	return false;
}

int check_owner(const struct start *start, struct findings *findings, struct error *err)
{
	cleanup(owners_done) struct owners owners = { 0 };
	cleanup_holdings struct holdings helds = { 0 };
	int r = 0;

	if (has_vfio_node(&start->plan))
		r = holdings_find(&start->plan, start->root, &helds, err);
	if (r < 0)
		return r;
	if (add_held(&helds, &owners) < 0 || add_claims(start, &owners) < 0)
		return error_set_memory(err);
	r = add_reservations(start, &owners, err);
	if (r < 0)
		return r;
	return tell(start, &owners, findings) < 0 ? error_set_memory(err) : 0;
}
