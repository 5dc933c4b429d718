/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * change: what can be determined of a process that is in the kernel with an action and does not come
 * back: what it waits in, and who uses the device.
 */
#pragma once

#include "change/action.h"

/*
 * "process 412 is stuck in the kernel in rigpci_remove, called by pci_device_remove, …; process 99
 * (Xorg) has /dev/dri/card0 open". From /proc/PID/stack (root's alone) and /proc/PID/wchan
 * (proc(5)). Touches no attribute of the device. NULL without memory; does not block.
 */
char *stuck_words(const struct sysroot *root, pid_t pid, const struct action *action);
