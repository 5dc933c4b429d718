/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * boot: a plan: what setup comes to on this machine. `setup` writes it, and `doctor` says what it
 * would change. Writes nothing.
 */
#pragma once

#include "boot/layout.h"
#include "boot/leftover.h"
#include "boot/record.h"
#include "boot/request.h"

/* Started as { 0 }. */
struct boot_plan {
	struct boot_machine machine;
	struct boot_draft draft;       /* the files as they are and as they will be */
	struct boot_existing existing; /* what others have set */
	struct boot_leftovers leftovers;
	struct boot_settings settings;
	struct strings notes;
	struct strings cmdline; /* the words that will be ours in /etc/kernel/cmdline */
};

void boot_plan_done(struct boot_plan *plan);
#define cleanup_boot_plan cleanup(boot_plan_done)

/* Reads the machine and its files, and takes out of the draft what `record` has as ours. */
int boot_plan_read(struct boot_plan *plan, const struct sysroot *root, const struct record *record,
		   struct error *err) must_check;

/* What a plan is made of. All borrowed. */
struct boot_wish {
	const struct boot_request *request;
	const struct boot_kept_away *kept_away;
	bool clean_up; /* leftovers are cut out */
};

/*
 * Makes the plan of what was read. -EBADMSG, -ELOOP, -EINVAL, -ENOENT with the sentence where setup
 * refuses these files.
 */
int boot_plan_make(struct boot_plan *plan, const struct sysroot *root, const struct boot_wish *wish,
		   struct error *err) must_check;
