/* SPDX-License-Identifier: GPL-2.0-or-later */
/* change: who gives way to a start. Shuts nobody down: the action does, when it is run. */
#include "change/displace.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "change/claims.h"
#include "change/holding.h"
#include "change/operations.h"
#include "host/unit.h"
#include "pve/reservation.h"
#include "use/container.h"

/* A VM may have much memory to get; Proxmox VE's own timeout for that is no more. */
#define START_S 300

/* Proxmox VE has the lock for the reading and writing of one file. */
#define RESERVATION_WAIT_MS 5000

bool displace_is_asked(const struct action *action)
{
	return action->type == ACTION_DISPLACE && action->state != ACTION_DONE;
}

/* ---- asked by another */

/* The action by which a start has the guest give way just now. */
static const struct action *find_asking(const struct journal *other, const char *name)
{
	return other->phase == JOURNAL_STARTING
		       ? actions_find(&other->actions, ACTION_DISPLACE, name)
		       : NULL;
}

uint32_t displace_asked_by(const struct claims *claims, const char *name)
{
	for (size_t i = 0; i < claims->count; i++)
		if (find_asking(&claims->items[i], name))
			return claims->items[i].vmid;
	return 0;
}

/* ---- started again */

/*
 * What the journal names is given back just now, and the VM is started again with that: also one whose
 * start has failed before. Whoever does that has the lock of the journal's VM.
 */
static bool starts_again(const struct state *state, const struct journal *journal, uint32_t vmid)
{
	const struct guest guest = { GUEST_VM, vmid };
	const struct action *action;
	cleanup_close int lock = -1;
	char name[GUEST_NAME];

	if (journal->phase != JOURNAL_STOPPING)
		return false;
	action = actions_find(&journal->actions, ACTION_DISPLACE, guest_name(&guest, name));
	if (!action || action->keep)
		return false;
	lock = state_lock_vm(state, journal->vmid, deadline_in_ms(0), NULL);
	return lock < 0;
}

bool displace_is_circular(const struct sysroot *root, const struct state *state, uint32_t vmid)
{
	cleanup_claims struct claims claims = { 0 };
	cleanup_free bool *reached = NULL;

	if (claims_read(root, state, 0, &claims, NULL) < 0)
		return false;
	reached = calloc(claims.count + 1, sizeof(*reached));
	for (size_t i = 0; reached && i < claims.count; i++)
		reached[i] = claims.items[i].vmid == vmid;
	/* one step further with each round */
	for (size_t round = 0; reached && round < claims.count; round++)
		for (size_t i = 0; i < claims.count; i++)
			for (size_t k = 0; reached[i] && k < claims.count; k++) {
				if (!starts_again(state, &claims.items[i], claims.items[k].vmid))
					continue;
				if (claims.items[k].vmid == vmid)
					return true;
				reached[k] = true;
			}
	return false;
}

/* ---- planned */

/* Adds a device to what a guest is asked for; the guest too, where it was not there. */
static int ask(struct start *start, const struct guest *guest, const char *address)
{
	struct displace *displace = &start->settings.displace;
	cleanup_free char *why = NULL, *devices = NULL;
	struct action action = { 0 }, *known;
	char name[GUEST_NAME];
	bool running = false;
	int r;

	known = actions_find(&start->plan.actions, ACTION_DISPLACE, guest_name(guest, name));
	/* A DONE one is of an earlier displacing, and says nothing of now. */
	if (known && (known->state == ACTION_DONE || action_asks_for(known, address)))
		return 0;
	if (known) {
		devices = text_format("%s %s", known->source, address);
		if (!devices)
			return -ENOMEM;
		free(known->source);
		known->source = TAKE_PTR(devices);
		return 0;
	}
	if (!displace_allows(&start->settings, guest->vmid) ||
	    guest_is_running(start->root, guest, &running, NULL) < 0 || !running)
		return 0;
	r = guest_why_not(start->root, guest, &why);
	if (r < 0 || why)
		return r;
	r = action_make(ACTION_DISPLACE, name, "running", displace->hard ? "stop" : "shutdown",
			address, &action);
	if (r < 0)
		return r;
	action.keep = displace->leave_off;
	action.timeout_s = displace->timeout_s;
	return actions_add(&start->plan.actions, &action);
}

/* By its journal; while it starts it has them and runs not yet, and so gives no way. */
static int ask_owners(struct start *start)
{
	int r = 0;

	for (size_t i = 0; i < start->plan.device_count && r == 0; i++) {
		const char *name = start->plan.devices[i].device.name;
		const struct journal *owner;

		if (!start->plan.devices[i].foreseen && claims_find(&start->claims, name, &owner) &&
		    owner->phase == JOURNAL_RUNNING)
			r = ask(start, &(struct guest){ GUEST_VM, owner->vmid }, name);
	}
	return r;
}

/* By what it has open: a VM without our hook, and what runs in a container. */
static int ask_holders(struct start *start)
{
	cleanup_holdings struct holdings helds = { 0 };
	int r = 0;

	if (holdings_find(&start->plan, start->root, &helds, NULL) < 0)
		return 0;
	for (size_t i = 0; i < helds.count && r == 0; i++) {
		const struct holder *holder = &helds.items[i].holder;
		bool is_vm = holder->kind == HOLDER_VM && helds.items[i].node->kind == NODE_VFIO;

		if (is_vm || holder->kind == HOLDER_CONTAINER)
			r = ask(start,
				&(struct guest){ is_vm ? GUEST_VM : GUEST_CONTAINER, holder->vmid },
				helds.items[i].node->address);
	}
	return r;
}

/* A container that runs and is given a node uses it at any time. */
static int ask_containers(struct start *start)
{
	int r = 0;

	for (size_t i = 0; i < start->plan.device_count && r == 0; i++) {
		const char *name = start->plan.devices[i].device.name;
		cleanup_container_uses struct container_uses uses = { 0 };

		if (start->plan.devices[i].foreseen ||
		    container_uses_find(start->root, &start->plan.nodes, name, &uses, NULL) < 0)
			continue;
		for (size_t k = 0; k < uses.count && r == 0; k++)
			if (uses.items[k].running && uses.items[k].gives)
				r = ask(start,
					&(struct guest){ GUEST_CONTAINER, uses.items[k].vmid },
					name);
	}
	return r;
}

static bool comes_back(const struct start *start)
{
	for (size_t i = 0; start->state && i < start->claims.count; i++)
		if (starts_again(start->state, &start->claims.items[i], start->vmid))
			return true;
	return false;
}

int displace_plan(struct start *start, struct error *err)
{
	const struct displace *displace = &start->settings.displace;
	const char *lock = vm_config_get(&start->config, "lock");
	int r;

	/* vzdump starts a VM that is off, under its lock, and no guest is to go for a backup. */
	if ((!displace->any && displace->count == 0) || text_equal(lock, "backup"))
		return 0;
	start->comes_back = comes_back(start);
	if (start->comes_back)
		return 0;
	r = ask_owners(start);
	if (r == 0)
		r = ask_holders(start);
	if (r == 0)
		r = ask_containers(start);
	return r < 0 ? error_set_memory(err) : 0;
}

/* ---- handed on */

/* The guest waits for one of the plan's devices. */
static bool is_for_plan(const struct action *waiting, const struct plan *plan)
{
	for (size_t i = 0; i < plan->device_count; i++)
		if (!plan->devices[i].foreseen &&
		    action_asks_for(waiting, plan->devices[i].device.name))
			return true;
	return false;
}

int displace_inherit(struct start *start, const struct journal *other)
{
	struct actions *actions = &start->plan.actions;

	for (size_t i = 0; i < other->actions.count; i++) {
		const struct action *waiting = &other->actions.items[i];
		struct action copy = { 0 };
		struct guest guest;

		if (waiting->type != ACTION_DISPLACE || waiting->state != ACTION_DONE ||
		    !is_for_plan(waiting, &start->plan) ||
		    guest_parse(waiting->target, &guest) < 0 ||
		    (guest.kind == GUEST_VM && guest.vmid == start->vmid) ||
		    actions_find(actions, ACTION_DISPLACE, waiting->target))
			continue;
		if (action_copy(waiting, &copy) < 0)
			return -ENOMEM;
		copy.adopted = true;
		if (actions_add(actions, &copy) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* ---- left to the other */

/* The next of the addresses that a guest gave way for. */
static bool next_address(const char **at, char name[PCI_ADDRESS_TEXT])
{
	size_t size = strcspn(*at, " ");

	snprintf(name, PCI_ADDRESS_TEXT, "%.*s", (int)size, *at);
	*at += size + ((*at)[size] == ' ');
	return *name;
}

/* A guest waits for one of the devices. */
static bool waits_for(const struct action *waiting, const struct action *asking)
{
	const char *at = waiting->source;
	char name[PCI_ADDRESS_TEXT];

	while (next_address(&at, name))
		if (action_asks_for(asking, name))
			return true;
	return false;
}

static bool is_asked_for(const struct action *asking, const struct action *action)
{
	char name[PCI_ADDRESS_TEXT];
	struct pci_address address;

	if (action->type == ACTION_DISPLACE)
		return waits_for(action, asking);
	return action_address(action, &address) &&
	       action_asks_for(asking, pci_address_format(address, name));
}

int displace_leave(const struct sysroot *root, const struct state *state,
		   const struct journal *journal, bool *chosen, uint32_t *ret_vmid,
		   struct error *err)
{
	const struct guest guest = { GUEST_VM, journal->vmid };
	cleanup_claims struct claims claims = { 0 };
	const struct action *asking = NULL;
	char name[GUEST_NAME];
	int devices = 0, r;

	r = claims_read(root, state, journal->vmid, &claims, err);
	if (r < 0)
		return r;
	guest_name(&guest, name);
	for (size_t i = 0; i < claims.count && !asking; i++) {
		asking = find_asking(&claims.items[i], name);
		*ret_vmid = claims.items[i].vmid;
	}
	for (size_t i = 0; asking && i < journal->actions.count; i++) {
		const struct action *action = &journal->actions.items[i];

		if (!is_asked_for(asking, action))
			continue;
		chosen[i] = false;
		devices += action->type == ACTION_BIND;
	}
	for (size_t i = 0; devices > 0 && i < journal->actions.count; i++) {
		const struct action *action = &journal->actions.items[i];

		if (action_operations(action->type)->host_wide && action->type != ACTION_RESERVE &&
		    action->type != ACTION_DISPLACE)
			chosen[i] = false;
	}
	return devices;
}

/* ---- done */

static int guest_of(const struct action *action, struct guest *ret, struct error *err)
{
	int r = guest_parse(action->target, ret);

	return r < 0 ? error_set(err, r, "'%s' is not a guest", action->target) : 0;
}

int displace_apply(const struct sysroot *root, const struct action *action, struct error *err)
{
	struct guest guest;
	int r = guest_of(action, &guest, err);

	return r < 0 ? r
		     : guest_stop(root, &guest, strcmp(action->wanted, "stop") == 0,
				  action->timeout_s, err);
}

/* What has been asked of it may yet come to pass where that was not waited for. */
static int wait_for_end(const struct sysroot *root, const struct guest *guest,
			const struct action *action, bool *ret_running, struct error *err)
{
	bool asked = action->state != ACTION_DONE;
	struct deadline deadline = deadline_in_ms(asked ? action->timeout_s * 1000 : 0);
	unsigned step = 0;
	int r;

	do
		r = guest_is_running(root, guest, ret_running, err);
	while (r == 0 && *ret_running && deadline_wait_step(deadline, &step));
	return r;
}

int displace_unreserve(const struct sysroot *root, const struct action *action, uint32_t vmid)
{
	const char *at = action->source;
	char name[PCI_ADDRESS_TEXT];
	int r = 0;

	while (r == 0 && next_address(&at, name))
		r = reservation_remove(root, name, vmid, deadline_in_ms(RESERVATION_WAIT_MS), NULL);
	return r;
}

int displace_revert(const struct sysroot *root, const struct action *action, const char **note,
		    struct error *err)
{
	cleanup_free char *why = NULL;
	struct guest guest;
	bool running;
	int r = guest_of(action, &guest, err);

	if (r < 0)
		return r;
	if (action->keep) {
		*note = "stays off, as the settings ask";
		return 0;
	}
	r = wait_for_end(root, &guest, action, &running, err);
	if (r < 0 || running) {
		*note = "runs";
		return r;
	}
	if (unit_system_is_stopping(root)) {
		*note = "stays off: the node is shutting down";
		return 0;
	}
	r = guest_why_not(root, &guest, &why);
	if (r < 0)
		return error_set_memory(err);
	if (why)
		return error_set(err, -EPERM, "not started again: %s", why);
	return guest_start(root, &guest, START_S, err);
}
