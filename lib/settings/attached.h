/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * settings: what `pve-vfio attach` has changed for a VM, so that detach can take away exactly that:
 * /etc/pve/pve-vfio/VMID.attached.json, beside the VM's settings, for the whole cluster.
 *
 *	{"version": 1, "uuid": "d3d5…", "changes": [{"key": "vga", "before": "std", "after": "none"}, …],
 *	 "chain": "local:snippets/x", "mapping": "gpu",
 *	 "displace": {"before": null, "after": {"guests": [101]}}}
 */
#pragma once

#include <jansson.h>

#include "pve/edit.h"

/* Started as { 0 }. */
struct attached {
	char *uuid; /* of the VM's smbios1, which a later VM with its number has not; or NULL */
	struct vm_edit edit; /* null in the file is NULL here: no such key */
	char *chain;	     /* the hookscript that attach put behind ours, or NULL */
	char *mapping;	     /* the resource mapping attach created, or NULL */
	json_t *displace;    /* the setting "displace", before and after, or NULL */
};

/*
 * Reads what was recorded for this VM. -ENOENT, without a sentence, when attach has changed nothing
 * of it, though perhaps of an earlier VM with its number; -EBADMSG for what attach did not write.
 */
int attached_read(const struct sysroot *root, uint32_t vmid, const struct vm_config *config,
		  struct attached *ret, struct error *err) must_check;

/* Notes which VM it is. 0 or -ENOMEM. */
int attached_name(struct attached *attached, const struct vm_config *config);

/* Parses one document; `name` is what messages call the file. */
int attached_parse(const char *name, const char *data, size_t size, struct attached *ret,
		   struct error *err) must_check;

/* Takes over what `edit` changes on top of what is recorded. 0 or -ENOMEM. */
int attached_add(struct attached *attached, const struct vm_edit *edit);

/* Writes the file; removes it when nothing is recorded. Blocks as a write to /etc/pve does. */
int attached_write(const struct sysroot *root, uint32_t vmid, const struct attached *attached,
		   struct error *err);
void attached_done(struct attached *attached);
#define cleanup_attached cleanup(attached_done)
