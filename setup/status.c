/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup: pve-vfio status. Reads the journals and the kernel; changes nothing. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "change/journal.h"
#include "pci/driver.h"
#include "report/words.h"
#include "setup.h"

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

static void print_text(struct command *command, struct pci_names *names,
		       const struct journal *journal)
{
	char since[32];

	format_time(journal->since, since);
	printf("VM %u: %s since %s", journal->vmid, journal_phase_name(journal->phase), since);
	if (journal->qemu.pid)
		printf(", QEMU process %d", (int)journal->qemu.pid);
	printf("\n");
	for (size_t i = 0; i < journal->actions.count; i++) {
		const struct action *action = &journal->actions.items[i];
		cleanup_free char *name = NULL, *driver = NULL;

		if (action->type != ACTION_BIND)
			continue;
		name = words_name(names, &command->root, action->target);
		driver = driver_now(&command->root, action->target);
		printf("  %s %s\n    %s: %s, before: %s%s%s\n", action->target, name ? name : "",
		       action->source, driver, action->before ? action->before : "no driver",
		       action->state == ACTION_DONE ? "" : "; ",
		       action->state == ACTION_DONE ? "" : action_state_name(action->state));
	}
}

static json_t *json_device(struct command *command, struct pci_names *names,
			   const struct action *action)
{
	cleanup_free char *name = words_name(names, &command->root, action->target);
	cleanup_free char *driver = NULL;

	(void)pci_driver_read(&command->root, action->target, &driver);
	return json_pack("{s:s, s:s, s:s, s:s?, s:s?, s:s}", "address", action->target, "name",
			 name ? name : "", "source", action->source, "driver", driver, "before",
			 action->before, "state", action_state_name(action->state));
}

static json_t *json_vm(struct command *command, struct pci_names *names,
		       const struct journal *journal)
{
	json_t *devices = json_array();

	for (size_t i = 0; i < journal->actions.count; i++)
		if (journal->actions.items[i].type == ACTION_BIND)
			json_array_append_new(devices, json_device(command, names,
								   &journal->actions.items[i]));
	return json_pack("{s:I, s:s, s:I, s:o, s:o}", "vmid", (json_int_t)journal->vmid, "phase",
			 journal_phase_name(journal->phase), "since", (json_int_t)journal->since,
			 "qemu_pid",
			 journal->qemu.pid ? json_integer(journal->qemu.pid) : json_null(),
			 "devices", devices);
}

/* One VM's journal is printed, or put into `vms` for JSON. */
static int show_vm(struct command *command, const struct state *state, uint32_t vmid,
		   struct pci_names *names, json_t *vms, struct error *err)
{
	cleanup_journal struct journal journal = { 0 };
	int r = journal_read(&command->root, state, vmid, &journal, err);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	if (command->json)
		json_array_append_new(vms, json_vm(command, names, &journal));
	else
		print_text(command, names, &journal);
	return 1;
}

static int show_all(struct command *command, const struct vmids *vmids, const struct state *state,
		    json_t *vms, struct error *err)
{
	cleanup_pci_names struct pci_names names = { 0 };
	int shown = 0;

	for (size_t i = 0; i < vmids->count; i++) {
		int r = show_vm(command, state, vmids->items[i], &names, vms, err);

		if (r < 0)
			return r;
		shown += r;
	}
	return shown;
}

static void print_json(json_t *vms)
{
	cleanup_json json_t *document = json_pack("{s:O}", "vms", vms);
	cleanup_free char *text = json_dumps(document, JSON_INDENT(2));

	puts(text ? text : "");
}

int verb_status(struct command *command, struct error *err)
{
	cleanup_state struct state state = { .fd = -1 };
	cleanup_vmids struct vmids vmids = { 0 };
	cleanup_json json_t *vms = json_array();
	struct vmids one = { .count = 1 };
	uint32_t vmid;
	int r;

	if (command->argc > 0) {
		if (command_parse_vmid(command, 0, &vmid) != STATUS_DONE)
			return STATUS_USAGE;
		one.items = &vmid;
	}
	r = state_open(&command->root, false, &state, err);
	if (r == 0 && command->argc == 0)
		r = journal_list(&state, &vmids, err);
	if (r == 0)
		r = show_all(command, command->argc > 0 ? &one : &vmids, &state, vms, err);
	if (r < 0 && r != -ENOENT)
		return STATUS_FAILED;
	if (command->json)
		print_json(vms);
	else if (r <= 0)
		puts(command->argc > 0 ? "The VM holds no devices." : "No VM holds devices.");
	return STATUS_DONE;
}
