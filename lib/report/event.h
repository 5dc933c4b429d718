/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * report: what the hook does, as an entry of systemd's journal: pve-vfio-hook(8), "JOURNAL", has the
 * fields, and 'pve-vfio log' reads them.
 */
#pragma once

#include <stdint.h>

#include "base/journald.h"

#define EVENT_PROGRAM "pve-vfio-hook"

enum event_kind {
	EVENT_NOTE,	/* anything else that it says */
	EVENT_FINDING,	/* a check has found something */
	EVENT_TAKEN,	/* an action of a start */
	EVENT_RETURNED, /* an action of the way back */
	EVENT_READY,	/* the VM has all of its devices */
	EVENT_FAILED,	/* a phase has failed, or a start is refused */
	EVENT_KIND_COUNT
};

const char *event_kind_name(enum event_kind kind);

/* The MESSAGE_ID, which stays; the kind that has one, EVENT_NOTE for another or NULL. */
const char *event_message_id(enum event_kind kind);
enum event_kind event_find(const char *message_id);

/* Of one that has no such thing a member is NULL, or 0. */
struct event {
	enum event_kind kind;
	const char *subject; /* what it is about: a device, a line, a service */
	const char *action;  /* of EVENT_TAKEN and EVENT_RETURNED: "bind" */
	const char *check;   /* of EVENT_FINDING: "storage-in-use" */
	const char *
		result; /* "done", "failed", "timeout", "waiting"; "error", "warning", "info"; "refused" */
	uint64_t took_us;
};

/* Sends one to the journal, of a phase of a VM. Waits for nobody. */
void event_send(int fd, const struct event *event, uint32_t vmid, const char *phase,
		const char *text);
