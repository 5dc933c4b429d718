/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pve: whether Proxmox VE is configured to use what is built on a disk. A storage or a disk of a VM that is
 * off leaves no other trace: nothing has it open.
 */
#pragma once

#include "use/block.h"

/*
 * Adds who names a layer among `blocks`: "storage 'fast'", where an LVM storage of
 * this node has the volume group (/etc/pve/storage.cfg; PVE::Storage::LVMPlugin, LvmThinPlugin); "VM
 * 101" or "container 200", where a configuration of this node has the node of a layer as a path. A
 * file that is not there names nobody. 0 or -errno with a sentence.
 */
int layer_owners(const struct sysroot *root, const char *node, const struct blocks *blocks,
		 struct strings *owners, struct error *err) must_check;
