/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hook: what the hook says. Ends no process and waits for no logger. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/cage.h"
#include "base/clock.h"
#include "base/syslog.h"
#include "hook.h"
#include "report/words.h"
#include "settings/settings.h"

void hook_log_open(struct hook *hook)
{
	hook->log.journal = hook->root.live ? journald_connect(JOURNALD_SOCKET) : -1;
	hook->log.syslog = hook->root.live && hook->log.journal < 0 ? syslog_connect() : -1;
}

/* A line goes out in one write, so that lines of several tasks do not mix. */
static void say_line(struct hook *hook, const char *line, size_t size)
{
	cleanup_free char *log = NULL;

	printf("pve-vfio: %.*s\n", (int)size, line);
	(void)fflush(stdout);
	if (hook->log.syslog < 0)
		return;
	log = text_format("VM %u: %.*s", hook->vmid, (int)size, line);
	if (log)
		syslog_send(hook->log.syslog, "pve-vfio-hook", log);
}

void hook_tell(struct hook *hook, const struct event *event, const char *text)
{
	for (const char *line = text; *line;) {
		size_t length = strcspn(line, "\n");

		say_line(hook, line, length);
		line += length + (line[length] == '\n');
	}
	if (*text && hook->log.journal >= 0)
		event_send(hook->log.journal, event, hook->vmid,
			   hook->log.phase ? hook->log.phase : "watch", text);
}

void hook_say(struct hook *hook, const char *format, ...)
{
	cleanup_free char *text = NULL;
	va_list arguments;

	va_start(arguments, format);
	text = text_format_list(format, arguments);
	va_end(arguments);
	if (text)
		hook_tell(hook, &(struct event){ .kind = EVENT_NOTE }, text);
}

void hook_trace(struct hook *hook, const char *step, uint64_t began_us)
{
	if (hook->trace)
		hook_say(hook, "trace: %8ju us %s", (uintmax_t)(clock_now_us() - began_us), step);
}

void hook_trace_cage(struct hook *hook)
{
	const char *lacks = hook->trace ? cage_lacks() : NULL;

	if (lacks)
		hook_say(hook, "trace: %s", lacks);
}

void hook_read_trace(struct hook *hook)
{
	cleanup_settings struct settings settings = { 0 };

	if (settings_read(&hook->root, hook->vmid, hook->migrated_from, &settings, NULL) == 0)
		hook->trace = settings.trace;
}

/* A start that a driver holds up: what it was, and what helps. A guest that gives way has its own time. */
static void tell_late(struct hook *hook, const struct action *action)
{
	if (action->type == ACTION_DISPLACE)
		return;
	if (action->state == ACTION_STUCK)
		hook_say(hook,
			 "%s: see 'journalctl -k'; most often only a reboot of the node "
			 "frees it",
			 action->target);
	else
		hook_say(hook,
			 "%s: 'journalctl -k' may say why; \"deadline_s\" in "
			 "/etc/pve/pve-vfio/%u.json gives it longer",
			 action->target, hook->vmid);
}

static const char *result_word(int result)
{
	switch (-result) {
	case 0:
		return "done";
	case EINPROGRESS:
		return "waiting";
	case ETIMEDOUT:
		return "timeout";
	default:
		return "failed";
	}
}

static void tell(struct hook *hook, enum run_direction direction, const struct action *action,
		 const struct run_result *result)
{
	cleanup_free char *line =
		words_result(&hook->names, &hook->root, direction, action, result);
	const struct event event = {
		.kind = direction == RUN_APPLY ? EVENT_TAKEN : EVENT_RETURNED,
		.subject = action->target,
		.action = action_operations(action->type)->name,
		.result = result_word(result->result),
		.took_us = result->took_us,
	};

	if (line)
		hook_tell(hook, &event, line);
	if (line)
		notify_result(hook, direction, action, result, line);
	if (direction == RUN_APPLY && result->result == -ETIMEDOUT)
		tell_late(hook, action);
	if (hook->trace)
		hook_say(hook, "trace: %8ju us %s %s", (uintmax_t)result->took_us,
			 action_operations(action->type)->name, action->target);
}

void hook_tell_applied(const struct action *action, const struct run_result *result, void *context)
{
	tell(context, RUN_APPLY, action, result);
}

void hook_tell_reverted(const struct action *action, const struct run_result *result, void *context)
{
	tell(context, RUN_REVERT, action, result);
}
