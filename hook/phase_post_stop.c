/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hook: post-stop. Gives the devices back to the host, from the journal alone. */
#include <errno.h>

#include "change/restore.h"
#include "hook.h"

int phase_post_stop(struct hook *hook, struct error *err)
{
	cleanup_journal struct journal journal = { 0 };
	int r;

	r = hook_begin(hook, false, err);
	if (r == 0)
		r = journal_read(&hook->state, hook->vmid, &journal, err);
	if (r < 0)
		return r == -ENOENT ? 0 : r;

	r = restore_journal(&hook->root, &hook->state, &journal, QEMU_END_WAIT_MS, DEADLINE_MS,
			    hook_tell_reverted, hook, err);
	if (r > 0)
		return error_set(
			err, -EIO,
			"not all devices are back with the host; 'pve-vfio restore %u' tries "
			"again",
			hook->vmid);
	return r;
}
