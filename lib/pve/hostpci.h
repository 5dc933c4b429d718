/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pve: the value of a hostpciN line, a property string: parse_property_string() in pve-common's
 * JSONSchema.pm with the format in qemu-server's PCI.pm (read at 9.2.6).
 */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "base/text.h"

/* One hostpciN value. Strings are NULL where the key is not there. */
struct hostpci {
	struct strings host; /* the entries of `host`, as written: "01:00", "0000:01:00.0" */
	char *mapping;
	char *mdev;
	char *romfile;
	bool keep; /* driver=keep: PVE binds and resets nothing */
	bool pcie, x_vga, legacy_igd;
	bool rombar;	   /* the default is true */
	char *unknown_key; /* the first key this version does not know; a newer PVE may */
};

/*
 * Parses a value. -EINVAL where PVE drops the line, with what is wrong in `err`. A key that is not
 * known here is no error but told in `unknown_key`: only the running PVE knows its own keys.
 */
int hostpci_parse(const char *value, struct hostpci *ret, struct error *err);
void hostpci_done(struct hostpci *hostpci);
#define cleanup_hostpci cleanup(hostpci_done)

/* What parse_boolean() of PVE takes: 1 on yes true, 0 off no false, in any case. */
int pve_boolean_parse(const char *text, bool *ret);
