/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * change: all that a start of a VM is made from, in the order in which it comes to be: the way of
 * ARCHITECTURE.md up to the checks. The hook goes on from here; `pve-vfio plan` stops.
 */
#pragma once

#include "change/choose.h"
#include "change/plan.h"
#include "host/task.h"
#include "settings/settings.h"

/* Started as { 0 } with the members of the first part set. */
struct start {
	const struct sysroot *root;
	const struct state *state; /* NULL: no VM has a journal */
	uint32_t vmid;
	const char *config_node; /* where the configuration lies while the VM migrates here; NULL */
	bool dry;		 /* reserve nothing with PVE: only tell what would be chosen */
	const char
		*config_text; /* the configuration as it would be, in place of the file's; NULL */
	json_t *displace;     /* the setting as it would be, in place of the file's; NULL */
	unsigned *limit_ms;   /* takes the deadline of the settings: base/guard.h; NULL */

	/*
	 * The VM's journal, as it is on disk: what an earlier run left, to which the reservations
	 * are added.
	 */
	struct journal journal;
	struct settings settings;
	bool config_read;
	struct vm_config config;
	struct mappings mappings;
	struct pci_present present;
	struct claims claims;
	char *node; /* this node's name */
	/*
	 * With `dry`: the VM's own QEMU, if it runs, and what it has open, which is then not among
	 * what others have (plan.openings).
	 */
	struct task qemu;
	struct openings own;
	struct wanted wanted;
	struct plan plan;
	bool comes_back; /* it gave way to another VM, after which it is started again just now */
};

/*
 * Reads the VM's configuration, which start_prepare() does where this was not called before. It alone
 * tells whether the VM wants devices: vm_config_names_devices().
 */
int start_read_config(struct start *start, struct error *err) must_check;

/*
 * Reads everything and makes the plan. Without `dry` the only change is a reservation with PVE for
 * a device that is one of several alternatives, which is in the journal first.
 * Blocks for the deadline of the settings at most, where a device's lock is held.
 */
int start_prepare(struct start *start, struct error *err) must_check;

/* The VM's own QEMU has the device open. */
bool start_has(const struct start *start, const struct plan_device *device);

/*
 * Reads the journals of the other VMs again: under the claims lock they stay as they are. -EAGAIN
 * when a device of the plan has changed hands since the plan was made.
 */
int start_read_claims(struct start *start, struct error *err) must_check;

/* What was read and planned goes, but for the journal: to prepare it anew. */
void start_forget(struct start *start);
void start_done(struct start *start);
#define cleanup_start cleanup(start_done)
