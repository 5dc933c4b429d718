/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * use: NVSwitches, which join the GPUs of an HGX board, and NVIDIA's fabric manager, which sets them
 * up. It runs where the switches are (NVIDIA, Fabric Manager User Guide): in the VM that has them too,
 * "full passthrough", or on the host, which keeps them, "shared NVSwitch" and vGPU.
 */
#pragma once

#include "pci/device.h"

#define FABRIC_MANAGER_UNIT "nvidia-fabricmanager.service"
#define FABRIC_MANAGER_PATH "usr/share/nvidia/nvswitch/fabricmanager.cfg"

/* Those that the host's driver has, in order of address. 0 or -errno; does not block. */
int nvswitches_list(const struct sysroot *root, struct pci_addresses *ret);

/* FABRIC_MODE of its configuration. */
enum fabric_mode {
	FABRIC_UNKNOWN,
	FABRIC_BARE,   /* 0: bare metal or full passthrough, the default */
	FABRIC_SHARED, /* 1: shared NVSwitch */
	FABRIC_VGPU,   /* 2 */
};
enum fabric_mode fabric_mode_read(const struct sysroot *root);
