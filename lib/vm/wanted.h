/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vm: the devices a VM wants, resolved from its configuration the way Proxmox VE does it:
 * parse_hostpci_devices() in qemu-server's PCI.pm, lspci() in pve-common's SysFSTools.pm.
 */
#pragma once

#include "pci/device.h"
#include "vm/config.h"

/* "hostpci15" and the NUL. */
#define SOURCE_MAX 16

struct wanted_device {
	struct pci_address address;
	char source[SOURCE_MAX]; /* the key that asks for it */
};

/* A line that is left to Proxmox VE. */
struct wanted_left {
	char source[SOURCE_MAX];
	const char *why; /* "driver=keep" */
};

enum wanted_problem_kind {
	WANTED_ABSENT,	/* no device there: PVE would refuse the start */
	WANTED_TWICE,	/* assigned more than once: PVE would refuse the start */
	WANTED_NOTHING, /* neither host nor mapping, or both: PVE would refuse the start */
};

struct wanted_problem {
	enum wanted_problem_kind kind;
	char source[SOURCE_MAX];
	unsigned line;
	char *value; /* the address that was asked for */
};

/* Started as { 0 }. */
struct wanted {
	struct wanted_device *devices;
	size_t count;
	struct wanted_left *left;
	size_t left_count;
	struct wanted_problem *problems;
	size_t problem_count;
};

/*
 * Resolves against the functions there are now. In order of key (hostpci0 first), then of
 * address. A template wants nothing.
 */
int wanted_resolve(const struct vm_config *config, const struct pci_addresses *present,
		   struct wanted *ret, struct error *err);
const struct wanted_device *wanted_find(const struct wanted *wanted, struct pci_address address);
void wanted_done(struct wanted *wanted);
#define cleanup_wanted cleanup(wanted_done)
