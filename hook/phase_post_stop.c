/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hook: post-stop. Gives the devices back to the host, from the journal alone. */
#include <errno.h>

#include "base/clock.h"
#include "hook.h"

/*
 * A post-stop can come late, when the VM has been started again: then the journal is the new
 * run's. A QEMU that only takes its time to end is waited for.
 */
static int vm_runs(struct hook *hook, const struct journal *journal, bool *ret, struct error *err)
{
	struct deadline deadline = deadline_in_ms(QEMU_END_WAIT_MS);
	uint64_t began = clock_now_us();
	struct task qemu;
	unsigned step = 0;
	int r;

	do
		r = qemu_find(&hook->root, hook->vmid, &qemu, err);
	while (r == 0 && qemu.pid && qemu.pid == journal->qemu.pid &&
	       deadline_wait_step(deadline, &step));
	hook_trace(hook, "QEMU ended", began);
	*ret = qemu.pid != 0;
	return r;
}

struct restore hook_restore(struct hook *hook, unsigned wait_ms, unsigned deadline_s)
{
	return (struct restore){
		.root = &hook->root,
		.state = &hook->state,
		.wait_ms = wait_ms,
		.deadline_ms = deadline_s * 1000,
		.told = hook_tell_reverted,
		.context = hook,
	};
}

int hook_give_back(struct hook *hook, struct journal *journal, struct error *err)
{
	cleanup_free bool *chosen = calloc(journal->actions.count + 1, sizeof(*chosen));
	struct restore restore;
	int r;

	if (!chosen)
		return error_set_memory(err);
	for (size_t i = 0; i < journal->actions.count; i++) {
		const struct action *action = &journal->actions.items[i];

		chosen[i] = !action->keep;
		if (action->keep && action->type == ACTION_BIND && action->state != ACTION_FORESEEN)
			hook_say(hook, "%s: stays with %s, as the settings ask", action->target,
				 action->wanted);
	}
	restore = hook_restore(hook, QEMU_END_WAIT_MS, journal->deadline_s);
	r = restore_journal(&restore, journal, chosen, err);
	if (r == 0)
		r = journal_settle(&hook->state, journal, err);
	if (r > 0)
		return error_set(err, -EIO,
				 "not all devices are back with the host; 'pve-vfio restore %u' "
				 "tries again",
				 hook->vmid);
	return r;
}

int phase_post_stop(struct hook *hook, struct error *err)
{
	cleanup_journal struct journal journal = { 0 };
	bool runs;
	uint64_t began = clock_now_us();
	int r;

	r = hook_begin(hook, false, err);
	if (r == 0)
		r = hook_read_journal(hook, &journal, err);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	hook_limit(hook, journal.deadline_s);
	hook_read_trace(hook);
	r = vm_runs(hook, &journal, &runs, err);
	if (r < 0)
		return r;
	if (runs) {
		hook_say(hook, "VM %u runs and keeps its devices", hook->vmid);
		return 0;
	}

	r = hook_give_back(hook, &journal, err);
	hook_trace(hook, "given back", began);
	return r;
}
