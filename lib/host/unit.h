/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host: systemd units, through systemctl(1).
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "host/sysroot.h"

/* How long systemctl may take to answer a question. */
#define UNIT_ASK_MS 5000

/*
 * Whether a unit is active. In a tree that is not live it is when its control group below
 * system.slice is there (systemd.slice(5)), or for pve-container@VMID.service lxc/VMID; on the machine systemctl is asked, which blocks for
 * UNIT_ASK_MS at most. A unit that does not exist is not active. 0 or -errno.
 */
int unit_is_active(const struct sysroot *root, const char *unit, bool *ret,
		   struct error *err) must_check;

/* The same, or about to be: one that is starting, or that a job is queued for. */
int unit_is_coming(const struct sysroot *root, const char *unit, bool *ret,
		   struct error *err) must_check;

/* Whether the machine is on its way down: 'systemctl is-system-running'. Blocks as above. */
bool unit_system_is_stopping(const struct sysroot *root);

/*
 * Stops or starts a unit and sees that it has the state. Blocks for as long as systemd takes,
 * `deadline_ms` at most: call it in a lane. The job goes on where it takes longer.
 */
int unit_stop(const struct sysroot *root, const char *unit, unsigned deadline_ms,
	      struct error *err) must_check;
int unit_start(const struct sysroot *root, const char *unit, unsigned deadline_ms,
	       struct error *err) must_check;

/*
 * The system's unit that a process belongs to, from /proc/PID/cgroup (cgroups(7)):
 * "lightdm.service", "session-2.scope", and "user@1000.service" for all of a user's own services.
 * NULL when it is in none, or gone; what runs in a container is in none of the system's.
 */
char *unit_of_process(const struct sysroot *root, pid_t pid);

/* A name that systemctl takes for a service, as systemd.unit(5) has it: "NAME.service". */
bool unit_name_is_service(const char *name);
