/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * use: who a process is for the people who run the node: a VM, a container, a service, or just a
 * process; and how to end its use of a device without harm.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "host/sysroot.h"

enum holder_kind { HOLDER_PROCESS, HOLDER_UNIT, HOLDER_CONTAINER, HOLDER_VM };

struct holder {
	enum holder_kind kind;
	pid_t pid;
	char command[64]; /* its short name, /proc/PID/comm */
	uint32_t vmid;	  /* of a VM or a container; else 0 */
	char *unit; /* the unit that stopping ends it: "lightdm.service"; NULL: a VM, or in none */
};

/* Started as { 0 }. */
struct holders {
	struct holder *items;
	size_t count;
};

/*
 * Reads who a process is, from its control group (cgroups(7): qemu.slice/VMID.scope, lxc/VMID,
 * system.slice/NAME.service) and, for a QEMU, from its command line. One that has ended is a mere
 * process. 0 or -ENOMEM. Does not block.
 */
int holder_read(const struct sysroot *root, pid_t pid, struct holder *ret);

/*
 * The VM whose QEMU a process is: PVE starts it with "-pidfile /var/run/qemu-server/VMID.pid". 0
 * for none, or -errno of reading its command line.
 */
int holder_vm(const struct sysroot *root, pid_t pid, uint32_t *ret_vmid);

/* udev opens each new node for a moment to see what it is. */
bool holder_only_looks(const struct holder *holder);

/* "VM 101 (process 5100)", "container 200 (process 7, ffmpeg)", "process 7 (Xorg) of x.service". */
char *holder_words(const struct holder *holder);

/*
 * Adds a copy unless one is there for whom the same is to be done: the same VM, container, unit,
 * process. 0 or -ENOMEM.
 */
int holders_add(struct holders *holders, const struct holder *holder);

/*
 * What to do so that they let go, for a start of `vmid`: sentences with the commands, "Shut VM 101
 * down ('qm shutdown 101').". "" for nobody; NULL without memory.
 */
char *holders_remedy(const struct holders *holders, uint32_t vmid);
void holder_done(struct holder *holder);
void holders_done(struct holders *holders);
#define cleanup_holder	cleanup(holder_done)
#define cleanup_holders cleanup(holders_done)
