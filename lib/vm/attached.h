/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vm: what `pve-vfio attach` has changed for a VM, so that detach can take away exactly that:
 * /etc/pve/pve-vfio/VMID.attached.json, beside the VM's settings, for the whole cluster.
 *
 *	{"version": 1, "changes": [{"key": "vga", "before": "std", "after": "none"}, …],
 *	 "chain": "local:snippets/x", "mapping": "gpu"}
 */
#pragma once

#include "vm/edit.h"

/* Started as { 0 }. */
struct attached {
	struct vm_edit edit; /* null in the file is NULL here: no such key */
	char *chain;	     /* the hookscript that attach put behind ours, or NULL */
	char *mapping;	     /* the resource mapping attach created, or NULL */
};

/* -ENOENT, without a sentence, when attach has changed nothing; -EBADMSG for what it did not write. */
int attached_read(const struct sysroot *root, uint32_t vmid, struct attached *ret,
		  struct error *err);

/* Parses one document; `name` is what messages call the file. */
int attached_parse(const char *name, const char *data, size_t size, struct attached *ret,
		   struct error *err);

/* Takes over what `edit` changes on top of what is recorded. 0 or -ENOMEM. */
int attached_add(struct attached *attached, const struct vm_edit *edit);

/* Writes the file; removes it when nothing is recorded. Blocks as a write to /etc/pve does. */
int attached_write(const struct sysroot *root, uint32_t vmid, const struct attached *attached,
		   struct error *err);
void attached_done(struct attached *attached);
#define cleanup_attached cleanup(attached_done)
