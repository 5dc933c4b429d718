/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * report: takes out of a text what says whose machine it is: MAC addresses, serial numbers, host
 * names, and with them IP addresses and UUIDs. PCI addresses and ids stay.
 */
#pragma once

#include "base/text.h"
#include "host/sysroot.h"

/* The names of the nodes, and the domain of this one or NULL. Started as { 0 }. */
struct anonymiser {
	struct strings hosts;
	char *domain;
};

/* Learns this machine's name and those of the other nodes of its cluster. 0 or -ENOMEM. */
int anonymiser_read(const struct sysroot *root, struct anonymiser *ret);
void anonymiser_done(struct anonymiser *anonymiser);
#define cleanup_anonymiser cleanup(anonymiser_done)

/*
 * A copy of the text, to be freed: a MAC address is "xx:xx:xx:xx:xx:xx" in it, also in the name of
 * an interface ("enxMAC"), a serial number of PCIe or behind "serial=" is "SERIAL", a disk's name in
 * /dev/disk/by-id "REMOVED", an IP address "IP", a UUID "UUID", unless Proxmox VE
 * has made it of a VM's number for a mediated device. The name of the Nth node is "hostN"
 * where a node is named: "node=NAME", "nodes/NAME", a list of nodes in storage.cfg, NAME with the
 * domain behind it. Elsewhere it stays, since it may be any word. NULL without memory.
 */
char *anonymise(const struct anonymiser *anonymiser, const char *text);

/* What anonymise() would write for a text that is the name of a node and nothing else; to be freed. */
char *anonymise_host(const struct anonymiser *anonymiser, const char *name);
