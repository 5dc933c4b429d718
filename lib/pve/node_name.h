/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pve: what Proxmox VE calls this node. */
#pragma once

#include "host/sysroot.h"

/*
 * The host's name up to the first dot: nodename() in pve-common's INotify.pm. To be freed; -errno with
 * a sentence where it cannot be read.
 */
int node_name_read(const struct sysroot *root, char **ret, struct error *err) must_check;
