/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * change: what the starts and stops of a VM came to since the node has started, for 'pve-vfio metrics':
 * how long the last took, and how many starts each check has refused. It is in the VM's lock file,
 * which a phase has open anyway, so that a start pays one write(2) for it: two lines of fixed size,
 * "take MICROSECONDS TIME" and "give MICROSECONDS TIME", then a line "CHECK COUNT" each, and last what
 * QEMU's start took, "qemu MICROSECONDS TIME MIB PAGES .". Nothing depends on it: what cannot be written
 * or read is left out.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "change/journal.h"

/* A phase that ended well: how long it took, and when that was. `at` 0: there was none. */
struct tally_phase {
	uint64_t took_us;
	time_t at;
};

struct tally_refusals {
	char *check; /* "storage-in-use" */
	uint64_t starts;
};

/* A start of QEMU, up to post-start: the VM's memory, which is pinned by then, counts most in it. */
struct tally_qemu {
	struct tally_phase phase;
	uint64_t memory_mib;
	bool huge; /* in huge pages */
};

/* Started as { 0 }. */
struct tally {
	struct tally_phase take, give;
	struct tally_qemu qemu; /* the last */
	struct tally_refusals *refused;
	size_t refused_count;
};

/* `lock` is the VM's (state_lock_vm()), held by the caller; below 0: nothing is written. */
void tally_take(int lock, uint64_t took_us);
void tally_give(int lock, uint64_t took_us);

/* A start that these checks have refused, each named once. */
void tally_refuse(int lock, const struct strings *checks);

/* What QEMU's start took; `phase.at` is set here. */
void tally_qemu(int lock, const struct tally_qemu *qemu);

/* The same of the VM whose lock the caller holds; all is empty where it cannot be read. */
void tally_read_locked(int lock, struct tally *ret);

/* Reads a VM's; of one that never had a device all is empty. 0 or -errno. Takes no lock. */
int tally_read(const struct state *state, uint32_t vmid, struct tally *ret) must_check;
void tally_done(struct tally *tally);
#define cleanup_tally cleanup(tally_done)

/* The VMs that had devices, or wanted some, since the node has started, in order of number. */
int tally_list(const struct state *state, struct vmids *ret, struct error *err) must_check;
