/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hook: post-start. Confirms that QEMU holds the devices; what it does not hold goes back. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/lanes.h"
#include "change/tally.h"
#include "check/check.h"
#include "hook.h"
#include "pve/node_name.h"
#include "settings/store.h"
#include "use/vfio.h"

/* A pin is written to the cluster's file system, which may take its time or have no quorum. */
#define PIN_DEADLINE_MS 5000u

/* No start takes longer; a QEMU that is older did not start just now. */
#define START_MOST_US (UINT64_C(3600) * 1000000)

struct pinning {
	struct hook *hook;
	unsigned deadline_ms;
	struct vm_identity vm;
	struct pin *pins;
	size_t count;
};

static void pin_in_lane(int fd, void *work, void *context)
{
	const struct pinning *pinning = work;
	struct lane_report report = { 0 };
	struct error err = { 0 };

	(void)context;
	report.result = store_pins(&pinning->hook->root, pinning->hook->vmid, &pinning->vm,
				   pinning->pins, pinning->count, &err);
	snprintf(report.text, sizeof(report.text), "%s", err.message);
	lane_send(fd, &report);
}

static void tell_pinned(const struct lane_report *report, struct lane *lane, void *context)
{
	(void)lane;
	if (report->result < 0)
		hook_say(context, "warning: the devices cannot be pinned: %s, ignoring",
			 report->text);
}

/* Records what the VM's addresses are, so that a later start notices when they are not. */
static void pin(struct pinning *pinning)
{
	static const struct lanes_callbacks callbacks = { .run = pin_in_lane,
							  .report = tell_pinned };
	struct lane lane = { .work = pinning };
	int r = lanes_run(&lane, 1, pinning->deadline_ms, &callbacks, pinning->hook);

	if (r < 0)
		hook_say(pinning->hook, "warning: the devices cannot be pinned: %s, ignoring",
			 strerror(-r));
	else if (lane.end != LANE_FINISHED)
		hook_say(pinning->hook,
			 "warning: the devices cannot be pinned: %s has not answered within %u s, "
			 "ignoring",
			 *lane.path ? lane.path : "/etc/pve", pinning->deadline_ms / 1000);
}

/* A device of the group comes along; one of a mapping is what the mapping says, on each node. */
static bool may_be_pinned(const struct action *action, const struct vm_config *config)
{
	const struct hostpci *line = vm_config_line(config, action->source);

	return action->type == ACTION_BIND && !text_starts_with(action->source, "group ") &&
	       !(line && line->mapping);
}

/* Adds the device, where this node has another pin for its address or none. */
static void add_pin(struct pinning *pinning, const struct settings *settings, const char *node,
		    const char *target)
{
	cleanup_pci_device struct pci_device device = { 0 };
	struct pin *new = &pinning->pins[pinning->count];
	const struct pin *known;
	struct error err = { 0 };

	if (pci_address_parse(target, &new->address) < 0)
		return;
	if (pci_device_read(&pinning->hook->root, new->address, &device, &err) < 0) {
		hook_say(pinning->hook, "warning: %s cannot be pinned: %s, ignoring", target,
			 err.message);
		return;
	}
	pci_identity_read(&pinning->hook->root, &device, &new->identity);
	known = settings_pin(settings, node, new->address);
	if (known && (*known->node || pci_identity_matches(&new->identity, &known->identity)))
		return;
	snprintf(new->node, sizeof(new->node), "%s", node);
	pinning->count++;
}

/* How long the start took that has just ended, for the next one: check/forecast.h. */
static void note_start(const struct hook *hook, const struct vm_config *config, uint64_t took_us)
{
	struct tally_qemu qemu = { .phase.took_us = took_us };

	qemu.huge = vm_config_get(config, "hugepages") != NULL;
	if (took_us > 0 && took_us <= START_MOST_US && check_memory_read(config, &qemu.memory_mib))
		tally_qemu(hook->lock, &qemu);
}

/*
 * The addresses the configuration names and that have no pin on this node yet; and whose settings
 * they are, which is noted at the first start after they were written.
 */
static int pin_new(struct hook *hook, const struct journal *journal, uint64_t took_us,
		   struct error *err)
{
	cleanup_free struct pin *pins = calloc(journal->actions.count + 1, sizeof(*pins));
	cleanup_settings struct settings settings = { 0 };
	cleanup_vm_config struct vm_config config = { 0 };
	struct pinning pinning = { .hook = hook, .pins = pins };
	unsigned deadline_ms = journal->deadline_s * 1000;
	cleanup_free char *node = NULL;
	int r;

	if (!pins)
		return error_set_memory(err);
	pinning.deadline_ms = deadline_ms < PIN_DEADLINE_MS ? deadline_ms : PIN_DEADLINE_MS;
	r = settings_read(&hook->root, hook->vmid, hook->migrated_from, &settings, err);
	if (r == 0)
		r = vm_config_read(&hook->root, hook->migrated_from, hook->vmid, &config, err);
	if (r == 0)
		r = node_name_read(&hook->root, &node, err);
	if (r == 0)
		note_start(hook, &config, took_us);
	/* What an earlier VM of this number left is its owner's to sort out. */
	if (r < 0 || settings.foreign)
		return r;
	vm_identity_of(&config, &pinning.vm);
	for (size_t i = 0; i < journal->actions.count; i++)
		if (may_be_pinned(&journal->actions.items[i], &config))
			add_pin(&pinning, &settings, node, journal->actions.items[i].target);
	if (pinning.count > 0 || (settings.has_file && !vm_identity_is_known(&settings.vm) &&
				  vm_identity_is_known(&pinning.vm)))
		pin(&pinning);
	return 0;
}

/*
 * What QEMU holds against expectation is this VM's now; what it does not hold goes back: PVE can
 * drop a line that this program took for a device.
 */
static int settle(struct hook *hook, struct journal *journal, struct error *err)
{
	cleanup_vfio_holders struct vfio_holders holders = { 0 };
	cleanup_free bool *chosen = calloc(journal->actions.count + 1, sizeof(*chosen));
	struct restore restore = hook_restore(hook, 0, journal->deadline_s);
	int r;

	if (!chosen)
		return error_set_memory(err);
	r = vfio_holders_find(&hook->root, journal->qemu.pid, &holders, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < journal->actions.count; i++) {
		struct action *action = &journal->actions.items[i];
		bool held = vfio_holder_of(&holders, action->group);

		if (action->type != ACTION_BIND)
			continue;
		if (held && action->state == ACTION_FORESEEN) {
			hook_say(hook, "%s: Proxmox VE chose it (%s)", action->target,
				 action->source);
			action->state = ACTION_DONE;
		}
		chosen[i] = !held;
		if (!held && action->state != ACTION_FORESEEN)
			hook_say(hook, "%s: the VM runs without it (%s); giving it back",
				 action->target, action->source);
	}
	r = restore_actions(&restore, journal, chosen, err);
	return r > 0 ? error_set(err, -EIO, "not all of these devices are back with the host") : r;
}

int phase_post_start(struct hook *hook, struct error *err)
{
	cleanup_journal struct journal journal = { 0 };
	uint64_t took_us;
	int r;

	r = hook_begin(hook, HOOK_READS, err);
	if (r == 0)
		r = hook_read_journal(hook, &journal, err);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	hook_limit(hook, journal.deadline_s);

	r = qemu_find(&hook->root, hook->vmid, &journal.qemu, err);
	if (r < 0)
		return r;
	if (journal.qemu.pid == 0)
		return error_set(err, -ESRCH,
				 "VM %u has no QEMU process; its devices are kept for it",
				 hook->vmid);
	took_us = task_age_us(&journal.qemu);
	journal.watch = (struct task){ 0 };
	journal_enter(&journal, JOURNAL_RUNNING);
	r = journal_write(&hook->state, &journal, err);
	if (r == 0)
		r = settle(hook, &journal, err);
	return r < 0 ? r : pin_new(hook, &journal, took_us, err);
}
