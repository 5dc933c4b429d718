/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pve: Proxmox VE's lock on a VM's configuration, a file that is locked by flock(2) for as long as
 * one of its tasks works on the VM, a start for one: config_file_lock() in qemu-server's
 * QemuConfig.pm, vm_start() in QemuServer.pm. It ends with the process that holds it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "host/sysroot.h"

/*
 * Opens the lock's file. -ENOENT where there is none: no task has ever worked on the VM. Whether it
 * is locked is tried for an instant, for which a task that comes just then waits.
 */
int vm_lock_open(const struct sysroot *root, uint32_t vmid);
bool vm_lock_is_held(int lock);

/* Blocks until nobody holds it; holds it no longer than that takes to see. 0 or -errno. */
int vm_lock_wait(int lock);
