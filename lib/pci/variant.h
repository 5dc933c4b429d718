/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pci: the VFIO driver that fits a function best. Beside vfio-pci there are variants for certain
 * devices (migration, memory of a GPU …): modules with an alias "vfio_pci:v…d…", which the kernel
 * gives to no device by itself (PCI_DRIVER_OVERRIDE_DEVICE_VFIO in linux/pci.h).
 */
#pragma once

#include "pci/device.h"

/* The driver that hands any device to a VM. */
#define VFIO_DRIVER "vfio-pci"

struct vfio_driver {
	char *name;   /* "mlx5_vfio_pci" */
	char *module; /* "mlx5_vfio_pci" */
};

/*
 * Looks through the running kernel's modules.alias for the alias that fits the function with the
 * fewest wildcards; without any it is vfio-pci. 0 or -errno. Does not block.
 */
int vfio_driver_find(const struct sysroot *root, const char *address, struct vfio_driver *ret,
		     struct error *err) must_check;

/* The driver of that name, whatever it fits: what the settings name. */
int vfio_driver_named(const char *name, struct vfio_driver *ret, struct error *err) must_check;

/* Neither vfio-pci nor unset. */
bool vfio_driver_is_variant(const struct vfio_driver *driver);
void vfio_driver_done(struct vfio_driver *driver);
#define cleanup_vfio_driver cleanup(vfio_driver_done)
