/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pve: which VM it is. Proxmox VE gives the number of a VM that is deleted to the next one; what stays
 * the VM's own through restore and rollback are the UUID of smbios1 and the ctime of meta.
 */
#pragma once

#include "pve/config.h"

/* Started as { 0 }: nothing is known. */
struct vm_identity {
	char uuid[40];	/* as smbios1 has it; empty for none */
	uint64_t ctime; /* seconds since 1970, when it was created; 0: not known */
};

void vm_identity_of(const struct vm_config *config, struct vm_identity *ret);
bool vm_identity_is_known(const struct vm_identity *identity);

/* They are one VM: of one UUID, or where somebody has changed that, of one ctime. */
bool vm_identity_equal(const struct vm_identity *a, const struct vm_identity *b);
