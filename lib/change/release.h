/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * change: what the host must let go of before the devices of a plan can go: services that hold
 * their nodes, the text console, the firmware's framebuffer, modules; and the attributes that are
 * to be other ones while the VM has them.
 */
#pragma once

#include "change/plan.h"

/*
 * Adds the actions on the host as a whole; and those on one function, before and after its
 * binding. One whose value is there already is added too, since an earlier run may have set it
 * (plan_adopt()); plan_prune() takes it out where that was not so. An attribute that the settings
 * want and the device does not have is an error.
 * release_host() blocks as unit_is_active() does, the others do not. 0 or -errno.
 */
int release_host(struct plan *plan, const struct sysroot *root, const struct settings *settings,
		 struct error *err) must_check;
int release_before(struct plan *plan, const struct sysroot *root, const struct settings *settings,
		   const struct plan_device *device, struct error *err) must_check;
int release_after(struct plan *plan, const struct sysroot *root, const struct settings *settings,
		  const struct plan_device *device, struct error *err) must_check;
