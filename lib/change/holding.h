/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * change: which nodes of a plan's devices are open, and who has them.
 */
#pragma once

#include "change/plan.h"
#include "use/holder.h"

/* A node of one of the devices, open in a process. */
struct holding {
	const struct device_node *node; /* of the plan */
	const char *path;		/* as people know it: "/dev/dri/renderD128" */
	struct holder holder;
};

/* In order of pid. Started as { 0 }. */
struct holdings {
	struct holding *items;
	size_t count;
};

/*
 * Fills in the plan's nodes and openings, for the devices that are taken. 0, or -errno where the
 * nodes cannot be listed. Does not block.
 */
int holdings_read(struct plan *plan, const struct sysroot *root, struct error *err) must_check;

/*
 * The nodes that processes have open, but for udev's, and for those of a service or a container
 * that the plan stops, and of a guest that gives way. 0 or -errno, also where the processes could not be looked at.
 */
int holdings_find(const struct plan *plan, const struct sysroot *root, struct holdings *ret,
		  struct error *err);

/* Another device with that driver stays with the host, and what they share stays in use. */
bool holding_driver_is_left(const struct plan *plan, const struct sysroot *root,
			    const char *driver);

/* The plan stops the service or the container that this is, or has the guest give way. */
bool holding_is_stopped(const struct plan *plan, const struct holder *holder);
void holdings_done(struct holdings *helds);
#define cleanup_holdings cleanup(holdings_done)
