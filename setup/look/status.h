/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * setup: what VMs have, once and for as long as somebody watches.
 */
#pragma once

#include "base/json.h"
#include "setup/setup.h"

/*
 * Prints what the VM has, 0: every VM, or puts it into the array `vms` where that is not NULL; and of one VM
 * that has nothing, which of its devices are awake, into `awake` then.
 */
int status_look(struct command *command, uint32_t vmid, json_t *vms, json_t *awake,
		struct error *err) must_check;

/* Prints it, and then a line for each change, until this program is ended. */
int status_watch(struct command *command, uint32_t vmid, struct error *err) must_check;
