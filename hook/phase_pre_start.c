/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hook: pre-start. Takes the VM's devices, or refuses the start and leaves the host as it was. */
#include <errno.h>

#include "base/clock.h"
#include "change/plan.h"
#include "change/restore.h"
#include "check/check.h"
#include "hook.h"
#include "pci/vfio.h"
#include "report/words.h"

/* All that a start is made from, in the order in which it comes to be. */
struct start {
	struct journal earlier; /* of a run whose post-stop never came; mostly empty */
	struct vm_config config;
	struct wanted wanted;
	struct plan plan;
	struct journal journal;
};

static void start_done(struct start *start)
{
	journal_done(&start->journal);
	plan_done(&start->plan);
	wanted_done(&start->wanted);
	vm_config_done(&start->config);
	journal_done(&start->earlier);
}

/* A journal that is there before a start was left by a run that had no post-stop. */
static int read_earlier(struct hook *hook, struct start *start, struct error *err)
{
	struct qemu qemu;
	int r;

	r = qemu_find(&hook->root, hook->vmid, &qemu, err);
	if (r < 0)
		return r;
	if (qemu.pid)
		return error_set(err, -EBUSY, "VM %u runs already (process %d); nothing is done",
				 hook->vmid, (int)qemu.pid);
	r = journal_read(&hook->root, &hook->state, hook->vmid, &start->earlier, err);
	if (r == 0 && start->earlier.actions.count > 0)
		hook_say(hook, "an earlier run of VM %u was not cleaned up; doing that now",
			 hook->vmid);
	return r == -ENOENT ? 0 : r;
}

static int make_plan(struct hook *hook, struct start *start, struct error *err)
{
	cleanup_pci_addresses struct pci_addresses present = { 0 };
	int r;

	r = vm_config_read(&hook->root, hook->vmid, &start->config, err);
	if (r < 0)
		return r;
	r = pci_devices_list(&hook->root, &present, err);
	if (r < 0)
		return r;
	r = wanted_resolve(&start->config, &present, &start->wanted, err);
	if (r < 0)
		return r;
	return plan_make(&hook->root, &start->wanted, &start->earlier, DEADLINE_MS, &start->plan,
			 err);
}

/* What the plan does not need of what the earlier run took goes back to the host. */
static int give_back_leftovers(struct hook *hook, struct start *start, bool all, struct error *err)
{
	struct actions *actions = &start->earlier.actions;
	cleanup_free bool *chosen = calloc(actions->count + 1, sizeof(*chosen));
	bool any = false;
	int r;

	if (!chosen)
		return error_set_memory(err);
	for (size_t i = 0; i < actions->count; i++) {
		const struct action *action = &actions->items[i];

		chosen[i] =
			all || !actions_find(&start->plan.actions, action->type, action->target);
		any |= chosen[i];
	}
	if (!any)
		return 0;
	r = restore_journal(&hook->root, &hook->state, &start->earlier, chosen, 0, DEADLINE_MS,
			    hook_tell_reverted, hook, err);
	if (r > 0)
		return error_set(err, -EIO,
				 "a device of an earlier run cannot be given back to the host; see "
				 "'pve-vfio status %u'",
				 hook->vmid);
	return r;
}

/* From here on the plan's actions are announced: whatever happens, they will be looked at. */
static int write_journal(struct hook *hook, struct start *start, struct error *err)
{
	int r = journal_begin(&hook->root, hook->vmid, &start->journal, err);

	if (r < 0)
		return r;
	start->journal.actions = start->plan.actions;
	start->plan.actions = (struct actions){ 0 };
	return journal_write(&hook->state, &start->journal, err);
}

/* Looks for what would harm the host or the start; tells all of it. -EPERM: refused. */
static int check_plan(struct hook *hook, struct start *start, struct error *err)
{
	struct check_start check = {
		.root = &hook->root,
		.state = &hook->state,
		.vmid = hook->vmid,
		.config = &start->config,
		.wanted = &start->wanted,
		.plan = &start->plan,
	};
	cleanup_findings struct findings findings = { 0 };
	cleanup_free char *words = NULL;
	size_t errors;
	int r;

	r = check_start_run(&check, &findings, err);
	words = words_findings(&findings);
	if (words)
		hook_say(hook, "%s", words);
	if (r < 0)
		return r;
	errors = findings_count(&findings, LEVEL_ERROR);
	if (errors > 0)
		return error_set(err, -EPERM,
				 "VM %u is not started, for %zu reason%s; the host is as "
				 "it was",
				 hook->vmid, errors, errors > 1 ? "s" : "");
	return 0;
}

/* No other VM can claim a device between the check of the journals and the writing of ours. */
static int claim(struct hook *hook, struct start *start, struct error *err)
{
	cleanup_close int claims = -1;
	int r;

	claims = state_lock_claims(&hook->state, deadline_in_ms(CLAIM_LOCK_WAIT_MS), err);
	if (claims < 0)
		return claims;
	r = check_plan(hook, start, err);
	return r < 0 ? r : write_journal(hook, start, err);
}

static int roll_back(struct hook *hook, struct start *start, struct error *err)
{
	int r;

	hook_say(hook, "giving back what was taken");
	journal_enter(&start->journal, JOURNAL_STOPPING);
	r = restore_actions(&hook->root, &hook->state, &start->journal, NULL, DEADLINE_MS,
			    hook_tell_reverted, hook, err);
	if (r > 0 || start->journal.actions.count > 0)
		return error_set(
			err, -EIO,
			"VM %u is not started, and not all of its devices are back with the "
			"host; 'pve-vfio status %u' shows them, 'pve-vfio restore %u' tries "
			"again",
			hook->vmid, hook->vmid, hook->vmid);
	return error_set(err, r < 0 ? r : -EIO, "VM %u is not started; the host is as it was",
			 hook->vmid);
}

/* The nodes QEMU is going to open. */
static int wait_for_nodes(struct hook *hook, const struct actions *actions, struct error *err)
{
	struct deadline deadline = deadline_in_ms(DEADLINE_MS);
	int r = 0;

	for (size_t i = 0; i < actions->count && r == 0; i++)
		if (actions->items[i].type == ACTION_BIND)
			r = vfio_group_node_wait(&hook->root, actions->items[i].group, deadline,
						 err);
	return r;
}

static int take(struct hook *hook, struct start *start, struct error *err)
{
	struct actions *actions = &start->journal.actions;
	int r;

	r = run_actions(&hook->root, actions, RUN_APPLY, NULL, DEADLINE_MS, hook_tell_applied, hook,
			err);
	if (r == 0) {
		r = wait_for_nodes(hook, actions, err);
		if (r < 0)
			hook_say(hook, "%s", err->message);
	}
	if (r != 0)
		return roll_back(hook, start, err);
	journal_enter(&start->journal, JOURNAL_READY);
	return journal_write(&hook->state, &start->journal, err);
}

static void tell_left(struct hook *hook, const struct wanted *wanted)
{
	for (size_t i = 0; i < wanted->left_count; i++)
		hook_say(hook, "%s: left to Proxmox VE (%s)", wanted->left[i].source,
			 wanted->left[i].why);
}

int phase_pre_start(struct hook *hook, struct error *err)
{
	cleanup(start_done) struct start start = { 0 };
	uint64_t began = clock_now_us();
	int r;

	r = hook_begin(hook, true, err);
	if (r < 0)
		return r;
	r = read_earlier(hook, &start, err);
	if (r < 0)
		return r;

	r = make_plan(hook, &start, err);
	if (r == 0)
		r = give_back_leftovers(hook, &start, false, err);
	if (r == 0) {
		tell_left(hook, &start.wanted);
		r = claim(hook, &start, err);
	}
	if (r < 0) {
		(void)give_back_leftovers(hook, &start, true, NULL);
		return r;
	}
	if (start.journal.actions.count == 0)
		return 0;

	r = take(hook, &start, err);
	if (r == 0)
		hook_say(hook, "ready for VM %u after %.2f s", hook->vmid,
			 (double)(clock_now_us() - began) / 1000000);
	return r;
}
