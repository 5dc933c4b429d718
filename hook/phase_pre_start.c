/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hook: pre-start. Takes the VM's devices, or refuses the start and leaves the host as it was. */
#include <errno.h>

#include "base/clock.h"
#include "change/compact.h"
#include "change/held.h"
#include "change/tally.h"
#include "check/forecast.h"
#include "hook.h"
#include "report/words.h"

/*
 * A journal that is there before a start was left by a run that had no post-stop yet, or kept. Its
 * QEMU may be just ending, and what it has open cannot be taken before it is closed.
 */
static int read_earlier(struct hook *hook, struct start *start, struct error *err)
{
	struct deadline deadline = deadline_in_ms(OWNER_WAIT_MS);
	struct journal *journal = &start->journal;
	struct task qemu, running;
	unsigned step = 0;
	int r;

	r = hook_read_journal(hook, journal, err);
	if (r == -ENOENT)
		r = journal_begin(&hook->root, hook->vmid, journal, err);
	if (r == 0)
		r = qemu_find(&hook->root, hook->vmid, &running, err);
	if (r < 0)
		return r;
	do
		r = journal_find_qemu(&hook->root, journal, &qemu, err);
	while (r == 0 && qemu.pid && !running.pid && deadline_wait_step(deadline, &step));
	if (r < 0)
		return r;
	if (qemu.pid)
		return error_set(err, -EBUSY, "VM %u runs already (process %d); nothing is done",
				 hook->vmid, (int)qemu.pid);
	if (journal->actions.count > 0 && journal->phase != JOURNAL_KEPT)
		hook_say(hook, "an earlier run of VM %u was not cleaned up; doing that now",
			 hook->vmid);
	return 0;
}

/* What the earlier run had is closed before anything of it is used; that takes a moment at most. */
static int wait_closed(struct hook *hook, const struct start *start, struct error *err)
{
	const struct actions *actions = &start->journal.actions;
	cleanup_free bool *held = calloc(actions->count + 1, sizeof(*held));
	struct held_silence silence;

	if (!held)
		return error_set_memory(err);
	if (held_find(&hook->root, &start->journal, NULL, OWNER_WAIT_MS, held, &silence) == 0)
		return 0;
	if (silence.limit_ms > 0)
		return error_set(
			err, -ETIMEDOUT,
			"%s has not answered within %u s, so what the earlier run of VM %u "
			"had counts as open; 'pve-vfio status %u' shows what that is",
			*silence.path ? silence.path : "a VFIO node", silence.limit_ms / 1000,
			hook->vmid, hook->vmid);
	for (size_t i = 0; i < actions->count; i++)
		if (held[i] && actions->items[i].type == ACTION_BIND)
			return error_set(
				err, -EBUSY,
				"%s is still open since the earlier run of VM %u (its IOMMU "
				"group %d); start it once more when that has ended",
				actions->items[i].target, hook->vmid, actions->items[i].group);
	return 0;
}

/* What PVE alone handles. */
static void tell_left(struct hook *hook, const struct start *start)
{
	for (size_t i = 0; i < start->wanted.count; i++) {
		const struct wanted_device *device = &start->wanted.devices[i];
		cleanup_free char *words = NULL;
		char address[PCI_ADDRESS_TEXT];

		if (device->use != WANTED_LEAVE)
			continue;
		words = words_left(device, &start->config);
		hook_say(hook, "%s (%s): %s", pci_address_format(device->address, address),
			 device->source, words ? words : "");
	}
}

/*
 * Gives back what the journal has and the plan does not need; with `all`, when the start comes to
 * nothing, everything but what is to be kept.
 */
static int give_back(struct hook *hook, struct start *start, bool all, struct error *err)
{
	struct actions *actions = &start->journal.actions;
	cleanup_free bool *chosen = calloc(actions->count + 1, sizeof(*chosen));
	struct restore restore;
	bool any = false;
	int r;

	if (!chosen)
		return error_set_memory(err);
	for (size_t i = 0; i < actions->count; i++) {
		const struct action *action = &actions->items[i];

		if (all)
			chosen[i] = !action->keep || action->type == ACTION_DISPLACE;
		else
			chosen[i] =
				action->type != ACTION_RESERVE && action->type != ACTION_DISPLACE &&
				!actions_find(&start->plan.actions, action->type, action->target);
		any |= chosen[i];
	}
	if (!any)
		return 0;
	restore = hook_restore(hook, 0, start->journal.deadline_s);
	r = restore_journal(&restore, &start->journal, chosen, err);
	if (r > 0)
		r = error_set(err, -EIO,
			      "a device of an earlier run cannot be given back to the host; see "
			      "'pve-vfio status %u'",
			      hook->vmid);
	return all ? hook_watch_held(hook, &start->journal, restore.held, r) : r;
}

/*
 * From here on the plan's actions are announced: whatever happens, they will be looked at. What is
 * left in the journal are reservations, guests that gave way, and what the plan has adopted.
 */
static int announce(struct hook *hook, struct start *start, struct error *err)
{
	struct journal *journal = &start->journal;
	struct actions reserved = { 0 };
	uint64_t began = clock_now_us();
	int r = 0;

	for (size_t i = 0; i < journal->actions.count && r == 0; i++)
		if (journal->actions.items[i].type == ACTION_RESERVE ||
		    journal->actions.items[i].type == ACTION_DISPLACE)
			r = actions_add(&reserved, &journal->actions.items[i]);
	for (size_t i = 0; i < start->plan.actions.count && r == 0; i++)
		r = actions_add(&reserved, &start->plan.actions.items[i]);
	actions_done(&journal->actions);
	journal->actions = reserved;
	if (r < 0)
		return error_set_memory(err);
	journal->deadline_s = start->settings.deadline_s;
	journal_enter(journal, JOURNAL_STARTING);
	r = journal_write(&hook->state, journal, err);
	hook_trace(hook, "journal written", began);
	return r < 0 ? r
		     : claims_take_over(&hook->root, &hook->state, &start->claims, journal, err);
}

/* No other VM can claim a device between the look at the journals and the writing of ours. */
static int claim(struct hook *hook, struct start *start, struct error *err)
{
	cleanup_close int claims = hook_lock_claims(hook, start, err);

	return claims < 0 ? claims : announce(hook, start, err);
}

/* A device that was to be kept, and was taken before this start, stays as it was. */
static int roll_back(struct hook *hook, struct start *start, struct error *err)
{
	struct actions *actions = &start->journal.actions;
	cleanup_free bool *chosen = calloc(actions->count + 1, sizeof(*chosen));
	struct restore restore = hook_restore(hook, 0, start->settings.deadline_s);
	int r;

	if (!chosen)
		return error_set_memory(err);
	for (size_t i = 0; i < actions->count; i++)
		chosen[i] = !(actions->items[i].keep && actions->items[i].adopted);
	hook_say(hook, "giving back what was taken");
	journal_enter(&start->journal, JOURNAL_STOPPING);
	r = restore_actions(&restore, &start->journal, chosen, err);
	if (r == 0)
		r = journal_settle(&hook->state, &start->journal, err);
	(void)hook_watch_held(hook, &start->journal, restore.held, r);
	if (r != 0)
		return error_set(err, -EIO,
				 "VM %u is not started, and not all of its devices are back with "
				 "the host; 'pve-vfio status %u' shows them, 'pve-vfio restore %u' "
				 "tries again",
				 hook->vmid, hook->vmid, hook->vmid);
	return error_set(err, -EIO, "VM %u is not started; the host is as it was", hook->vmid);
}

/* A descriptor that ends it, or below 0: it is not wanted, or of no use. Nothing of it is an error. */
static int begin_compaction(struct hook *hook, const struct start *start)
{
	struct forecast forecast = { 0 };
	struct memory_blocks blocks;
	int go;

	if (!start->settings.compact_memory)
		return -1;
	forecast_memory(start, &forecast);
	if (forecast.memory_mib == 0 || forecast.hugepages ||
	    !compact_helps(&hook->root, forecast.memory_mib, &blocks))
		return -1;
	go = compact_begin(&hook->root);
	if (go >= 0)
		hook_say(hook,
			 "putting free memory together beside that (compact_memory): %ju MiB of it "
			 "are in blocks of 2 MiB and more, %ju MiB in smaller ones",
			 (uintmax_t)blocks.huge_mib, (uintmax_t)blocks.small_mib);
	return go;
}

static int take(struct hook *hook, struct start *start, struct error *err)
{
	struct actions *actions = &start->journal.actions;
	unsigned deadline_s = start->settings.deadline_s;
	cleanup_free bool *chosen = calloc(actions->count + 1, sizeof(*chosen));
	uint64_t began = clock_now_us();
	int r, compaction;

	if (!chosen)
		return roll_back(hook, start, err);
	/* Guests have given way by now; others of them wait since an earlier run, whatever they do now. */
	for (size_t i = 0; i < actions->count; i++)
		chosen[i] = actions->items[i].type != ACTION_DISPLACE;
	compaction = begin_compaction(hook, start);
	r = run_actions(&hook->root, actions, RUN_APPLY, chosen, deadline_s * 1000,
			hook_tell_applied, hook, err);
	if (compaction >= 0)
		compact_over(&compaction);
	hook_trace(hook, "all of these, side by side", began);
	hook_trace_cage(hook);
	began = clock_now_us();
	if (r == 0)
		r = plan_confirm(&hook->root, &start->plan, deadline_s * 1000, err);
	hook_trace(hook, "seen with its nodes", began);
	if (r < 0)
		hook_say(hook, "%s", err->message);
	if (r != 0)
		return roll_back(hook, start, err);
	journal_enter(&start->journal, JOURNAL_READY);
	return journal_write(&hook->state, &start->journal, err);
}

static void tell_ready(struct hook *hook, uint64_t took_us)
{
	const struct event event = { .kind = EVENT_READY, .result = "done", .took_us = took_us };
	cleanup_free char *words =
		text_format("ready for VM %u after %.2f s", hook->vmid, (double)took_us / 1000000);

	if (words)
		hook_tell(hook, &event, words);
}

/* What takes long now is not ours, and nobody would know. */
static void tell_forecast(struct hook *hook, const struct start *start)
{
	cleanup_forecast struct forecast forecast = { 0 };
	cleanup_tally struct tally tally = { 0 };
	cleanup_free char *line = NULL;

	forecast_memory(start, &forecast);
	if (forecast.memory_mib < FORECAST_LEAST_MIB)
		return;
	tally_read_locked(hook->lock, &tally);
	forecast_measured(&forecast, &tally.qemu);
	line = forecast_line(&forecast);
	if (line)
		hook_say(hook, "%s", line);
}

static int take_devices(struct hook *hook, struct start *start, struct error *err)
{
	cleanup_watch struct watch watch = { .go = -1 };
	uint64_t began = clock_now_us(), took_us;
	const struct watched watched = {
		.vmid = hook->vmid,
		.run = began,
		.settle = hook_settle,
	};
	int r;

	r = hook_begin(hook, HOOK_CREATES, err);
	if (r == 0)
		r = read_earlier(hook, start, err);
	if (r < 0)
		return r;
	start->journal.run = began;
	start->journal.watch = (struct task){ 0 };
	r = wait_closed(hook, start, err);
	if (r == 0)
		r = hook_prepare(hook, start, err);
	hook_trace(hook, "read and planned", began);
	if (r == 0)
		r = give_back(hook, start, false, err);
	if (r == 0)
		r = hook_check(hook, start, err);
	if (r == 0 && start->plan.actions.count > 0)
		r = watch_start(&hook->root, &watched, &watch, err);
	start->journal.watch = watch.task;
	if (r == 0)
		r = displace_guests(hook, start, err);
	if (r == 0)
		r = claim(hook, start, err);
	if (r < 0) {
		(void)give_back(hook, start, true, NULL);
		return r;
	}
	tell_left(hook, start);
	if (start->journal.actions.count == 0)
		return 0;

	r = take(hook, start, err);
	if (r < 0)
		return r;
	took_us = clock_now_us() - began;
	tally_take(hook->lock, took_us);
	tell_ready(hook, took_us);
	tell_forecast(hook, start);
	return 0;
}

/* What an earlier configuration had named; and says what PVE leaves out of this one. */
static int look_after(struct hook *hook, struct start *start, struct error *err)
{
	struct restore restore;
	struct task qemu = { 0 };
	int r;

	r = hook_begin(hook, HOOK_NO_WAIT, err);
	if (r == 0)
		r = hook_read_journal(hook, &start->journal, err);
	if (r == 0)
		r = journal_find_qemu(&hook->root, &start->journal, &qemu, err);
	if (r == 0 && qemu.pid == 0) {
		if (start->journal.phase != JOURNAL_KEPT)
			hook_say(hook, "an earlier run of VM %u was not cleaned up; doing that now",
				 hook->vmid);
		restore = hook_restore(hook, 0, start->journal.deadline_s);
		r = restore_journal(&restore, &start->journal, NULL, err);
		if (r > 0)
			r = error_set(err, restore.held == (size_t)r ? -EBUSY : -EIO,
				      "not all devices of an earlier run are back with the host");
		r = hook_watch_held(hook, &start->journal, restore.held, r);
	}
	if (r < 0 && r != -ENOENT)
		return r;
	start->state = NULL;
	r = start_prepare(start, err);
	return r < 0 ? r : hook_check(hook, start, err);
}

int phase_pre_start(struct hook *hook, struct error *err)
{
	cleanup_start struct start start = {
		.root = &hook->root,
		.state = &hook->state,
		.vmid = hook->vmid,
		.config_node = hook->migrated_from,
		.limit_ms = hook->limit_ms,
	};
	int r = start_read_config(&start, err);

	if (r < 0)
		return r;
	if (vm_config_names_devices(&start.config))
		return take_devices(hook, &start, err);
	/* Whatever is broken here, a VM that wants nothing of it is not held up. */
	if (hook->spared)
		*hook->spared = true;
	hook_limit(hook, SPARED_LIMIT_S);
	start.limit_ms = NULL;
	r = look_after(hook, &start, err);
	if (r < 0)
		hook_say(hook, "%s; VM %u has no PCI device and starts all the same", err->message,
			 hook->vmid);
	return 0;
}
