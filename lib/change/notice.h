/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * change: what somebody has to hear of who is not looking: a device that is lost, stuck, or changed.
 * Each is sent once: a mark below /run/pve-vfio says so, until the VM's devices have changed hands well
 * again (change/tally.h), and for an hour at least, so that who starts a VM over and over is no loop. The
 * marks go with the boot, as do the processes and drivers that they are about.
 */
#pragma once

#include <stdint.h>
#include <time.h>

#include "change/run.h"
#include "change/state.h"

/* The shortest time after which one is sent again. */
#define NOTICE_AGAIN_S ((time_t)3600)

enum notice_kind {
	NOTICE_LOST,	/* it is not there, or does not answer */
	NOTICE_STUCK,	/* its driver does not come to an end with it, or does not take it back */
	NOTICE_CHANGED, /* another device is at its place */
	NOTICE_KIND_COUNT
};

/* "has changed" */
const char *notice_words(enum notice_kind kind);

struct notice {
	enum notice_kind kind;
	char *subject; /* an address, or a line of the VM */
	char *text;    /* a sentence, or several */
};

/* Started as { 0 }. */
struct notices {
	struct notice *items;
	size_t count;
};

/* Adds one, unless there is one of that kind and subject. 0 or -ENOMEM. */
int notices_add(struct notices *notices, enum notice_kind kind, const char *subject,
		const char *text) must_check;

/* What became of an action is of such a kind. */
bool notice_of_result(enum run_direction direction, const struct action *action,
		      const struct run_result *result, enum notice_kind *ret);

/*
 * Drops those that have been sent, and marks the others as sent, now. What cannot be marked counts as sent:
 * better not at all than again and again. Waits for another process that does this, 5 s at most.
 */
void notices_mark(const struct state *state, uint32_t vmid, time_t now, struct notices *notices);
void notices_done(struct notices *notices);
#define cleanup_notices cleanup(notices_done)
