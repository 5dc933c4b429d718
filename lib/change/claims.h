/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * change: which VM has which device, from the journals of all of them.
 */
#pragma once

#include "change/journal.h"

/* The journals of the other VMs. Started as { 0 }. */
struct claims {
	struct journal *items;
	size_t count;
};

/*
 * Reads the journals of all VMs but `vmid`. One that cannot be understood is an error: its
 * devices may be any.
 */
int claims_read(const struct sysroot *root, const struct state *state, uint32_t vmid,
		struct claims *ret, struct error *err) must_check;
void claims_done(struct claims *claims);
#define cleanup_claims cleanup(claims_done)

/* The action by which one journal has the device; as above. */
const struct action *claim_find(const struct journal *journal, const char *address);

/*
 * Whether what another VM's journal names may change hands to `ours`: its VM has stopped and only
 * kept it from the host, or it has given way to the start of ours.
 */
bool claim_is_free(const struct journal *other, const struct journal *ours);

/* A VM has the device that is not free for ours; its journal. NULL: none. */
const struct journal *claims_against(const struct claims *claims, const struct journal *ours,
				     const char *address);

/*
 * The devices of `journal` that a stopped VM had kept from the host are this VM's now: takes them
 * out of the other journals. -EBUSY when such a VM is starting or stopping just now. The caller holds the
 * claims lock, and has written `journal`.
 */
int claims_take_over(const struct sysroot *root, const struct state *state,
		     const struct claims *claims, const struct journal *journal,
		     struct error *err) must_check;

/*
 * The VM that has the device at `address`: the action in its journal, and the journal in
 * `ret_owner`. NULL when none has. A mere alternative is not had; what a start has another guest give way
 * for is.
 */
const struct action *claims_find(const struct claims *claims, const char *address,
				 const struct journal **ret_owner);
