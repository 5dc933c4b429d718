/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pve: which keys this node's own Proxmox VE knows on a hostpci line: $hostpci_fmt in the PCI.pm
 * that is installed, or else what is known of its version.
 */
#pragma once

#include "base/text.h"
#include "host/sysroot.h"

#define PCI_PM_PATH "usr/share/perl5/PVE/QemuServer/PCI.pm"

enum key_knowledge {
	KEY_KNOWN,
	KEY_UNKNOWN, /* Proxmox VE drops the line */
	KEY_UNTOLD,  /* neither its schema can be read, nor is it a version that is known here */
};

/* The keys of $hostpci_fmt in a PCI.pm. -EBADMSG when there are none to be found, or -ENOMEM. */
int hostpci_schema_parse(const char *text, struct strings *ret);

/*
 * Whether this node's Proxmox VE knows a key; `ours`: pve-vfio knows it. With no `root` there is no
 * node to ask. Reads a file of Proxmox VE's, or dpkg's: for keys in doubt alone.
 */
enum key_knowledge hostpci_key_knowledge(const struct sysroot *root, const char *key, bool ours);

/* A key that Proxmox VE could have: lower-case letters, digits, '-' and '_'. */
bool pve_key_is_possible(const char *key);
