/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hook: other VMs that have what a start wants. Takes nothing from one that runs or is starting. */
#include <errno.h>

#include "base/clock.h"
#include "hook.h"
#include "pve/lock.h"

/*
 * Whether the VM is done with its devices; the caller has its lock. One whose QEMU has been asked to
 * end is waited for. A start has them between pre-start and QEMU, for which Proxmox VE has the VM
 * locked; where it has no lock for it at all the hook was called by something else.
 */
static bool has_ended(struct hook *owner, const struct journal *journal, struct deadline deadline)
{
	cleanup_close int lock = vm_lock_open(&owner->root, owner->vmid);
	bool started = journal->phase == JOURNAL_RUNNING || journal->phase == JOURNAL_STOPPING;
	struct task qemu;
	unsigned step = 0;
	int r;

	if (journal->phase == JOURNAL_KEPT || (!started && (lock < 0 || vm_lock_is_held(lock))))
		return false;
	do
		r = journal_find_qemu(&owner->root, journal, &qemu, NULL);
	while (r == 0 && qemu.pid && journal->phase == JOURNAL_STOPPING &&
	       deadline_wait_step(deadline, &step));
	return r == 0 && qemu.pid == 0;
}

/* True when its journal has changed: this process or its own post-stop has given back. */
static bool settle(struct hook *owner, struct deadline deadline)
{
	cleanup_journal struct journal journal = { 0 };
	struct error err = { 0 };
	size_t held = 0;
	int r;

	owner->lock = journal_lock(&owner->root, &owner->state, owner->vmid,
				   (unsigned)deadline_left_ms(deadline), &err);
	if (owner->lock < 0)
		return false;
	r = journal_read(&owner->root, &owner->state, owner->vmid, &journal, &err);
	if (r == -ENOENT)
		return true;
	if (r < 0 || !has_ended(owner, &journal, deadline))
		return false;
	hook_say(owner,
		 journal.phase == JOURNAL_STOPPING
			 ? "VM %u has ended; giving back what it had"
			 : "VM %u has ended, and its post-stop is still to come; giving its "
			   "devices back first",
		 owner->vmid);
	r = hook_give_back(owner, &journal, (unsigned)deadline_left_ms(deadline), &held, &err);
	r = hook_watch_held(owner, &journal, held, r);
	if (r < 0)
		hook_say(owner, "%s", err.message);
	return true;
}

/* With the tree, the state and the log of this start, and names of its own. */
static bool settle_owner(struct hook *hook, uint32_t vmid, struct deadline deadline)
{
	struct hook owner = *hook;
	bool settled;

	owner.vmid = vmid;
	owner.lock = -1;
	owner.names = (struct pci_names){ 0 };
	owner.notices = (struct notices){ 0 };
	settled = settle(&owner, deadline);
	notify_leave(&owner);
	pci_names_done(&owner.names);
	close_and_reset(&owner.lock);
	return settled;
}

void owner_settle(struct hook *hook, uint32_t vmid)
{
	(void)settle_owner(hook, vmid, deadline_in_ms(0));
}

/* It has a device of the plan; or there is none for the VM, since all alternatives are taken. */
static bool is_wanted(const struct start *start, const struct journal *owner)
{
	for (size_t i = 0; i < start->wanted.problem_count; i++)
		if (start->wanted.problems[i].kind == WANTED_NONE_FREE)
			return true;
	for (size_t i = 0; i < start->plan.device_count; i++) {
		const struct plan_device *device = &start->plan.devices[i];
		const struct action *action =
			actions_find(&owner->actions, ACTION_BIND, device->device.name);

		if (!device->foreseen && action && action->state != ACTION_FORESEEN)
			return true;
	}
	return false;
}

bool owners_settle(struct hook *hook, const struct start *start)
{
	struct deadline deadline = deadline_in_ms(OWNER_WAIT_MS);
	bool settled = false;

	for (size_t i = 0; i < start->claims.count; i++)
		if (!claim_is_free(&start->claims.items[i], &start->journal) &&
		    is_wanted(start, &start->claims.items[i]))
			settled |= settle_owner(hook, start->claims.items[i].vmid, deadline);
	return settled;
}
