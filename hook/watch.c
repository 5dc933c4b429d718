/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hook: what a watch of the hook gives back, and when one is left. Takes nothing from a QEMU. */
#include <errno.h>

#include "hook.h"

/* Another phase may have been running meanwhile. */
bool hook_settle(const struct watched *watched)
{
	cleanup(hook_done) struct hook hook = HOOK_EMPTY(watched->vmid);
	cleanup_journal struct journal journal = { 0 };
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
	hook_say(&hook,
		 journal.phase == JOURNAL_STOPPING
			 ? "VM %u: its devices are closed now; giving them back"
			 : "VM %u has not started; giving its devices back",
		 hook.vmid);
	r = hook_give_back(&hook, &journal, 0, &held, &err);
	if (r < 0 && held == 0)
		hook_say(&hook, "%s", err.message);
	return held == 0;
}

int hook_leave_watch(struct hook *hook, struct journal *journal)
{
	return watch_leave(&hook->root, &hook->state, journal, hook_settle);
}

int hook_watch_held(struct hook *hook, struct journal *journal, size_t held, int r)
{
	if (held == 0 || hook_leave_watch(hook, journal) < 0)
		return r;
	hook_say(hook,
		 "VM %u: %zu device%s still open; process %d (pve-vfio-watch) gives back what is "
		 "closed later",
		 hook->vmid, held, held == 1 ? " is" : "s are", (int)journal->watch.pid);
	return r == -EBUSY ? 0 : r;
}
