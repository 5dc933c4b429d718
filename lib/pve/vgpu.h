/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pve: who has parts of a function: the mediated devices of it, by the UUIDs that Proxmox VE gives
 * them, and the types that virtual functions of NVIDIA's GPUs have, by Proxmox VE's reservations.
 */
#pragma once

#include <stdint.h>

#include "base/text.h"
#include "host/sysroot.h"
#include "pci/address.h"

/* One part. */
struct vgpu_use {
	char *name;	/* a UUID, or the address of a virtual function */
	char *type;	/* or NULL where that cannot be read */
	uint32_t vmid;	/* 0: it is not known whose it is */
	uint32_t index; /* of a UUID: hostpciINDEX */
	bool running;	/* that VM's QEMU runs, or this cannot be determined */
	char *removal;	/* what a person types to end it */
};

/* Started as { 0 }. */
struct vgpu_uses {
	struct vgpu_use *items;
	size_t count;
};

/*
 * The parts of a function that there are; of a virtual function of NVIDIA's with a folder of its own,
 * those of all functions of its GPU. Blocks for the deadline at most; what a driver does not tell by
 * then is left out. 0 or -ENOMEM.
 */
int vgpu_uses_find(const struct sysroot *root, const char *address, unsigned deadline_ms,
		   struct vgpu_uses *ret);
void vgpu_uses_done(struct vgpu_uses *uses);
#define cleanup_vgpu_uses cleanup(vgpu_uses_done)

/* A part of a VM that does not run: a start that failed, or a stop, has left it. */
bool vgpu_use_is_left(const struct vgpu_use *use);

/* "VM 102, which runs, has 00000000-0000-0000-0000-000000000102 (nvidia-63)"; NULL: no memory. */
char *vgpu_use_words(const struct vgpu_use *use);
