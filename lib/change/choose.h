/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * change: which alternative of a resource mapping a VM gets. PVE chooses after pre-start, by the
 * first that it can reserve. So that it comes to the same choice, whatever other VM starts at the
 * same moment, the hook reserves its choice with PVE first, in PVE's own file and under its lock.
 */
#pragma once

#include "change/claims.h"
#include "settings/settings.h"
#include "wanted/wanted.h"

struct choosing {
	const struct sysroot *root;
	const struct state *state;
	const struct claims *claims;
	/*
	 * The VM's journal, to which the reservations are added, and which is written before each.
	 * Its actions are NULL and stay so with `dry`.
	 */
	struct journal *journal;
	uint32_t vmid;
	unsigned deadline_ms;		 /* for a driver that is asked whether it has a vGPU left */
	bool dry;			 /* only look: what would be chosen */
	const struct settings *settings; /* of the VM: who gives way to it */
};

/*
 * A wanted_choose; the context is a struct choosing. Where none is free it is the first that VMs have
 * which run and may give way; that one is not reserved, for it is chosen anew once they have.
 */
int choose_alternative(const struct wanted_choice *choice, const struct wanted *so_far,
		       void *context, size_t *ret, struct error *err) must_check;
