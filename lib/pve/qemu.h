/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pve: the QEMU process of a VM.
 */
#pragma once

#include "host/task.h"

/*
 * Finds the VM's process as PVE does (vm_running_locally() in qemu-server's Helpers.pm): the pid
 * in /run/qemu-server/VMID.pid, whose command line has "-pidfile" with that name. A pid of 0
 * means that it does not run. Does not block.
 */
int qemu_find(const struct sysroot *root, uint32_t vmid, struct task *ret,
	      struct error *err) must_check;
