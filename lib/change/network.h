/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * change: what the settings want set for a virtual function of a network card while a VM has it: its
 * address, VLAN, trust. The physical function stays the host's, and sets it.
 */
#pragma once

#include "change/plan.h"

/*
 * Adds the action that sets it, which is for before the binding; nothing where the settings want
 * nothing. A refusal where that cannot be: it is not a virtual function, its physical one has no
 * interface, the driver does not know such a setting. 0 or -errno; blocks as netlink_ask() does.
 */
int network_before(struct plan *plan, const struct sysroot *root, const struct settings *settings,
		   const struct plan_device *device, struct error *err) must_check;

/*
 * The same for after it. On the way back that is the first to run, so that the host's driver, which asks
 * for its address when it begins, finds what was there before. 0 or -ENOMEM.
 */
int network_after(struct plan *plan, const struct plan_device *device) must_check;
