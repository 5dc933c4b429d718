/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hook: post-stop. Gives the devices back to the host, from the journal alone. */
#include <errno.h>

#include "base/clock.h"
#include "hook.h"

/* A QEMU that only takes its time to end is waited for; the one that is still there, if any. */
static int wait_for_end(struct hook *hook, const struct journal *journal, struct task *ret,
			struct error *err)
{
	struct deadline deadline = deadline_in_ms(QEMU_END_WAIT_MS);
	uint64_t began = clock_now_us();
	unsigned step = 0;
	int r;

	do
		r = journal_find_qemu(&hook->root, journal, ret, err);
	while (r == 0 && ret->pid && ret->pid == journal->qemu.pid &&
	       deadline_wait_step(deadline, &step));
	hook_trace(hook, "QEMU ended", began);
	return r;
}

/*
 * Either this post-stop has come late and the VM runs again, or the run's own QEMU outlives it: then
 * the devices are given back when it has ended, by a watch.
 */
static int leave_to_qemu(struct hook *hook, struct journal *journal, const struct task *qemu,
			 struct error *err)
{
	int r;

	if (qemu->pid != journal->qemu.pid) {
		hook_say(hook, "VM %u runs and keeps its devices", hook->vmid);
		/* Without a post-start nobody but a watch is sure to learn of its end. */
		if (journal->phase != JOURNAL_RUNNING)
			(void)hook_leave_watch(hook, journal);
		return 0;
	}
	journal_enter(journal, JOURNAL_STOPPING);
	r = journal_write(&hook->state, journal, err);
	if (r == 0 && hook_leave_watch(hook, journal) == 0) {
		hook_say(hook,
			 "QEMU of VM %u (process %d) has not ended yet; process %d "
			 "(pve-vfio-watch) gives its devices back then",
			 hook->vmid, (int)qemu->pid, (int)journal->watch.pid);
		return 0;
	}
	return r < 0 ? r
		     : error_set(err, -EBUSY,
				 "QEMU of VM %u (process %d) has not ended yet; once it has, "
				 "'pve-vfio restore %u' gives its devices back",
				 hook->vmid, (int)qemu->pid, hook->vmid);
}

/*
 * A start that nobody has confirmed, and whose watch lives, is that watch's to give back. A post-stop whose
 * task was killed may come to the lock after the VM has been started again: that start's QEMU is to come.
 */
static bool is_starting(struct hook *hook, const struct journal *journal)
{
	return (journal->phase == JOURNAL_STARTING || journal->phase == JOURNAL_READY) &&
	       task_is_alive(&hook->root, &journal->watch);
}

int phase_post_stop(struct hook *hook, struct error *err)
{
	cleanup_journal struct journal journal = { 0 };
	uint64_t began = clock_now_us();
	struct task qemu = { 0 };
	size_t held = 0;
	int r;

	r = hook_begin(hook, HOOK_READS, err);
	if (r == 0)
		r = hook_read_journal(hook, &journal, err);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	hook_limit(hook, journal.deadline_s);
	hook_read_trace(hook);
	r = wait_for_end(hook, &journal, &qemu, err);
	if (r < 0)
		return r;
	if (qemu.pid)
		return leave_to_qemu(hook, &journal, &qemu, err);
	if (is_starting(hook, &journal)) {
		hook_say(
			hook,
			"nobody has confirmed the start of VM %u; process %d (pve-vfio-watch) gives "
			"its devices back if no QEMU runs for it",
			hook->vmid, (int)journal.watch.pid);
		return 0;
	}
	r = hook_give_back(hook, &journal, QEMU_END_WAIT_MS, &held, err);
	r = hook_watch_held(hook, &journal, held, r);
	hook_trace(hook, "given back", began);
	return r;
}
