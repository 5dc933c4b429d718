/* SPDX-License-Identifier: GPL-2.0-or-later */
/* doctor: what starts have left: journals of VMs that do not run, ids that vfio-pci has learned. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "change/plan.h"
#include "doctor/doctor.h"
#include "host/modconf.h"
#include "pci/override.h"
#include "pci/variant.h"
#include "pve/lock.h"
#include "use/awake.h"

static const char stuck_remedy[] = "See 'ps -eo pid,stat,wchan:32,args' for processes in state D; "
				   "most often only a reboot of the host helps.";

static int judge_journal(const struct pve_node *node, const struct journal *journal,
			 struct verdicts *verdicts)
{
	cleanup_free char *subject = text_format("VM %u", journal->vmid), *remedy = NULL;
	cleanup_close int lock = vm_lock_open(node->root, journal->vmid);
	struct task qemu = { 0 };

	if (!subject)
		return -ENOMEM;
	if (journal->phase == JOURNAL_KEPT)
		return verdict_add(verdicts, VERDICT_INFO, "journal-kept", subject, NULL,
				   "Its devices stay with VFIO while it is off, as its settings "
				   "ask.");
	if (qemu_find(node->root, journal->vmid, &qemu, NULL) < 0)
		return verdict_add(verdicts, VERDICT_UNKNOWN, "journal-stale", subject, NULL,
				   "It cannot be determined whether it runs.");
	if (lock >= 0 && vm_lock_is_held(lock))
		return verdict_add(verdicts, VERDICT_INFO, "journal", subject, NULL,
				   "Proxmox VE is starting or stopping it.");
	if (qemu.pid)
		return verdict_add(verdicts, VERDICT_OK, "journal", subject, NULL,
				   "It runs, with the devices of its journal (%s).",
				   journal_phase_name(journal->phase));
	if (journal->phase == JOURNAL_RUNNING || journal->phase == JOURNAL_READY)
		return verdict_add(
			verdicts, VERDICT_WARNING, "journal-stale", subject,
			"Give its devices back: 'pve-vfio restore --stale'. Its next "
			"start does it too.",
			"It does not run, and its journal (%s) says that it has devices: "
			"its start failed, or post-stop never came.",
			journal_phase_name(journal->phase));
	remedy = text_format("See 'pve-vfio status %u'.", journal->vmid);
	if (!remedy)
		return -ENOMEM;
	return verdict_add(verdicts, VERDICT_INFO, "journal", subject, remedy,
			   "Its journal says '%s': a phase is running, or was killed.",
			   journal_phase_name(journal->phase));
}

int journal_judge_stuck(const struct journal *journal, struct verdicts *verdicts)
{
	int r = 0;

	for (size_t i = 0; i < journal->actions.count && r == 0; i++) {
		const struct action *action = &journal->actions.items[i];

		if (action->state == ACTION_STUCK)
			r = verdict_add(verdicts, VERDICT_ERROR, "device-stuck", action->target,
					stuck_remedy,
					"VM %u's journal says that it is stuck in the kernel: a "
					"driver's probe or remove did not end in time.",
					journal->vmid);
	}
	return r;
}

static int judge_journals(const struct pve_node *node, struct verdicts *verdicts)
{
	int r = 0;

	if (node->journals_hidden)
		return verdict_add(verdicts, VERDICT_UNKNOWN, "journal-stale", NULL,
				   "Run it as root.", "Only root may read the journals.");
	for (size_t i = 0; i < node->journals.count && r == 0; i++)
		r = judge_journal(node, &node->journals.items[i], verdicts);
	for (size_t i = 0; i < node->journals.count && r == 0; i++)
		r = journal_judge_stuck(&node->journals.items[i], verdicts);
	if (r == 0 && node->journals.count == 0 && node->faults.count == 0)
		r = verdict_add(verdicts, VERDICT_OK, "journal", NULL, NULL,
				"No VM holds devices by a journal.");
	return r;
}

/* "10de:2484,10de:228b" of vfio-pci.ids=; further fields of an entry are left out. */
static bool ids_have(const char *ids, const struct pci_device *device)
{
	char wanted[16];

	snprintf(wanted, sizeof(wanted), "%04x:%04x", device->vendor, device->device);
	for (const char *at = ids; at && *at; at += strcspn(at, ","), at += *at == ',')
		if (strncasecmp(at, wanted, strlen(wanted)) == 0)
			return true;
	return false;
}

/* In any line: the parameter itself shows nowhere in sysfs. */
static bool has_ids(const struct modconf *conf, const struct pci_device *device)
{
	for (size_t i = 0; i < conf->count; i++) {
		const struct modconf_line *line = &conf->items[i];
		const char *ids;
		size_t size;

		if (line->kind != MODCONF_OPTIONS || !modconf_same_module(line->module, "vfio_pci"))
			continue;
		ids = modconf_find_option(line->rest, "ids", &size);
		if (ids && size > strlen("ids=") && ids_have(ids + strlen("ids="), device))
			return true;
	}
	return false;
}

static bool has_journal(const struct pve_node *node, const char *address)
{
	const struct journal *owner = NULL;

	return claims_find(&node->journals, address, &owner) != NULL;
}

static int judge_override(const struct override_reading *reading, struct verdicts *verdicts)
{
	if (reading->stuck)
		return verdict_add(verdicts, VERDICT_ERROR, "device-stuck", reading->address,
				   stuck_remedy,
				   "The kernel holds its lock: a driver's probe or remove does not "
				   "end.");
	if (reading->result < 0)
		return verdict_add(verdicts, VERDICT_UNKNOWN, "id-learned", reading->address, NULL,
				   "Its driver_override cannot be read: %s.",
				   strerror(-reading->result));
	return 0;
}

#define LEARNED_MOST 6

/* Those that are there for no reason that can be seen, in one line. */
static int tell_learned(const struct override_reading *readings, size_t count,
			struct verdicts *verdicts)
{
	cleanup_text struct text devices = { 0 };
	size_t learned = 0;

	for (size_t i = 0; i < count; i++) {
		if (readings[i].stuck || readings[i].result < 0 || readings[i].override)
			continue;
		if (learned++ < LEARNED_MOST)
			text_add(&devices, "%s%s", devices.size ? ", " : "", readings[i].address);
	}
	if (learned == 0)
		return 0;
	if (learned > LEARNED_MOST)
		text_add(&devices, " and %zu more", learned - LEARNED_MOST);
	return devices.failed
		       ? -ENOMEM
		       : verdict_add(verdicts, VERDICT_INFO, "id-learned", devices.data,
				     "Harmless with the hook. To forget it: stop the VMs that use "
				     "VFIO, and 'modprobe -r vfio-pci'.",
				     "With vfio-pci, but not by a driver_override, ids= or a "
				     "journal: Proxmox VE or somebody else has taught vfio-pci the "
				     "id (new_id), and it takes every free device of that id.");
}

/* The kernel shows no list of learned ids; a device that has no other reason to be there does. */
static int judge_learned(const struct pve_node *node, struct verdicts *verdicts)
{
	const struct pci_inventory *inventory = &node->inventory;
	cleanup_free struct override_reading *readings =
		calloc(inventory->count + 1, sizeof(*readings));
	cleanup_modconf struct modconf modconf = { 0 };
	cleanup_free char *booted = NULL;
	size_t count = 0, before = verdicts->count;
	int r = 0;

	if (!readings || modconf_read(node->root, &modconf) < 0)
		return -ENOMEM;
	booted = kernel_parameter(node->command_line, "vfio-pci.ids");
	for (size_t i = 0; i < inventory->count; i++) {
		const struct pci_device *device = &inventory->items[i].device;

		if (text_equal(device->driver, VFIO_DRIVER) && !has_ids(&modconf, device) &&
		    !ids_have(booted, device) && !has_journal(node, device->name))
			readings[count++].address = device->name;
	}
	pci_overrides_read(node->root, readings, count);
	for (size_t i = 0; i < count && r == 0; i++)
		r = judge_override(&readings[i], verdicts);
	if (r == 0)
		r = tell_learned(readings, count, verdicts);
	pci_overrides_done(readings, count);
	if (r == 0 && verdicts->count == before)
		r = verdict_add(verdicts, VERDICT_OK, "id-learned", NULL, NULL,
				"vfio-pci has no device by an id that it was taught.");
	return r;
}

static bool is_in_use(const struct safety *safety)
{
	return safety->holder || strings_has(&safety->use_ids, "device-held") ||
	       strings_has(&safety->use_ids, "device-owned") ||
	       text_equal(safety->why_id, "device-held") ||
	       text_equal(safety->why_id, "device-owned");
}

/* Functions that vfio-pci has for a VM that is off, and that do not sleep meanwhile. */
static int judge_idle(const struct doctor *doctor, struct verdicts *verdicts)
{
	const struct pve_node *node = doctor->node;
	int r = 0;

	for (size_t i = 0; i < node->inventory.count && r == 0; i++) {
		const struct pci_device *device = &node->inventory.items[i].device;
		cleanup_free char *why = NULL, *remedy = NULL;

		if (!text_equal(device->driver, VFIO_DRIVER) || device->bridge ||
		    is_in_use(&doctor->safeties->items[i]))
			continue;
		if (awake_why(node->root, device, &why) < 0)
			return -ENOMEM;
		if (!why)
			continue;
		remedy =
			strcmp(why, "power/control is on") == 0
				? text_format("'echo auto > /sys/bus/pci/devices/%s/power/control' "
					      "lets it sleep, until the next boot.",
					      device->name)
				: NULL;
		r = verdict_add(verdicts, VERDICT_INFO, "device-idles-awake", device->name, remedy,
				"vfio-pci has it, no VM uses it, and it is awake (D0): %s. A "
				"graphics card takes the power there that it takes when idle, in "
				"D3hot less, and in D3cold next to none.",
				why);
	}
	return r;
}

int node_state(const struct doctor *doctor, struct verdicts *verdicts)
{
	int r = judge_journals(doctor->node, verdicts);

	for (size_t i = 0; i < doctor->node->faults.count && r == 0; i++)
		r = verdict_add(verdicts, VERDICT_UNKNOWN, "node-fault", NULL, NULL, "%s.",
				doctor->node->faults.items[i]);
	if (r == 0)
		r = judge_learned(doctor->node, verdicts);
	return r == 0 ? judge_idle(doctor, verdicts) : r;
}
