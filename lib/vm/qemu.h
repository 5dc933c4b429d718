/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vm: the QEMU process of a VM.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "host/sysroot.h"

/* A process told apart from a later one with its pid by its start time. */
struct qemu {
	pid_t pid;	     /* 0: the VM does not run */
	uint64_t start_time; /* clock ticks after boot: proc(5), /proc/PID/stat, field 22 */
};

/*
 * Finds the VM's process as PVE does (vm_running_locally() in qemu-server's Helpers.pm): the pid
 * in /run/qemu-server/VMID.pid, whose command line has "-pidfile" with that name. Does not
 * block.
 */
int qemu_find(const struct sysroot *root, uint32_t vmid, struct qemu *ret, struct error *err);
