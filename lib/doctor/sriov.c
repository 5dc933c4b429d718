/* SPDX-License-Identifier: GPL-2.0-or-later */
/* doctor: virtual functions and who has them. Changes none. */
#include "doctor/sriov.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "boot/record.h"
#include "pve/reservation.h"
#include "use/child.h"
#include "use/eswitch.h"
#include "use/network.h"
#include "use/sriov.h"

#define NET_CLASS "sys/class/net"

/* What is read once for all cards. */
struct looking {
	const struct pve_node *node;
	const struct safeties *safeties;
	struct record record;
	bool recorded; /* it could be read */
	struct reservations reservations;
	struct network_sight sight;
	struct state state;
	struct strings changes; /* the physical functions that have a journal */
};

static void looking_done(struct looking *looking)
{
	record_done(&looking->record);
	reservations_done(&looking->reservations);
	network_sight_done(&looking->sight);
	state_done(&looking->state);
	strings_done(&looking->changes);
}

static int add_words(struct strings *list, char *words)
{
	int r = words ? strings_add(list, words) : -ENOMEM;

	free(words);
	return r;
}

/* ---- one virtual function */

/* A VM that is stopped may keep its devices, as its settings ask. */
static int look_at_holder(const struct looking *looking, struct sriov_function *function)
{
	const struct journal *owner = NULL;

	if (!claims_find(&looking->node->journals, function->entry->device.name, &owner))
		return 0;
	function->vmid = owner->vmid;
	if (owner->phase == JOURNAL_KEPT)
		return add_words(&function->in_use,
				 text_format("it is kept for VM %u, which does not run: "
					     "'pve-vfio restore %u' gives it back",
					     owner->vmid, owner->vmid));
	return add_words(&function->in_use, text_format("VM %u has it", owner->vmid));
}

/* Without the hook: Proxmox VE's own reservation, and a running VM that names just this one. */
static int look_at_vms(const struct looking *looking, struct sriov_function *function)
{
	const struct pci_device *device = &function->entry->device;
	const struct reservation *reservation =
		reservation_blocking(looking->node->root, &looking->reservations, device->name, 0,
				     time(NULL));
	int r = 0;

	if (reservation && function->vmid == 0) {
		function->vmid = reservation->vmid;
		r = add_words(&function->in_use,
			      text_format("it is reserved for VM %u", reservation->vmid));
	}
	for (size_t i = 0; i < looking->node->vm_count && r == 0; i++) {
		const struct node_vm *vm = &looking->node->vms[i];
		const char *source = node_vm_source(vm, device->address);

		if (!source)
			continue;
		r = add_words(&function->wanted, text_format("%u", vm->vmid));
		/* A line that was added since its start has given it nothing. */
		if (r < 0 || !vm->qemu.pid || function->vmid || !device->driver ||
		    !strstr(device->driver, "vfio") ||
		    node_vm_may_choose(looking->node, vm, source))
			continue;
		function->vmid = vm->vmid;
		r = add_words(&function->in_use, text_format("VM %u has it", vm->vmid));
	}
	return r;
}

/* What the node as a whole knows: storage, network, processes, containers, open nodes of VFIO. */
static int look_at_uses(const struct looking *looking, struct sriov_function *function)
{
	const struct safety *safety = NULL;
	const struct pci_inventory *inventory = &looking->node->inventory;
	int r = 0;

	for (size_t i = 0; i < inventory->count; i++)
		if (&inventory->items[i] == function->entry)
			safety = &looking->safeties->items[i];
	for (size_t i = 0; safety && i < safety->uses.count && r == 0; i++) {
		const char *id = safety->use_ids.items[i];

		if (strcmp(id, "vm") == 0 || (function->vmid && text_starts_with(id, "device-")))
			continue;
		r = strings_add(&function->in_use, safety->uses.items[i]);
	}
	if (r == 0 && safety && text_equal(safety->why_id, "not-seen"))
		r = strings_add(&function->in_use, safety->why);
	return r;
}

/* An interface that is up somebody has set up, though nothing uses it yet. */
static int look_at_interfaces(const struct looking *looking, struct sriov_function *function)
{
	cleanup_strings struct strings names = { 0 };
	const struct sysroot *root = looking->node->root;
	int r = child_list(root, NET_CLASS, function->entry->device.name, &names);

	for (size_t i = 0; i < names.count && r == 0 && function->in_use.count == 0; i++) {
		if (network_is_up(root, names.items[i]))
			r = add_words(&function->in_use,
				      text_format("%s is up ('ip link set %s down' ends that)",
						  names.items[i], names.items[i]));
	}
	return r;
}

static int look_at_function(const struct looking *looking, struct sriov_function *function)
{
	int r = look_at_holder(looking, function);

	if (r == 0)
		r = look_at_vms(looking, function);
	if (r == 0)
		r = look_at_uses(looking, function);
	return r < 0 ? r : look_at_interfaces(looking, function);
}

static void function_done(struct sriov_function *function)
{
	strings_done(&function->in_use);
	strings_done(&function->wanted);
}

static int compare_functions(const void *a, const void *b)
{
	const struct sriov_function *first = a, *second = b;

	return (first->number > second->number) - (first->number < second->number);
}

static int add_functions(const struct looking *looking, struct sriov_card *card,
			 const struct vfs *vfs)
{
	const struct pci_inventory *inventory = &looking->node->inventory;

	for (size_t i = 0; i < inventory->count; i++) {
		const struct pci_entry *entry = &inventory->items[i];
		struct sriov_place place = { .number = 0 };
		struct sriov_function *function;

		if (!text_equal(entry->facts.physical, card->entry->device.name) ||
		    sriov_place_find(looking->node->root, entry->device.name, &place) < 0)
			continue;
		if (array_reserve(&card->functions, card->count, sizeof(*function)) < 0)
			return -ENOMEM;
		function = &card->functions[card->count++];
		*function = (struct sriov_function){ .entry = entry, .number = place.number };
		for (size_t k = 0; k < vfs->count; k++) {
			if (vfs->items[k].number != place.number)
				continue;
			function->known = true;
			function->set = vfs->items[k];
		}
		if (look_at_function(looking, function) < 0)
			return -ENOMEM;
	}
	if (card->count > 1)
		qsort(card->functions, card->count, sizeof(*card->functions), compare_functions);
	return 0;
}

/* ---- one physical function */

static bool is_of(const char *sentence, const struct strings *interfaces)
{
	for (size_t i = 0; i < interfaces->count; i++) {
		size_t size = strlen(interfaces->items[i]);

		if (text_starts_with(sentence, interfaces->items[i]) && sentence[size] == ' ')
			return true;
	}
	return false;
}

static int look_at_network(struct looking *looking, struct sriov_card *card)
{
	const struct sysroot *root = looking->node->root;
	const char *address = card->entry->device.name;
	cleanup_strings struct strings ports = { 0 }, uses = { 0 };
	struct error reason = { 0 };
	bool link = false, up = false;
	int r = eswitch_interfaces(root, address, &card->interfaces);

	if (r == 0)
		r = eswitch_representors(root, address, &ports);
	for (size_t i = 0; i < card->interfaces.count && r == 0; i++) {
		link |= network_has_link(root, card->interfaces.items[i]);
		up |= network_is_up(root, card->interfaces.items[i]);
	}
	card->link_down = card->interfaces.count > 0 && !link;
	card->down = card->link_down && !up;
	if (r == 0 && ports.count > 0 && !card->mode) {
		card->mode = strdup("switchdev");
		r = card->mode ? 0 : -ENOMEM;
	}
	/* Where it cannot be determined they count as used. */
	if (r == 0 && network_uses_find(root, address, &looking->sight, &uses, &reason) < 0)
		r = strings_add(ports.count > 0 ? &card->representors : &card->in_use,
				reason.message);
	for (size_t i = 0; i < uses.count && r == 0; i++)
		r = strings_add(is_of(uses.items[i], &ports) ? &card->representors : &card->in_use,
				uses.items[i]);
	return r;
}

static int look_at_boot(const struct looking *looking, struct sriov_card *card)
{
	const struct boot_settings *settings = &looking->record.settings;

	card->boot_unknown = !looking->recorded;
	for (size_t i = 0; i < settings->count; i++) {
		const struct boot_setting *setting = &settings->items[i];

		if (setting->kind != BOOT_SRIOV || card->at_boot ||
		    strcmp(setting->name, card->entry->device.name) != 0)
			continue;
		card->at_boot = setting->value ? strdup(setting->value) : NULL;
		if (!card->at_boot)
			return -ENOMEM;
	}
	return 0;
}

static int look_at_changes(const struct looking *looking, struct sriov_card *card)
{
	const char *address = card->entry->device.name;
	cleanup_journal struct journal journal = { 0 };

	if (!strings_has(&looking->changes, address))
		return 0;
	card->changing = state_physical_is_locked(&looking->state, address);
	if (card->changing || journal_read_physical(looking->node->root, &looking->state, address,
						    &journal, NULL) < 0)
		return 0;
	for (size_t i = 0; i < journal.actions.count; i++) {
		const struct action *action = &journal.actions.items[i];

		if (action->type != ACTION_SET_ATTRIBUTE || card->interrupted)
			continue;
		card->interrupted = strdup(action->before ? action->before : "0");
		if (!card->interrupted)
			return -ENOMEM;
	}
	return 0;
}

static int look_at_card(struct looking *looking, struct sriov_card *card)
{
	const struct sysroot *root = looking->node->root;
	const char *address = card->entry->device.name;
	cleanup_vfs struct vfs vfs = { 0 };
	cleanup_free char *probe = NULL;
	char path[SYSROOT_PATH_MAX];
	int r;

	pci_attribute_path(path, address, "sriov_drivers_autoprobe");
	card->no_drivers =
		sysroot_read_attribute(root, path, &probe) == 0 && strcmp(probe, "0") == 0;
	(void)eswitch_read(root, address, &card->mode);
	r = vfs_read(root, address, &vfs, NULL);
	/* one that does not answer is left out: what is set is not known then */
	if (r != -ENOMEM)
		r = look_at_network(looking, card);
	if (r == 0)
		r = look_at_boot(looking, card);
	if (r == 0)
		r = look_at_changes(looking, card);
	return r < 0 ? r : add_functions(looking, card, &vfs);
}

static void card_done(struct sriov_card *card)
{
	strings_done(&card->interfaces);
	strings_done(&card->in_use);
	strings_done(&card->representors);
	free(card->mode);
	free(card->at_boot);
	free(card->interrupted);
	for (size_t i = 0; i < card->count; i++)
		function_done(&card->functions[i]);
	free(card->functions);
}

/* What cannot be read is not known, and the node's own reading has said so of most of it. */
static void look_once(struct looking *looking)
{
	looking->recorded = record_read(looking->node->root, &looking->record, NULL) == 0;
	(void)reservations_read(looking->node->root, &looking->reservations, NULL);
	if (state_open(looking->node->root, false, &looking->state, NULL) < 0 ||
	    journal_list_physical(&looking->state, &looking->changes, NULL) < 0)
		return;
}

int sriov_cards_find(const struct pve_node *node, const struct safeties *safeties,
		     struct sriov_cards *ret, struct error *err)
{
	cleanup(looking_done) struct looking looking = { .node = node,
							 .safeties = safeties,
							 .state = { .fd = -1 } };
	cleanup_sriov_cards struct sriov_cards cards = { 0 };

	look_once(&looking);
	for (size_t i = 0; i < node->inventory.count; i++) {
		struct sriov_card *card;

		if (node->inventory.items[i].facts.functions_most == 0)
			continue;
		if (array_reserve(&cards.items, cards.count, sizeof(*card)) < 0)
			return error_set_memory(err);
		card = &cards.items[cards.count++];
		*card = (struct sriov_card){ .entry = &node->inventory.items[i] };
		if (look_at_card(&looking, card) < 0)
			return error_set_memory(err);
	}
	*ret = TAKE_STRUCT(cards);
	return 0;
}

void sriov_cards_done(struct sriov_cards *cards)
{
	for (size_t i = 0; i < cards->count; i++)
		card_done(&cards->items[i]);
	free(cards->items);
	*cards = (struct sriov_cards){ 0 };
}
