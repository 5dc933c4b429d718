/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * use: what the node's network configuration brings up at boot: /etc/network/interfaces and what is in
 * interfaces.d beside it, by interfaces(5) of ifupdown2.
 */
#pragma once

#include "host/sysroot.h"

/* An interface that is brought up, or that one which is built of it. */
struct ifupdown_name {
	char *name;   /* "enp5s0" */
	char *reason; /* "auto, line 12 of /etc/network/interfaces"; "a port of vmbr0, line …" */
};

/* Started as { 0 }. */
struct ifupdown {
	struct ifupdown_name *items; /* in order of file */
	size_t count;
};

/*
 * Reads it; a file that is not there has none. A VLAN's name, enp5s0.100, counts as that of the interface
 * it is on. 0 or -errno; does not block.
 */
int ifupdown_read(const struct sysroot *root, struct ifupdown *ret) must_check;

/* Why an interface is brought up, or NULL. */
const char *ifupdown_reason(const struct ifupdown *ifupdown, const char *name);
void ifupdown_done(struct ifupdown *ifupdown);
#define cleanup_ifupdown cleanup(ifupdown_done)

/*
 * The PCI function that an interface is on by its name alone, "enp5s0f1" or "enp5s0f1np1": for one that
 * is not there (systemd.net-naming-scheme(7), the names by location). False for another name.
 */
bool ifupdown_name_address(const char *name, char ret_address[16]) must_check;
