/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pve: the PCI devices of a running QEMU, and where in it the device of a hostpci line goes: where
 * Proxmox VE puts it when the VM starts, so that the guest finds it in the same place the next time
 * (get_pci_addr_map() and get_pcie_addr_map() in qemu-server's PCI.pm, read at 9.2.6).
 */
#pragma once

#include <jansson.h>

#include "pve/qmp.h"

/* One function, as 'query-pci' lists it. */
struct qemu_function {
	char id[64];	 /* "hostpci0.1", or "" where it has none */
	char parent[64]; /* the id of the bridge it is behind; "" for a bus of the machine */
	unsigned slot, function, class_code; /* 0200 */
	bool bridge;
	bool numbered; /* a bridge to which the guest's firmware has given a bus */
	bool mapped;   /* the guest has switched one of its BARs on */
};

/* Started as { 0 }. */
struct qemu_functions {
	struct qemu_function *items;
	size_t count;
};

/* Parses the answer. -EBADMSG. */
int qemu_functions_parse(const json_t *answer, struct qemu_functions *ret,
			 struct error *err) must_check;
/* Asks a QEMU. */
int qemu_functions_read(struct qmp *qmp, struct qemu_functions *ret, struct error *err) must_check;
void qemu_functions_done(struct qemu_functions *functions);
#define cleanup_qemu_functions cleanup(qemu_functions_done)

/* The function with this id, or NULL. */
const struct qemu_function *qemu_functions_find(const struct qemu_functions *functions,
						const char *id);

/* How many are of hostpci`number`, and how many of these the guest has switched on. */
size_t qemu_functions_of_line(const struct qemu_functions *functions, unsigned number,
			      size_t *ret_mapped);

/* Where a device goes. */
struct qemu_slot {
	char bus[32]; /* the id of a root port or a bus: "ich9-pcie-port-1", "pci.0" */
	unsigned slot;
};

/*
 * The place of hostpci`number` in a QEMU that runs: on a q35 a root port, on an i440fx a slot. -EBUSY when
 * something is in it, or -ENXIO when this QEMU was started without it; -EAGAIN when the VM's firmware has
 * not set the port up yet.
 */
int qemu_slot_find(const struct qemu_functions *functions, bool q35, unsigned number,
		   struct qemu_slot *ret) must_check;

/* "hostpci0", or with several functions "hostpci0.1". As Proxmox VE names them. */
void qemu_line_id(unsigned number, size_t function, size_t count, char id[32]);
