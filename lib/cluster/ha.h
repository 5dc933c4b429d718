/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cluster: the commands that let Proxmox VE's HA start a VM on some nodes alone: node affinity rules from
 * version 9 on, groups before and until the groups have been migrated. By pve-ha-manager 5.2.0: its commands
 * (CLI/ha_manager.pm), what they refuse (API2/HA/Rules.pm, API2/HA/Groups.pm), and that a resource is in one
 * node affinity rule at most (HA/Rules/NodeAffinity.pm).
 */
#pragma once

#include "base/text.h"
#include "host/sysroot.h"

/*
 * For the VM and these nodes ("pve1,pve2"), with what there is of resources, rules and groups below
 * /etc/pve/ha. `version` is qemu-server's, "": the newest. 0 or -ENOMEM.
 */
int ha_commands(const struct sysroot *root, uint32_t vmid, const char *nodes, const char *version,
		struct strings *ret) must_check;
