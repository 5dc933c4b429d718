/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pve: the value of a hostpciN line, a property string with the format $hostpci_fmt in qemu-server's
 * PCI.pm (read at 9.2.6).
 */
#pragma once

#include <stdint.h>

#include "base/text.h"
#include "pve/property.h"

/* hostpci0 to hostpci15: $MAX_HOSTPCI_DEVICES in PCI.pm. */
#define HOSTPCI_COUNT 16

/* One hostpciN value. Strings are NULL where the key is not there. */
struct hostpci {
	struct strings host; /* the entries of `host`, as written: "01:00", "0000:01:00.0" */
	char *mapping;
	char *mdev;
	char *romfile;
	bool keep; /* driver=keep: PVE binds and resets nothing */
	bool pcie, x_vga, legacy_igd;
	bool rombar;		     /* the default is true */
	bool has_driver;	     /* the key is there, whatever its value */
	struct strings unknown_keys; /* those that pve-vfio does not know; a newer PVE may */
};

/*
 * Parses a value. -EINVAL where PVE drops the line, with what is wrong in `err`. A key that is not
 * known here is not an error but one of `unknown_keys`: which keys the installed PVE knows is asked
 * with hostpci_key_knowledge().
 */
int hostpci_parse(const char *value, struct hostpci *ret, struct error *err) must_check;
void hostpci_done(struct hostpci *hostpci);
#define cleanup_hostpci cleanup(hostpci_done)

/*
 * Whether an entry of `host`, or a path of a mapping, means the function at `address` ("0000:01:00.1"):
 * "0000:01:00" and "01:00" mean all functions of the slot; without a domain it is 0000.
 */
bool hostpci_host_is(const char *host, const char *address);

/*
 * A value with changes, for a command to type: without the key `drop`, with `host` as its device, and
 * with `more` at its end ("rombar=0"); each may be NULL. NULL without memory.
 */
char *hostpci_change(const char *value, const char *drop, const char *host, const char *more);

/*
 * The command that writes a line, "qm set 101 --hostpci0 01:00,pcie=1", with quotes where a shell
 * wants them. NULL without memory.
 */
char *hostpci_command(uint32_t vmid, const char *source, const char *value);
