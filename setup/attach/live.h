/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * setup: a device that joins a VM that runs: what is found before it does, and the steps. In the order of
 * attach: everything is looked at first; then the device is taken, and QEMU and the guest get it; then
 * its line is written to the VM's configuration, so that the next start has it too.
 */
#pragma once

#include "change/live.h"
#include "check/finding.h"
#include "setup/attach/attach.h"

/* Started as { .state = { .fd = -1 } } with the first part set. */
struct live_look {
	struct attach *attach;
	const char *word; /* that means the device; NULL: the mapping of the attach */
	bool takes;	  /* not a dry run: the VM's lock is held, and the state directory made */

	struct task qemu;
	struct state state;
	unsigned number; /* of the line: hostpciN */
	char *value;	 /* of the line, as it is or will be */
	struct hostpci line;
	bool written; /* the configuration has the line, or it is pending there */
	bool joined;  /* QEMU has the device by that line */
	struct qemu_slot slot;
	struct start start; /* of this device alone, and the VM's journal */
	struct strings functions;
	struct findings findings;
	uint64_t memory_mib;
};

/*
 * Finds all that is asked and refuses what cannot be. Prints nothing but what the checks find, and that
 * only in a look that does not take.
 */
int live_look(struct live_look *look, struct error *err) must_check;
void live_look_done(struct live_look *look);
#define cleanup_live_look cleanup(live_look_done)

/*
 * live_monitor.c: asks QEMU: refuses one that is too old, is paused or migrates; and finds its devices.
 */
int live_look_at_qemu(const struct sysroot *root, uint32_t vmid, struct qemu_functions *ret,
		      struct error *err) must_check;

/* live_line.c: finds the line that has the device, or a free one with a place in QEMU. */
int live_look_for_line(struct live_look *look, const struct qemu_functions *functions,
		       struct error *err) must_check;

/* The settings of the VM's section [PENDING]; empty without one. */
int live_pending(const struct attach *attach, struct vm_config *ret, struct error *err) must_check;

/* live.c, live_leave.c: the verbs with --live; plan is an attach that is a dry run. */
int attach_live(struct command *command, bool dry_run, struct error *err) must_check;
int detach_live(struct command *command, struct error *err) must_check;

/* A run_report that says each action's end; the context is a struct live_telling. */
struct live_telling {
	const struct sysroot *root;
	struct pci_names *names;
	struct deeds *deeds;
	enum run_direction direction;
};
void live_tell(const struct action *action, const struct run_result *result, void *context);
