/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup: pve-vfio status. Reads the journals and the kernel; changes nothing. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "change/recover.h"
#include "doctor/pve_node.h"
#include "pci/driver.h"
#include "pci/override.h"
#include "pve/config.h"
#include "pve/lock.h"
#include "pve/qemu.h"
#include "report/words.h"
#include "setup/look/status.h"
#include "setup/print.h"
#include "setup/setup.h"
#include "use/awake.h"
#include "use/eswitch.h"
#include "use/network.h"
#include "use/sriov.h"
#include "use/vfio.h"

#define STATUS_WIDTH 80

/* What the driver of a device is now, in words. */
static char *driver_now(const struct sysroot *root, const char *address)
{
	char *driver = NULL;
	int r = pci_driver_read(root, address, &driver);

	if (r == 0)
		return driver ? driver : strdup("no driver");
	return strdup(r == -ENODEV ? "no longer there" : "unknown");
}

static void format_time(time_t when, char buffer[32])
{
	struct tm parts;

	if (!localtime_r(&when, &parts) || strftime(buffer, 32, "%Y-%m-%d %H:%M:%S", &parts) == 0)
		snprintf(buffer, 32, "unknown");
}

/* How the kernel sees what a journal says. */
struct sight {
	struct override_reading *readings; /* one for each action; of an ACTION_BIND it is read */
	size_t count;
	struct vfio_holders holders; /* what the VM's QEMU has open */
	bool seen;		     /* these were looked at */
	bool known;		     /* whether it could be determined if the VM runs */
	bool runs;
	bool at_work; /* a phase holds the VM's lock */
	bool locked;  /* Proxmox VE holds its configuration: a start or stop goes on */
	bool watched; /* a watch is there */
};

static void sight_done(struct sight *sight)
{
	if (sight->readings)
		pci_overrides_done(sight->readings, sight->count);
	free(sight->readings);
	vfio_holders_done(&sight->holders);
}

static bool is_locked(const struct state *state, uint32_t vmid)
{
	cleanup_close int lock = state_lock_vm(state, vmid, deadline_in_ms(0), NULL);

	return lock == -EWOULDBLOCK;
}

/*
 * driver_override is read for its lock alone: a driver that hangs in probe or remove holds it. That is
 * the last, and without the VM's lock, which a process that stays in the kernel would keep.
 */
static int look(struct command *command, const struct state *state, const struct journal *journal,
		struct sight *sight, struct error *err)
{
	cleanup_close int config_lock = vm_lock_open(&command->root, journal->vmid);
	struct task qemu = { 0 };

	sight->locked = config_lock >= 0 && vm_lock_is_held(config_lock);
	sight->watched = journal->watch.pid && task_is_alive(&command->root, &journal->watch);
	sight->count = 0;
	sight->readings = calloc(journal->actions.count + 1, sizeof(*sight->readings));
	if (!sight->readings)
		return error_set_memory(err);
	for (size_t i = 0; i < journal->actions.count; i++)
		if (journal->actions.items[i].type == ACTION_BIND)
			sight->readings[sight->count++].address = journal->actions.items[i].target;
	sight->known = qemu_find(&command->root, journal->vmid, &qemu, NULL) == 0;
	sight->runs = qemu.pid != 0;
	sight->seen = qemu.pid != 0 && journal->phase == JOURNAL_RUNNING &&
		      vfio_holders_find(&command->root, qemu.pid, &sight->holders, NULL) == 0;
	sight->at_work = is_locked(state, journal->vmid);
	pci_overrides_read(&command->root, sight->readings, sight->count);
	return 0;
}

/* Or the hook's own child is with it in the kernel, and so keeps the VM's lock. */
static bool is_stuck(const struct sight *sight, const struct action *action)
{
	if (action->state == ACTION_STUCK && sight->at_work)
		return true;
	for (size_t i = 0; i < sight->count; i++)
		if (strcmp(sight->readings[i].address, action->target) == 0)
			return sight->readings[i].stuck;
	return false;
}

/* It was given, and QEMU does not have it: the guest has released it, or never got it. */
static bool is_without(const struct sight *sight, const struct action *action)
{
	return sight->seen && !sight->at_work && action->state != ACTION_FORESEEN &&
	       !vfio_holder_of(&sight->holders, action->group);
}

static bool any_stuck(const struct journal *journal)
{
	for (size_t i = 0; i < journal->actions.count; i++)
		if (journal->actions.items[i].state == ACTION_STUCK)
			return true;
	return false;
}

/* What is wrong with the whole of it, or NULL. */
static const char *find_fault(const struct journal *journal, const struct sight *sight)
{
	if (sight->at_work)
		return any_stuck(journal)
			       ? "a child of the hook is stuck in the kernel with one of "
				 "its devices; most often only a reboot of the host helps"
			       : "a phase is running just now";
	if (sight->locked)
		return "Proxmox VE is starting or stopping it";
	if (sight->watched && !sight->runs && journal_has_guests(journal))
		return "a watch starts again who gave way to it";
	if (sight->watched)
		return sight->runs
			       ? "a watch waits for the end of its QEMU, to give its devices back"
			       : "a watch gives its devices back as soon as nobody has them open";
	if (journal->phase == JOURNAL_KEPT || !sight->known || sight->runs)
		return NULL;
	if (journal->phase == JOURNAL_STARTING || journal->phase == JOURNAL_STOPPING)
		return "no phase is running: one was killed, or could not give all back; "
		       "'pve-vfio restore' tries again";
	return "it does not run: its start failed, or post-stop never came; 'pve-vfio restore' "
	       "gives its devices back";
}

/*
 * The physical function of a virtual one, which is the host's: its interface is down or has no link, so
 * that the VM reaches nobody. NULL where there is nothing to say.
 */
static char *physical_fault(const struct sysroot *root, const char *address)
{
	cleanup_strings struct strings names = { 0 };
	struct sriov_place place;

	bool up = false;

	if (sriov_place_find(root, address, &place) < 0 ||
	    eswitch_interfaces(root, place.physical, &names) < 0)
		return NULL;
	for (size_t i = 0; i < names.count; i++) {
		if (network_has_link(root, names.items[i]))
			return NULL;
		up |= network_is_up(root, names.items[i]);
	}
	return names.count > 0 ? text_format("%s of its physical function %s %s", names.items[0],
					     place.physical, up ? "has no link" : "is down")
			       : NULL;
}

static void print_device(struct command *command, struct pci_names *names,
			 const struct journal *journal, const struct action *action,
			 const struct sight *sight)
{
	cleanup_free char *name = words_name(names, &command->root, action->target);
	cleanup_free char *driver = driver_now(&command->root, action->target);
	cleanup_free char *fault = physical_fault(&command->root, action->target);
	bool done = action->state == ACTION_DONE;

	printf("  %s %s\n    %s: %s, before: %s%s%s\n", action->target, name ? name : "",
	       action->source, driver, action->before ? action->before : "no driver",
	       done ? "" : "; ", done ? "" : action_state_name(action->state));
	if (is_stuck(sight, action))
		printf("    stuck in the kernel: a driver's probe or remove does not end\n");
	else if (is_without(sight, action))
		printf("    the VM runs without it; 'pve-vfio restore %u' gives it back\n",
		       journal->vmid);
	else if (journal->phase == JOURNAL_RUNNING && done && !text_equal(driver, action->wanted))
		printf("    the journal says %s: somebody else changed it\n", action->wanted);
	if (fault)
		printf("    %s\n", fault);
}

/* Services that were stopped, values that were set: what else goes back after the stop. */
static void print_change(const struct action *action)
{
	cleanup_free char *words = words_planned(action);

	if (action->type == ACTION_DISPLACE) {
		cleanup_free char *guest = words_guest(action->target);

		printf("  %s gave way%s\n", guest ? guest : "",
		       action->keep ? "" : ", and is started again when this VM has stopped");
	} else if (words) {
		printf("  %s\n", words);
	}
}

static void print_text(struct command *command, struct pci_names *names,
		       const struct journal *journal, const struct sight *sight)
{
	const char *fault = find_fault(journal, sight);
	char since[32];

	format_time(journal->since, since);
	printf("VM %u: %s since %s", journal->vmid, journal_phase_name(journal->phase), since);
	if (journal->qemu.pid)
		printf(", QEMU process %d", (int)journal->qemu.pid);
	if (sight->watched)
		printf(", watch %d", (int)journal->watch.pid);
	printf("\n");
	if (fault) {
		cleanup_text struct text words = { 0 };

		words_wrap(&words, STATUS_WIDTH, " ", " ", fault);
		fputs(words.data ? words.data : "", stdout);
	}
	for (size_t i = 0; i < journal->actions.count; i++)
		if (journal->actions.items[i].type == ACTION_BIND)
			print_device(command, names, journal, &journal->actions.items[i], sight);
	for (size_t i = 0; i < journal->actions.count; i++)
		print_change(&journal->actions.items[i]);
}

static json_t *json_device(struct command *command, struct pci_names *names,
			   const struct action *action, const struct sight *sight)
{
	cleanup_free char *name = words_name(names, &command->root, action->target);
	cleanup_free char *driver = NULL;

	(void)pci_driver_read(&command->root, action->target, &driver);
	return json_pack("{s:s, s:s, s:s, s:s?, s:s?, s:s, s:b, s:o}", "address", action->target,
			 "name", name ? name : "", "source", action->source, "driver", driver,
			 "before", action->before, "state", action_state_name(action->state),
			 "stuck", is_stuck(sight, action), "held",
			 sight->seen ? json_boolean(vfio_holder_of(&sight->holders, action->group))
				     : json_null());
}

static json_t *json_vm(struct command *command, struct pci_names *names,
		       const struct journal *journal, const struct sight *sight)
{
	json_t *devices = json_array(), *changes = json_array();

	for (size_t i = 0; i < journal->actions.count; i++) {
		const struct action *action = &journal->actions.items[i];

		if (action->type == ACTION_BIND)
			json_array_append_new(devices, json_device(command, names, action, sight));
		else if (action->type != ACTION_RESERVE)
			json_array_append_new(changes,
					      json_pack("{s:s, s:s, s:s?, s:s, s:s}", "type",
							action_operations(action->type)->name,
							"target", action->target, "before",
							action->before, "wanted", action->wanted,
							"state", action_state_name(action->state)));
	}
	return json_pack("{s:I, s:s, s:I, s:o, s:o, s:b, s:b, s:o, s:s?, s:o, s:o}", "vmid",
			 (json_int_t)journal->vmid, "phase", journal_phase_name(journal->phase),
			 "since", (json_int_t)journal->since, "qemu_pid",
			 journal->qemu.pid ? json_integer(journal->qemu.pid) : json_null(), "runs",
			 sight->known ? json_boolean(sight->runs) : json_null(), "at_work",
			 sight->at_work, "locked", sight->locked, "watch_pid",
			 sight->watched ? json_integer(journal->watch.pid) : json_null(), "fault",
			 find_fault(journal, sight), "devices", devices, "changes", changes);
}

/* One VM's journal is put into `vms`, or printed where that is NULL. */
static int show_vm(struct command *command, const struct state *state, uint32_t vmid,
		   struct pci_names *names, json_t *vms, struct error *err)
{
	cleanup(sight_done) struct sight sight = { 0 };
	cleanup_journal struct journal journal = { 0 };
	int r = journal_look(&command->root, state, vmid, &journal, err);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	r = look(command, state, &journal, &sight, err);
	if (r < 0)
		return r;
	if (vms)
		json_array_append_new(vms, json_vm(command, names, &journal, &sight));
	else
		print_text(command, names, &journal, &sight);
	return 1;
}

/* A journal that cannot be understood does not hide the others. How many there are, or its errno. */
static int show_all(struct command *command, const struct vmids *vmids, const struct state *state,
		    json_t *vms, struct error *err)
{
	cleanup_pci_names struct pci_names names = { 0 };
	int shown = 0, failed = 0;

	for (size_t i = 0; i < vmids->count; i++) {
		struct error reason = { 0 };
		int r = show_vm(command, state, vmids->items[i], &names, vms, &reason);

		if (r >= 0)
			shown += r;
		else if (failed == 0)
			failed = error_set(err, r, "%s", reason.message);
	}
	return failed < 0 ? failed : shown;
}

/*
 * After the stop: what of the VM's devices, which are with the host again, is still awake, and why. What
 * cannot be read is not said. Put into `awake`, or printed where that is NULL.
 */
static int show_awake(struct command *command, uint32_t vmid, json_t *awake, struct error *err)
{
	cleanup_pve_node struct pve_node node = { .root = &command->root };
	const struct node_vm *vm;

	if (pve_node_read(&node, NULL) < 0)
		return 0;
	vm = node_find_vm(&node, vmid);
	for (size_t i = 0; vm && i < vm->wanted.count; i++) {
		char address[PCI_ADDRESS_TEXT];
		const struct pci_entry *entry =
			pci_inventory_find(&node.inventory,
					   pci_address_format(vm->wanted.devices[i].address,
							      address));
		cleanup_free char *why = NULL;

		if (!entry)
			continue;
		if (awake_why(&command->root, &entry->device, &why) < 0)
			return error_set_memory(err);
		if (why && awake)
			json_array_append_new(awake, json_pack("{s:s, s:s}", "address", address,
							       "why", why));
		else if (why)
			print_sentence(STDOUT_FILENO, "  ", "    ", "%s is awake: %s", address,
				       why);
	}
	return 0;
}

int status_look(struct command *command, uint32_t vmid, json_t *vms, json_t *awake,
		struct error *err)
{
	cleanup_state struct state state = { .fd = -1 };
	cleanup_vmids struct vmids vmids = { 0 };
	struct vmids one = { .items = &vmid, .count = 1 };
	int r = state_open(&command->root, false, &state, err);

	if (r == 0 && vmid == 0)
		r = journal_list(&state, &vmids, err);
	if (r == 0)
		r = show_all(command, vmid ? &one : &vmids, &state, vms, err);
	if (r == -ENOENT)
		r = 0;
	if (r == 0 && vmid)
		r = vm_look(&command->root, vmid, err);
	if (r == 0 && !vms)
		puts(vmid ? "The VM holds no devices." : "No VM holds devices.");
	if (r == 0 && vmid && (awake || !vms))
		r = show_awake(command, vmid, awake, err);
	return r < 0 ? r : 0;
}

int verb_status(struct command *command, struct error *err)
{
	cleanup_json json_t *vms = command->json ? json_array() : NULL;
	cleanup_json json_t *awake = command->json && command->argc > 0 ? json_array() : NULL;
	uint32_t vmid = 0;
	int r, shown = 0;

	if (command->argc > 0) {
		r = command_parse_vmid(command, 0, &vmid, err);
		if (r < 0)
			return r;
	}
	if (command_has(command, "--watch")) {
		if (command->json)
			return usage_error(err, command, "--watch prints no JSON");
		return status_watch(command, vmid, err);
	}
	r = status_look(command, vmid, vms, awake, err);
	if (vms && (r >= 0 || json_array_size(vms) > 0))
		shown = print_json(json_pack("{s:O, s:O*}", "vms", vms, "awake", awake), err);
	return r < 0 ? r : shown;
}
