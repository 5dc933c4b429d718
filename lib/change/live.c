/* SPDX-License-Identifier: GPL-2.0-or-later */
/* change: devices of a VM that runs. Unbinds nothing that QEMU has, and never waits with its monitor open. */
#include "change/live.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "pve/reservation.h"
#include "use/vfio.h"

/* PVE holds its lock for one rewrite of a small file. */
#define RESERVE_MS 5000

/* How often QEMU is asked whether the guest has done its part. */
#define POLL_MS	   250

#define ROM_FOLDER "/usr/share/kvm"

int live_begin(const struct sysroot *root, uint32_t vmid, unsigned deadline_s,
	       const struct task *qemu, struct journal *ret, struct error *err)
{
	int r = journal_begin(root, vmid, ret, err);

	if (r < 0)
		return r;
	ret->run = clock_now_us();
	ret->deadline_s = deadline_s;
	ret->qemu = *qemu;
	journal_enter(ret, JOURNAL_RUNNING);
	return 0;
}

/* ---- a device joins */

/* An alternative that was foreseen, and is taken now, is not looked for a second time. */
static int add_action(struct journal *journal, const struct action *planned)
{
	const struct action *known =
		actions_find(&journal->actions, planned->type, planned->target);
	struct action action = { 0 };
	int r;

	if (planned->state == ACTION_FORESEEN || (known && known->state != ACTION_FORESEEN))
		return 0;
	if (known)
		actions_remove(&journal->actions, planned->type, planned->target);
	r = action_copy(planned, &action);
	return r < 0 ? r : actions_add(&journal->actions, &action);
}

static size_t count_known(const struct journal *journal, const struct plan *plan)
{
	size_t count = journal->actions.count;

	for (size_t i = 0; i < plan->actions.count; i++) {
		const struct action *planned = &plan->actions.items[i];
		const struct action *known =
			actions_find(&journal->actions, planned->type, planned->target);

		count -= known && known->state == ACTION_FORESEEN &&
			 planned->state != ACTION_FORESEEN;
	}
	return count;
}

int live_announce(const struct live *live, const struct live_device *device, size_t *ret_first,
		  struct error *err)
{
	const struct actions *planned = &device->plan->actions;

	*ret_first = count_known(live->journal, device->plan);
	for (size_t i = 0; i < planned->count; i++)
		if (add_action(live->journal, &planned->items[i]) < 0)
			return error_set_memory(err);
	return journal_write(live->state, live->journal, err);
}

static int reserve(const struct live *live, const struct strings *functions, struct error *err)
{
	const struct journal *journal = live->journal;
	int r = 0;

	for (size_t i = 0; i < functions->count && r == 0; i++)
		r = reservation_add_running(live->root, functions->items[i], journal->vmid,
					    journal->qemu.pid, deadline_in_ms(RESERVE_MS), err);
	return r;
}

static json_t *device_arguments(const struct live *live, const struct live_device *device,
				size_t function)
{
	const size_t count = device->functions->count;
	char id[32], address[16], romfile[SYSROOT_PATH_MAX];
	json_t *arguments;

	qemu_line_id(live->number, function, count, id);
	snprintf(address, sizeof(address), "0x%x.%zx", device->slot->slot, function);
	arguments = json_pack("{s:s, s:s, s:s, s:s, s:s}", "driver", "vfio-pci", "host",
			      device->functions->items[function], "id", id, "bus",
			      device->slot->bus, "addr", address);
	if (!arguments || function > 0)
		return arguments;
	/* PVE gives these to the first function alone */
	if (count > 1)
		json_object_set_new(arguments, "multifunction", json_true());
	if (!device->line->rombar)
		json_object_set_new(arguments, "rombar", json_integer(0));
	if (device->line->romfile) {
		snprintf(romfile, sizeof(romfile), ROM_FOLDER "/%s", device->line->romfile);
		json_object_set_new(arguments, "romfile", json_string(romfile));
	}
	return arguments;
}

/* The highest function first: a guest looks at a slot when its function 0 is there. */
static int add_functions(const struct live *live, const struct live_device *device, struct qmp *qmp,
			 struct error *err)
{
	int r = 0;

	for (size_t i = device->functions->count; i-- > 0 && r == 0;) {
		json_t *arguments = device_arguments(live, device, i);

		r = arguments ? qmp_command(qmp, "device_add", arguments, device->add_ms, NULL, err)
			      : error_set_memory(err);
	}
	return r;
}

/* Whether QEMU has any function of the line; -errno where it does not say. */
static int has_any(const struct live *live, struct qmp *qmp, size_t *ret_mapped, struct error *err)
{
	cleanup_qemu_functions struct qemu_functions functions = { 0 };
	int r = qemu_functions_read(qmp, &functions, err);

	if (r < 0)
		return r;
	return qemu_functions_of_line(&functions, live->number, ret_mapped) > 0;
}

/* What was added before another function failed is not known to the guest yet. */
static void remove_functions(const struct live *live, size_t count, struct qmp *qmp)
{
	int r = 0;

	for (size_t i = count; i-- > 0 && r != -ETIMEDOUT && r != -ECONNRESET;) {
		char id[32];

		qemu_line_id(live->number, i, count, id);
		r = qmp_command(qmp, "device_del", json_pack("{s:s}", "id", id), QMP_ANSWER_MS,
				NULL, NULL);
	}
}

/* Negative with what QEMU says; -EINPROGRESS where it is not known what it has done. */
static int join(const struct live *live, const struct live_device *device, struct error *err)
{
	cleanup_qmp struct qmp qmp = { .fd = -1 };
	struct error ignored;
	size_t mapped;
	int r = qmp_open(live->root, live->journal->vmid, QMP_WAIT_MS, &qmp, err);

	if (r < 0)
		return r;
	r = add_functions(live, device, &qmp, err);
	if (r == 0) {
		r = has_any(live, &qmp, &mapped, err);
		if (r == 0)
			return error_set(err, -EIO, "QEMU has taken hostpci%u and does not list it",
					 live->number);
		return r < 0 ? -EINPROGRESS : 0;
	}
	if (r == -EREMOTEIO || r == -ENODEV || r == -ENOMEM) {
		if (device->functions->count > 1 && has_any(live, &qmp, &mapped, &ignored) != 0)
			remove_functions(live, device->functions->count, &qmp);
		return r;
	}
	return r == -ECONNRESET ? r : -EINPROGRESS;
}

int live_roll_back(const struct live *live, size_t first, struct error *err)
{
	struct error reason = *err, ignored = { 0 };
	size_t count = live->journal->actions.count;
	cleanup_free bool *chosen = calloc(count + 1, sizeof(*chosen));
	int r;

	if (!chosen)
		return error_set_memory(err);
	for (size_t i = first; i < count; i++)
		chosen[i] = true;
	r = live_give_back(live, chosen, &ignored);
	return error_set(err, -EIO, "%s; %s", reason.message,
			 r == 0 ? "the host is as it was"
				: "not all of the device is back with the host");
}

int live_take(const struct live *live, const struct live_device *device, size_t first,
	      struct error *err)
{
	struct actions *actions = &live->journal->actions;
	unsigned deadline_ms = live->journal->deadline_s * 1000;
	cleanup_free bool *chosen = calloc(actions->count + 1, sizeof(*chosen));
	int r;

	if (!chosen)
		return error_set_memory(err);
	for (size_t i = first; i < actions->count; i++)
		chosen[i] = true;
	r = run_actions(live->root, actions, RUN_APPLY, chosen, deadline_ms, live->report,
			live->context, err);
	if (r > 0)
		r = error_set(err, -EIO, "the device cannot be taken from the host");
	if (r == 0)
		r = plan_confirm(live->root, device->plan, deadline_ms, err);
	if (r == 0)
		r = reserve(live, device->functions, err);
	if (r == 0)
		r = join(live, device, err);
	if (r == -EINPROGRESS) {
		(void)journal_write(live->state, live->journal, NULL);
		return r;
	}
	return r < 0 ? live_roll_back(live, first, err)
		     : journal_write(live->state, live->journal, err);
}

int live_wait_seen(const struct live *live, unsigned wait_ms, struct error *err)
{
	struct deadline deadline = deadline_in_ms(wait_ms);
	size_t mapped = 0;
	int r;

	do {
		cleanup_qmp struct qmp qmp = { .fd = -1 };

		r = qmp_open(live->root, live->journal->vmid, QMP_ANSWER_MS, &qmp, err);
		if (r == 0)
			r = has_any(live, &qmp, &mapped, err);
		if (r < 0 || mapped > 0)
			return r < 0 ? r : 1;
		qmp_done(&qmp);
		clock_sleep_ms(POLL_MS);
	} while (!deadline_passed(deadline));
	return 0;
}

/* ---- a device leaves */

/* Any of its functions: the guest gives a slot back as a whole. */
static int ask_once(const struct live *live, struct qmp *qmp, struct error *err)
{
	cleanup_qemu_functions struct qemu_functions functions = { 0 };
	char id[32];
	size_t mapped, count;
	int r = qemu_functions_read(qmp, &functions, err);

	if (r < 0)
		return r;
	count = qemu_functions_of_line(&functions, live->number, &mapped);
	if (count == 0)
		return 0;
	qemu_line_id(live->number, 0, 1, id);
	if (!qemu_functions_find(&functions, id))
		qemu_line_id(live->number, 0, 2, id);
	r = qmp_command(qmp, "device_del", json_pack("{s:s}", "id", id), QMP_ANSWER_MS, NULL, err);
	/* "is already in the process of unplug": it was asked a moment ago */
	if (r == -EREMOTEIO && strstr(err->message, "already in the process of unplug"))
		r = 0;
	return r == -ENODEV ? 0 : r < 0 ? r : 1;
}

/* 1: it has it; 0: no more, or it has ended. */
static int still_has(const struct live *live, struct error *err)
{
	cleanup_qmp struct qmp qmp = { .fd = -1 };
	size_t mapped;
	int r = qmp_open(live->root, live->journal->vmid, QMP_ANSWER_MS, &qmp, err);

	if (r == 0)
		r = has_any(live, &qmp, &mapped, err);
	if (r == -ENOENT || r == -ECONNREFUSED || r == -ECONNRESET)
		return 0;
	return r;
}

int live_ask(const struct live *live, struct error *err)
{
	struct deadline deadline = deadline_in_ms(live->guest_ms);
	cleanup_qmp struct qmp qmp = { .fd = -1 };
	struct error silent = { 0 };
	int r = qmp_open(live->root, live->journal->vmid, QMP_WAIT_MS, &qmp, err);

	if (r == -ENOENT || r == -ECONNREFUSED)
		return 0;
	if (r == 0)
		r = ask_once(live, &qmp, err);
	if (r <= 0)
		return r;
	qmp_done(&qmp);
	/* A monitor that is busy for a moment is asked again. */
	do {
		clock_sleep_ms(POLL_MS);
		r = still_has(live, &silent);
	} while (r != 0 && !deadline_passed(deadline));
	if (r == 0)
		return 0;
	return r < 0 ? error_set(err, r, "%s", silent.message)
		     : error_set(err, -EBUSY,
				 "the guest of VM %u has not let go of hostpci%u within %u s",
				 live->journal->vmid, live->number, live->guest_ms / 1000);
}

static bool is_of_line(const struct action *action, const char *source)
{
	return action->type == ACTION_BIND && action->state != ACTION_FORESEEN &&
	       strcmp(action->source, source) == 0;
}

/* The binding of the function that an action is on, or NULL. */
static const struct action *binding_of(const struct journal *journal, const struct action *action)
{
	char address[PCI_ADDRESS_TEXT];

	(void)action_split(action, address);
	return actions_find(&journal->actions, ACTION_BIND, address);
}

/* Adds to the bindings that are chosen what else was done for their functions. */
static void choose_rest(const struct journal *journal, bool *chosen)
{
	const struct actions *actions = &journal->actions;

	for (size_t i = 0; i < actions->count; i++) {
		const struct action *bind = NULL;
		struct pci_address address;

		if (actions->items[i].type == ACTION_BIND)
			continue;
		if (actions->items[i].type == ACTION_RESERVE ||
		    action_address(&actions->items[i], &address))
			bind = binding_of(journal, &actions->items[i]);
		chosen[i] = bind && chosen[bind - actions->items];
	}
}

size_t live_choose_line(const struct live *live, bool *chosen)
{
	const struct actions *actions = &live->journal->actions;
	char source[SOURCE_MAX], group[SOURCE_MAX];
	size_t count = 0;

	snprintf(source, sizeof(source), "hostpci%u", live->number);
	for (size_t i = 0; i < actions->count; i++)
		chosen[i] = is_of_line(&actions->items[i], source);
	for (size_t i = 0; i < actions->count; i++) {
		if (!is_of_line(&actions->items[i], source))
			continue;
		count++;
		snprintf(group, sizeof(group), "group %d", actions->items[i].group);
		for (size_t k = 0; k < actions->count; k++)
			chosen[k] |= is_of_line(&actions->items[k], group);
	}
	choose_rest(live->journal, chosen);
	return count;
}

int live_choose_unheld(const struct live *live, bool *chosen, size_t *ret_count, struct error *err)
{
	const struct actions *actions = &live->journal->actions;
	cleanup_vfio_holders struct vfio_holders holders = { 0 };
	int r = vfio_holders_find(live->root, live->journal->qemu.pid, &holders, err);

	*ret_count = 0;
	if (r < 0)
		return r;
	for (size_t i = 0; i < actions->count; i++) {
		const struct action *action = &actions->items[i];

		chosen[i] = action->type == ACTION_BIND && action->state != ACTION_FORESEEN &&
			    !vfio_holder_of(&holders, action->group);
		*ret_count += chosen[i];
	}
	choose_rest(live->journal, chosen);
	return 0;
}

/* Guests that gave way come back when the VM has stopped. */
static void choose_host(const struct journal *journal, bool *chosen)
{
	const struct actions *actions = &journal->actions;

	for (size_t i = 0; i < actions->count; i++)
		if (actions->items[i].type == ACTION_BIND && !chosen[i] &&
		    actions->items[i].state != ACTION_FORESEEN)
			return;
	for (size_t i = 0; i < actions->count; i++)
		chosen[i] = actions->items[i].type != ACTION_DISPLACE;
}

/* Nobody takes them yet: they are in the journal. */
static int drop_reservations(const struct live *live, const bool *chosen, struct error *err)
{
	const struct actions *actions = &live->journal->actions;
	int r = 0;

	for (size_t i = 0; i < actions->count && r == 0; i++)
		if (chosen[i] && actions->items[i].type == ACTION_BIND)
			r = reservation_remove_running(live->root, actions->items[i].target,
						       live->journal->vmid,
						       deadline_in_ms(RESERVE_MS), err);
	return r;
}

int live_give_back(const struct live *live, bool *chosen, struct error *err)
{
	struct actions *actions = &live->journal->actions;
	struct restore restore = {
		.root = live->root,
		.state = live->state,
		.wait_ms = LIVE_CLOSED_MS,
		.deadline_ms = live->journal->deadline_s * 1000,
		.leave_guests = true,
		.report = live->report,
		.context = live->context,
	};
	int r, reserved;

	choose_host(live->journal, chosen);
	for (size_t i = 0; i < actions->count; i++)
		if (actions->items[i].state == ACTION_STUCK)
			actions->items[i].state = ACTION_ANNOUNCED;
	reserved = drop_reservations(live, chosen, err);
	r = restore_actions(&restore, live->journal, chosen, reserved < 0 ? NULL : err);
	return r == 0 ? reserved : r;
}
