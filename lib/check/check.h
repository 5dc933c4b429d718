/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * check: the checks that concern a start. They look at the host, the plan and the journals of the
 * other VMs, and change nothing. A topic is a file of this room and a row of the table in
 * start.c.
 */
#pragma once

#include "change/plan.h"
#include "check/finding.h"
#include "vm/config.h"
#include "vm/wanted.h"

/* What the checks look at. All borrowed. */
struct check_start {
	const struct sysroot *root;
	const struct state *state; /* NULL: no VM has a journal */
	uint32_t vmid;
	const struct vm_config *config;
	const struct wanted *wanted;
	const struct plan *plan;
};

/*
 * Runs every check and adds what it finds. Does not stop at the first: a person wants to see all
 * problems at once. Starts no child, so it may run under the claims lock. Returns 0, or -errno
 * where a check against harm could not tell.
 */
int check_start_run(const struct check_start *start, struct findings *findings, struct error *err);

/* The topics. */
int check_config(const struct check_start *start, struct findings *findings, struct error *err);
int check_device(const struct check_start *start, struct findings *findings, struct error *err);
int check_owner(const struct check_start *start, struct findings *findings, struct error *err);
int check_romfile(const struct check_start *start, struct findings *findings, struct error *err);
