/* SPDX-License-Identifier: GPL-2.0-or-later */
/* change: which VM has which device. Changes no journal. */
#include "change/claims.h"

#include <errno.h>

#include "base/array.h"

/* A watch has a VM's lock for the look at a few files. */
#define TAKE_OVER_WAIT_MS 1000

int claims_read(const struct sysroot *root, const struct state *state, uint32_t vmid,
		struct claims *ret, struct error *err)
{
	cleanup_claims struct claims claims = { 0 };
	cleanup_vmids struct vmids vmids = { 0 };
	int r;

	r = journal_list(state, &vmids, err);
	for (size_t i = 0; i < vmids.count && r == 0; i++) {
		if (vmids.items[i] == vmid)
			continue;
		if (array_reserve(&claims.items, claims.count, sizeof(*claims.items)) < 0)
			return error_set_memory(err);
		r = journal_read(root, state, vmids.items[i], &claims.items[claims.count], err);
		if (r == 0)
			claims.count++;
		else if (r == -ENOENT) /* its VM has stopped meanwhile */
			r = 0;
	}
	if (r < 0)
		return r;
	*ret = TAKE_STRUCT(claims);
	return 0;
}

void claims_done(struct claims *claims)
{
	for (size_t i = 0; i < claims->count; i++)
		journal_done(&claims->items[i]);
	free(claims->items);
	*claims = (struct claims){ 0 };
}

/* What our journal has, too; and that we gave way, for we start. */
static bool is_shared(const struct action *action, const void *journal)
{
	const struct journal *ours = journal;
	struct guest guest;

	if (action->type == ACTION_DISPLACE && guest_parse(action->target, &guest) == 0 &&
	    guest.kind == GUEST_VM && guest.vmid == ours->vmid)
		return true;
	return action->type != ACTION_RESERVE &&
	       actions_find(&ours->actions, action->type, action->target);
}

static int take_over(const struct sysroot *root, const struct state *state, uint32_t vmid,
		     const struct journal *journal, struct error *err)
{
	cleanup_journal struct journal other = { 0 };
	cleanup_close int lock = -1;
	int r;

	/* A lock that is held means a running phase, which may write that journal after us; a watch only looks. */
	lock = state_lock_vm(state, vmid, deadline_in_ms(TAKE_OVER_WAIT_MS), NULL);
	if (lock < 0)
		return error_set(err, -EBUSY, "VM %u, which had a device, is starting or stopping",
				 vmid);
	r = journal_read(root, state, vmid, &other, err);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	if (actions_drop(&other.actions, is_shared, journal) == 0)
		return 0;
	return journal_write(state, &other, err);
}

bool claim_is_free(const struct journal *other, const struct journal *ours)
{
	return other->phase == JOURNAL_KEPT ||
	       (other->phase == JOURNAL_STOPPING &&
		actions_displace(&ours->actions, GUEST_VM, other->vmid, true));
}

const struct journal *claims_against(const struct claims *claims, const struct journal *ours,
				     const char *address)
{
	for (size_t i = 0; i < claims->count; i++)
		if (!claim_is_free(&claims->items[i], ours) &&
		    claim_find(&claims->items[i], address))
			return &claims->items[i];
	return NULL;
}

int claims_take_over(const struct sysroot *root, const struct state *state,
		     const struct claims *claims, const struct journal *journal, struct error *err)
{
	int r = 0;

	for (size_t i = 0; i < claims->count && r == 0; i++)
		if (claim_is_free(&claims->items[i], journal))
			r = take_over(root, state, claims->items[i].vmid, journal, err);
	return r;
}

const struct action *claim_find(const struct journal *journal, const char *address)
{
	const struct action *bind = actions_find(&journal->actions, ACTION_BIND, address);

	if (bind && bind->state != ACTION_FORESEEN)
		return bind;
	for (size_t i = 0; journal->phase == JOURNAL_STARTING && i < journal->actions.count; i++)
		if (action_asks_for(&journal->actions.items[i], address))
			return &journal->actions.items[i];
	return NULL;
}

const struct action *claims_find(const struct claims *claims, const char *address,
				 const struct journal **ret_owner)
{
	for (size_t i = 0; i < claims->count; i++) {
		const struct action *action = claim_find(&claims->items[i], address);

		if (!action)
			continue;
		*ret_owner = &claims->items[i];
		return action;
	}
	return NULL;
}
