/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hook: what a watch of the hook gives back, and when one is left. Takes nothing from a QEMU. */
#include <errno.h>

#include "base/array.h"
#include "hook.h"

static int vms_that_gave_way(const struct journal *journal, struct vmids *ret)
{
	for (size_t i = 0; i < journal->actions.count; i++) {
		const struct action *action = &journal->actions.items[i];
		struct guest guest;

		if (action->type != ACTION_DISPLACE || guest_parse(action->target, &guest) < 0 ||
		    guest.kind != GUEST_VM)
			continue;
		if (array_reserve(&ret->items, ret->count, sizeof(uint32_t)) < 0)
			return -ENOMEM;
		ret->items[ret->count++] = guest.vmid;
	}
	return 0;
}

/* Another phase may have been running meanwhile. */
bool hook_settle(const struct watched *watched)
{
	cleanup(hook_done) struct hook hook = HOOK_EMPTY(watched->vmid);
	cleanup_journal struct journal journal = { 0 };
	cleanup_vmids struct vmids gave_way = { 0 };
	struct error err = { 0 };
	struct task qemu;
	size_t held = 0;
	int r;

	if (sysroot_open("/", &hook.root, NULL) < 0)
		return false;
	hook_log_open(&hook);
	r = hook_begin(&hook, HOOK_READS, &err);
	if (r < 0)
		return r == -ENOENT;
	r = hook_read_journal(&hook, &journal, &err);
	if (r < 0 || !watch_is_for(&journal, watched->run))
		return true;
	r = journal_find_qemu(&hook.root, &journal, &qemu, &err);
	if (r < 0 || qemu.pid)
		return false;
	if (journal.phase != JOURNAL_STOPPING)
		hook_say(&hook, "VM %u has not started; giving its devices back", hook.vmid);
	else if (!journal_has_guests(&journal))
		hook_say(&hook, "VM %u: its devices are closed now; giving them back", hook.vmid);
	if (vms_that_gave_way(&journal, &gave_way) < 0)
		return false;
	hook.starts_guests = true;
	r = hook_give_back(&hook, &journal, 0, &held, &err);
	if (r < 0 && held == 0)
		hook_say(&hook, "%s", err.message);
	notify_leave(&hook);
	if (hook.leaves)
		return false;
	/* What one had that was not started again waits for nobody. */
	for (size_t i = 0; i < gave_way.count && held == 0; i++)
		owner_settle(&hook, gave_way.items[i]);
	return held == 0;
}

int hook_leave_watch(struct hook *hook, struct journal *journal)
{
	return watch_leave(&hook->root, &hook->state, journal, hook_settle);
}

int hook_watch_held(struct hook *hook, struct journal *journal, size_t held, int r)
{
	bool guests = journal_has_guests(journal);

	if ((held == 0 && !guests) || hook_leave_watch(hook, journal) < 0)
		return r;
	if (guests)
		hook_say(hook, "VM %u: process %d (pve-vfio-watch) starts again who gave way to it",
			 hook->vmid, (int)journal->watch.pid);
	if (held == 0)
		return r;
	hook_say(hook,
		 "VM %u: %zu device%s still open; process %d (pve-vfio-watch) gives back what is "
		 "closed later",
		 hook->vmid, held, held == 1 ? " is" : "s are", (int)journal->watch.pid);
	return r == -EBUSY ? 0 : r;
}
