/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup: pve-vfio log. Reads what the hook has written to systemd's journal; changes nothing. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/array.h"
#include "base/number.h"
#include "base/process.h"
#include "report/event.h"
#include "setup/print.h"
#include "setup/setup.h"

#define DEADLINE_MS   20000
#define OUTPUT_MAX    ((size_t)64 << 20)
#define LINES_DEFAULT 200
#define LINES_MAX     100000

static const char *member(const json_t *entry, const char *name)
{
	return json_string_value(json_object_get(entry, name));
}

static uint64_t number_member(const json_t *entry, const char *name)
{
	const char *text = member(entry, name);
	uint64_t number;

	return text && parse_u64(text, &number) == 0 ? number : 0;
}

/* Without the "VM 101: " that each has for those who read the journal itself. */
static const char *find_message(const json_t *entry)
{
	const char *message = member(entry, "MESSAGE"), *vmid = member(entry, "PVE_VFIO_VMID");
	cleanup_free char *head = vmid ? text_format("VM %s: ", vmid) : NULL;

	if (!message)
		return "(not text)";
	return head && text_starts_with(message, head) ? message + strlen(head) : message;
}

static void print_entry(const json_t *entry)
{
	const char *vmid = member(entry, "PVE_VFIO_VMID"), *phase = member(entry, "PVE_VFIO_PHASE");
	time_t when = (time_t)(number_member(entry, "__REALTIME_TIMESTAMP") / 1000000);
	const char *message = find_message(entry);
	cleanup_text struct text start = { 0 };
	char clock[32] = "";
	struct tm parts;

	if (localtime_r(&when, &parts))
		(void)strftime(clock, sizeof(clock), "%Y-%m-%d %H:%M:%S", &parts);
	text_add(&start, "%s ", clock);
	if (vmid)
		text_add(&start, "VM %s%s%s: ", vmid, phase ? " " : "", phase ? phase : "");
	for (bool first = true; *message; first = false) {
		size_t size = strcspn(message, "\n");

		print_sentence(STDOUT_FILENO, first && start.data ? start.data : "  ", "    ",
			       "%.*s", (int)size, message);
		message += size + (message[size] == '\n');
	}
}

static json_t *entry_json(const json_t *entry)
{
	uint64_t vmid = number_member(entry, "PVE_VFIO_VMID");
	uint64_t took_us = number_member(entry, "PVE_VFIO_USEC");

	return json_pack("{s:I, s:o, s:s?, s:s, s:s?, s:s?, s:s?, s:s?, s:s?, s:o, s:s}", "time_us",
			 (json_int_t)number_member(entry, "__REALTIME_TIMESTAMP"), "vmid",
			 vmid > 0 ? json_integer((json_int_t)vmid) : json_null(), "phase",
			 member(entry, "PVE_VFIO_PHASE"), "event",
			 event_kind_name(event_find(member(entry, "MESSAGE_ID"))), "device",
			 member(entry, "PVE_VFIO_DEVICE"), "subject",
			 member(entry, "PVE_VFIO_SUBJECT"), "action",
			 member(entry, "PVE_VFIO_ACTION"), "check", member(entry, "PVE_VFIO_CHECK"),
			 "result", member(entry, "PVE_VFIO_RESULT"), "took_us",
			 took_us > 0 ? json_integer((json_int_t)took_us) : json_null(), "message",
			 find_message(entry));
}

/* A line an entry; what journalctl was cut off in is none. The reference is the caller's. */
static int parse_entries(char *output, json_t **ret, struct error *err)
{
	cleanup_json json_t *entries = json_array();
	char *rest = output, *line;

	if (!entries)
		return error_set_memory(err);
	while ((line = strsep(&rest, "\n"))) {
		json_t *entry = *line == '{' ? json_loads(line, 0, NULL) : NULL;

		if (entry && json_array_append_new(entries, entry) < 0)
			return error_set_memory(err);
	}
	*ret = json_incref(entries);
	return 0;
}

/*
 * Only root's own entries count: anybody may write to the journal under any name, but for _UID, which
 * the journal sets itself.
 */
static int read_entries(const struct command *command, const char *vmid, const char *lines,
			json_t **ret, struct error *err)
{
	const char *since = command_value(command, "--since");
	cleanup_free char *count = text_format("--lines=%s", lines);
	cleanup_free char *from = text_format("--since=%s", since ? since : "");
	cleanup_free char *vm = text_format("PVE_VFIO_VMID=%s", vmid ? vmid : "");
	cleanup_process_end struct process_end end = { 0 };
	const char *argv[10] = { "journalctl", "--quiet", "--no-pager", "--output=json" };
	size_t size = 4;
	int r;

	if (!count || !from || !vm)
		return error_set_memory(err);
	argv[size++] = count;
	if (since)
		argv[size++] = from;
	argv[size++] = "SYSLOG_IDENTIFIER=" EVENT_PROGRAM;
	argv[size++] = "_UID=0";
	if (vmid)
		argv[size++] = vm;
	r = process_run(argv, DEADLINE_MS, OUTPUT_MAX, &end, err);
	if (r == -ENOENT)
		return error_set(
			err, r,
			"there is no journalctl on this machine, which has the log; the task "
			"log of a start has the same lines");
	if (r < 0)
		return r;
	if (end.status != 0)
		return error_set(err, -EIO, "'journalctl' failed (%d): %.*s", end.status,
				 (int)strcspn(end.output, "\n"), end.output);
	return parse_entries(end.output, ret, err);
}

static int print_entries(const json_t *entries, const char *vmid)
{
	for (size_t i = 0; i < json_array_size(entries); i++)
		print_entry(json_array_get(entries, i));
	if (json_array_size(entries) == 0)
		print_sentence(STDOUT_FILENO, "", "", "The journal has no entry of the hook%s%s%s.",
			       vmid ? " for VM " : "", vmid ? vmid : "",
			       geteuid() == 0 ? "" : " that can be read without root");
	return 0;
}

int verb_log(struct command *command, struct error *err)
{
	const char *lines = command_value(command, "--lines");
	cleanup_json json_t *entries = NULL, *events = json_array();
	uint32_t vmid, count = LINES_DEFAULT;
	char lines_text[16];
	int r = command->argc > 0 ? command_parse_vmid(command, 0, &vmid, err) : 0;

	if (r < 0)
		return r;
	if (lines && (parse_u32(lines, &count) < 0 || count == 0 || count > LINES_MAX))
		return usage_error(err, command, "--lines takes a number from 1 to %d", LINES_MAX);
	if (!command->root.live)
		return error_refuse(
			err, "the log is in the journal of a running machine, not in a tree");
	snprintf(lines_text, sizeof(lines_text), "%u", count);
	r = read_entries(command, command->argc > 0 ? command->argv[0] : NULL, lines_text, &entries,
			 err);
	if (r < 0)
		return r;
	if (!command->json)
		return print_entries(entries, command->argc > 0 ? command->argv[0] : NULL);
	for (size_t i = 0; i < json_array_size(entries); i++)
		if (json_array_append_new(events, entry_json(json_array_get(entries, i))) < 0)
			return error_set_memory(err);
	return print_json(json_pack("{s:O}", "events", events), err);
}
