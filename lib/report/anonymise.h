/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * report: takes out of a text what says whose machine it is: MAC addresses, serial numbers, host
 * names, and with them IP addresses and UUIDs. PCI addresses and ids stay.
 */
#pragma once

#include "base/text.h"
#include "host/sysroot.h"

/* Words that are replaced where they stand alone: the names of the nodes. Started as { 0 }. */
struct anonymiser {
	struct strings hosts;
};

/* Learns this machine's name and those of the other nodes of its cluster. 0 or -ENOMEM. */
int anonymiser_read(const struct sysroot *root, struct anonymiser *ret);
void anonymiser_done(struct anonymiser *anonymiser);
#define cleanup_anonymiser cleanup(anonymiser_done)

/*
 * A copy of the text, to be freed: a MAC address is "xx:xx:xx:xx:xx:xx" in it, also in the name of
 * an interface ("enxMAC"), a serial number of PCIe or behind "serial=" is "SERIAL", a disk's name in
 * /dev/disk/by-id "REMOVED", an IP address "IP", a UUID "UUID", the Nth host name "hostN".
 * NULL without memory.
 */
char *anonymise(const struct anonymiser *anonymiser, const char *text);
