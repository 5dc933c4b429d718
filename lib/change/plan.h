/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * change: what a start would do to the host: the devices it takes, and the list of actions.
 * Made from what the VM wants and from the host as it is; changes nothing.
 */
#pragma once

#include "change/action.h"
#include "change/journal.h"
#include "pci/variant.h"
#include "settings/settings.h"
#include "use/opener.h"
#include "wanted/wanted.h"

struct plan_device {
	struct pci_device device;
	char source[SOURCE_MAX]; /* "hostpci0", or "group 14" */
	bool sibling;  /* not wanted, but in the group of one that is: PVE would take it */
	bool foreseen; /* of an alternative that PVE is not expected to choose */
	bool stuck;    /* the kernel holds its lock: another probe or remove does not end */
	struct vfio_driver vfio; /* that hands it to the VM */
	char *override;		 /* driver_override now */
	char *module;		 /* of its driver now */
};

/* Started as { 0 }. */
struct plan {
	struct plan_device *devices; /* in order of wish, siblings behind */
	size_t device_count;
	struct actions actions; /* host-wide first, adopted releases last */
	/*
	 * The nodes of the devices, and who has any nodes open: one look at the processes for all.
	 * Not looked at where there is no node. change/holding.h puts both together.
	 */
	struct device_nodes nodes;
	struct openings openings;
};

/*
 * Makes the plan. Blocks at most for the deadline of the settings and a second: a device whose lock
 * is held for longer is `stuck`. -ENODEV when a device went away meanwhile.
 */
int plan_make(const struct sysroot *root, const struct wanted *wanted,
	      const struct settings *settings, struct plan *ret, struct error *err) must_check;

/*
 * Where an earlier journal has done an action of the plan already, the value before is the one
 * recorded there, never what that run set; and what it had the host let go of for a device of the
 * plan is of the plan too. 0 or -ENOMEM.
 */
int plan_adopt(struct plan *plan, const struct journal *earlier);

/*
 * The same for what another VM has let go of. Where all its devices go to this plan, so does all
 * else that was done for them: nobody would undo it. Guests that gave way: displace_inherit().
 */
int plan_inherit(struct plan *plan, const struct journal *other) must_check;

/* Takes out the actions that were not adopted and would change nothing, but for bindings. */
void plan_prune(struct plan *plan);
/* The device with that name, its address; NULL. */
const struct plan_device *plan_find_device(const struct plan *plan, const char *name);
bool plan_has_device(const struct plan *plan, struct pci_address address);
/*
 * Once its actions are made: each device is with its VFIO driver, and its node is there for QEMU, for which
 * it waits up to `deadline_ms`.
 */
int plan_confirm(const struct sysroot *root, const struct plan *plan, unsigned deadline_ms,
		 struct error *err) must_check;
void plan_done(struct plan *plan);
#define cleanup_plan cleanup(plan_done)
