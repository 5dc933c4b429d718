/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * use: mediated devices, parts of a function that VMs share: the types that a function offers, and
 * the instances there are (Documentation/driver-api/vfio-mediated-device.rst). NVIDIA's driver on
 * kernel 6.8 and later has a folder of its own in a function instead: nvidia/creatable_vgpu_types,
 * and nvidia/current_vgpu_type with the number of a type, 0 for none (create_nvidia_device() in
 * qemu-server's PCI.pm).
 */
#pragma once

#include <stdint.h>

#include "base/text.h"
#include "host/sysroot.h"

enum mdev_support {
	MDEV_NONE,
	MDEV_TYPES,  /* mdev_supported_types */
	MDEV_NVIDIA, /* nvidia */
};

/* How a function offers parts of itself; lspci() in pve-common's SysFSTools.pm asks the same. */
enum mdev_support mdev_support(const struct sysroot *root, const char *address);

/* The number in a type of NVIDIA's as Proxmox VE names it, "558" of "nvidia-558"; NULL: another. */
const char *mdev_nvidia_number(const char *type);

/* One type of one function. */
struct mdev_type {
	char *id;	    /* "nvidia-558", "i915-GVTg_V5_4" */
	char *name;	    /* as the driver calls it, or NULL */
	unsigned available; /* how many more can be made; of NVIDIA's folder 1: no more is said */
};

/* Started as { 0 }. */
struct mdev_types {
	struct mdev_type *items; /* in order of id */
	size_t count;
	char *current; /* NVIDIA's folder: the type that the function has, "nvidia-558"; or NULL */
};

/*
 * Reads the types of a function; one that offers none has none. Asks the function's driver, and so
 * may block where that hangs: in a lane, or by mdev_types_read_bounded(), which gives -ETIMEDOUT.
 * 0 or -errno.
 */
int mdev_types_read(const struct sysroot *root, const char *address, struct mdev_types *ret);
int mdev_types_read_bounded(const struct sysroot *root, const char *address, unsigned deadline_ms,
			    struct mdev_types *ret);

/* NVIDIA's folder: the type that a function has now, or NULL. Blocks for the deadline at most. */
int mdev_current_read_bounded(const struct sysroot *root, const char *address, unsigned deadline_ms,
			      char **ret);
const struct mdev_type *mdev_types_find(const struct mdev_types *types, const char *id);
void mdev_types_done(struct mdev_types *types);
#define cleanup_mdev_types cleanup(mdev_types_done)

/* A mediated device that there is. */
struct mdev_instance {
	char *uuid;
	char *type; /* or NULL where that cannot be read */
	/*
	 * By its UUID it is for hostpci`index` of VM `vmid`: generate_mdev_uuid() in qemu-server.
	 * vmid 0: it was not made by Proxmox VE.
	 */
	uint32_t vmid, index;
};

/* Started as { 0 }. */
struct mdev_instances {
	struct mdev_instance *items; /* in order of UUID */
	size_t count;
};

/* The mediated devices of a function, from /sys/bus/mdev/devices. 0 or -errno; does not block. */
int mdev_instances_read(const struct sysroot *root, const char *address,
			struct mdev_instances *ret);
void mdev_instances_done(struct mdev_instances *instances);
#define cleanup_mdev_instances cleanup(mdev_instances_done)

/* "00000000-0000-0000-0000-000000000101" is hostpci0 of VM 101; false: not Proxmox VE's. */
bool mdev_uuid_parse(const char *uuid, uint32_t *ret_vmid, uint32_t *ret_index);

/* What a person types to remove one, "echo 1 > /sys/…/remove". NULL without memory. */
char *mdev_removal(const char *uuid);
