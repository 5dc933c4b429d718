/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hook: post-start. Confirms that QEMU holds the devices; what it does not hold goes back. */
#include <errno.h>

#include "change/restore.h"
#include "hook.h"
#include "use/vfio.h"

/* PVE can drop a line that this program took for a device: QEMU then never opened its group. */
static int give_back_unheld(struct hook *hook, struct journal *journal, struct error *err)
{
	cleanup_vfio_holders struct vfio_holders holders = { 0 };
	cleanup_free bool *chosen = calloc(journal->actions.count + 1, sizeof(*chosen));
	bool any = false;
	int r;

	if (!chosen)
		return error_set_memory(err);
	r = vfio_holders_find(&hook->root, journal->qemu.pid, &holders, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < journal->actions.count; i++) {
		const struct action *action = &journal->actions.items[i];

		chosen[i] = action->type == ACTION_BIND && !vfio_holder_of(&holders, action->group);
		if (chosen[i])
			hook_say(hook, "%s: the VM runs without it (%s); giving it back",
				 action->target, action->source);
		any |= chosen[i];
	}
	if (!any)
		return 0;
	r = restore_actions(&hook->root, &hook->state, journal, chosen, DEADLINE_MS,
			    hook_tell_reverted, hook, err);
	return r > 0 ? error_set(err, -EIO, "not all of these devices are back with the host") : r;
}

int phase_post_start(struct hook *hook, struct error *err)
{
	cleanup_journal struct journal journal = { 0 };
	int r;

	r = hook_begin(hook, false, err);
	if (r == 0)
		r = journal_read(&hook->root, &hook->state, hook->vmid, &journal, err);
	if (r < 0)
		return r == -ENOENT ? 0 : r;

	r = qemu_find(&hook->root, hook->vmid, &journal.qemu, err);
	if (r < 0)
		return r;
	if (journal.qemu.pid == 0)
		return error_set(
			err, -ESRCH,
			"no QEMU process of VM %u is to be seen; its devices are kept for it",
			hook->vmid);
	journal_enter(&journal, JOURNAL_RUNNING);
	r = journal_write(&hook->state, &journal, err);
	return r < 0 ? r : give_back_unheld(hook, &journal, err);
}
