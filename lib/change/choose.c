/* SPDX-License-Identifier: GPL-2.0-or-later */
/* change: choosing an alternative. Touches no device. */
#include "change/choose.h"

#include <errno.h>
#include <stdio.h>

#include "pve/reservation.h"
#include "use/mdev.h"

/* PVE holds its lock for one rewrite of a small file. */
#define LOCK_WAIT_MS 5000

/* Chosen by an earlier line, or in the hands of another VM that has not reserved it yet. */
static bool is_taken(const struct choosing *choosing, const struct pci_addresses *alternative,
		     const struct wanted *so_far)
{
	for (size_t i = 0; i < alternative->count; i++) {
		char name[PCI_ADDRESS_TEXT];

		if (wanted_find(so_far, alternative->items[i]))
			return true;
		pci_address_format(alternative->items[i], name);
		if (claims_against(choosing->claims, choosing->journal, name))
			return true;
	}
	return false;
}

static int look(const struct choosing *choosing, const struct pci_addresses *alternative,
		struct error *err)
{
	cleanup_reservations struct reservations reservations = { 0 };
	time_t now = time(NULL);
	int r = reservations_read(choosing->root, &reservations, err);

	for (size_t i = 0; i < alternative->count && r == 0; i++) {
		char name[PCI_ADDRESS_TEXT];

		pci_address_format(alternative->items[i], name);
		if (reservation_blocking(choosing->root, &reservations, name, choosing->vmid, now))
			r = -EBUSY;
	}
	return r;
}

static int announce(struct choosing *choosing, const struct pci_addresses *alternative,
		    struct error *err)
{
	char vmid[16];

	snprintf(vmid, sizeof(vmid), "%u", choosing->vmid);
	for (size_t i = 0; i < alternative->count; i++) {
		struct action action = { 0 };
		char name[PCI_ADDRESS_TEXT];

		pci_address_format(alternative->items[i], name);
		if (actions_find(&choosing->journal->actions, ACTION_RESERVE, name))
			continue;
		if (action_make(ACTION_RESERVE, name, NULL, vmid, "the VM", &action) < 0 ||
		    actions_add(&choosing->journal->actions, &action) < 0)
			return error_set_memory(err);
	}
	return journal_write(choosing->state, choosing->journal, err);
}

/* An alternative that is not free: what was reserved of it goes again, and so does its record. */
static int let_go(struct choosing *choosing, const struct pci_addresses *alternative,
		  struct error *err)
{
	for (size_t i = 0; i < alternative->count; i++) {
		char name[PCI_ADDRESS_TEXT];
		int r;

		pci_address_format(alternative->items[i], name);
		r = reservation_remove(choosing->root, name, choosing->vmid,
				       deadline_in_ms(LOCK_WAIT_MS), err);
		if (r < 0)
			return r;
		actions_remove(&choosing->journal->actions, ACTION_RESERVE, name);
	}
	return journal_write(choosing->state, choosing->journal, err);
}

/* All of an alternative or none. */
static int reserve(struct choosing *choosing, const struct pci_addresses *alternative,
		   struct error *err)
{
	int r = announce(choosing, alternative, err);

	for (size_t i = 0; i < alternative->count && r == 0; i++) {
		char name[PCI_ADDRESS_TEXT];
		struct action *action;

		pci_address_format(alternative->items[i], name);
		action = actions_find(&choosing->journal->actions, ACTION_RESERVE, name);
		r = action_operations(ACTION_RESERVE)->apply(choosing->root, action, err);
		if (r == 0)
			action->state = ACTION_DONE;
	}
	if (r == -EBUSY) {
		int released = let_go(choosing, alternative, err);

		return released < 0 ? released : r;
	}
	return r;
}

/*
 * PVE tries to give the function the type, and goes on to the next where that fails. Only where the
 * driver says so is that foreseen: what cannot be determined may work.
 */
static bool lacks_type(const struct choosing *choosing, const struct wanted_choice *choice,
		       const struct pci_addresses *alternative)
{
	cleanup_mdev_types struct mdev_types types = { 0 };
	char name[PCI_ADDRESS_TEXT];

	if (choice->kind != WANTED_VGPU || alternative->count == 0)
		return false;
	pci_address_format(alternative->items[0], name);
	if (mdev_types_read_bounded(choosing->root, name, choosing->deadline_ms, &types) < 0)
		return false;
	return !types.current && !mdev_types_find(&types, choice->mdev);
}

/* Whoever has one of its functions runs, and may give way. */
static bool gives_way(const struct choosing *choosing, const struct reservations *reservations,
		      const struct pci_addresses *alternative, const struct wanted *so_far)
{
	for (size_t i = 0; i < alternative->count; i++) {
		const struct reservation *reserved;
		const struct journal *owner;
		char name[PCI_ADDRESS_TEXT];

		if (wanted_find(so_far, alternative->items[i]))
			return false;
		pci_address_format(alternative->items[i], name);
		owner = claims_against(choosing->claims, choosing->journal, name);
		if (owner && (owner->phase != JOURNAL_RUNNING ||
			      !displace_allows(choosing->settings, owner->vmid)))
			return false;
		reserved = reservation_blocking(choosing->root, reservations, name, choosing->vmid,
						time(NULL));
		if (reserved && (!owner || reserved->vmid != owner->vmid))
			return false;
	}
	return true;
}

/* The first that VMs have which may give way; -EBUSY for none, or where that cannot be determined. */
static int choose_taken(const struct choosing *choosing, const struct wanted_choice *choice,
			const struct wanted *so_far, size_t *ret)
{
	cleanup_reservations struct reservations reservations = { 0 };

	if (reservations_read(choosing->root, &reservations, NULL) < 0)
		return -EBUSY;
	for (size_t i = 0; i < choice->count; i++) {
		if (lacks_type(choosing, choice, &choice->alternatives[i]) ||
		    !gives_way(choosing, &reservations, &choice->alternatives[i], so_far))
			continue;
		*ret = i;
		return 0;
	}
	return -EBUSY;
}

int choose_alternative(const struct wanted_choice *choice, const struct wanted *so_far,
		       void *context, size_t *ret, struct error *err)
{
	struct choosing *choosing = context;

	for (size_t i = 0; i < choice->count; i++) {
		const struct pci_addresses *alternative = &choice->alternatives[i];
		int r = -EBUSY;

		if (!is_taken(choosing, alternative, so_far) &&
		    !lacks_type(choosing, choice, alternative))
			r = choosing->dry ? look(choosing, alternative, err)
					  : reserve(choosing, alternative, err);
		if (r == -EBUSY)
			continue;
		*ret = i;
		return r;
	}
	return choose_taken(choosing, choice, so_far, ret);
}
