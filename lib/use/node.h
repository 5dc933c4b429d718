/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * use: the nodes below /dev by which processes use a device: /dev/dri, /dev/snd, /dev/fb*,
 * /dev/accel and /dev/nvidia*. While one is open, the driver's remove can wait for ever, or take
 * the host down.
 */
#pragma once

#include "pci/device.h"

/*
 * Adds the nodes of a function, "/dev/dri/card0". What hangs on USB is left out: its drivers let
 * go of a device that is pulled. 0 or -errno. Does not block.
 */
int nodes_find(const struct sysroot *root, const char *address, struct strings *nodes,
	       struct error *err);

/* The nodes that all GPUs with NVIDIA's own driver share: /dev/nvidiactl, /dev/nvidia-uvm, … */
int nodes_nvidia_shared(struct strings *nodes);

/*
 * The N of /dev/nvidiaN: NVIDIA's own driver makes no children in sysfs and tells it as "Device
 * Minor:" in /proc/driver/nvidia/gpus/ADDRESS/information. -ENOENT where it does not.
 */
int nodes_nvidia_minor(const struct sysroot *root, const char *address, unsigned *ret);
