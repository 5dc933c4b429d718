/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * doctor: the node as a whole, as `devices`, `doctor` and `report` look at it: its functions, its
 * VMs with what they want, and the journals. Read once; changes nothing.
 */
#pragma once

#include "change/claims.h"
#include "host/kernel.h"
#include "pci/facts.h"
#include "pve/config.h"
#include "pve/mapping.h"
#include "pve/qemu.h"
#include "wanted/wanted.h"

struct node_vm {
	uint32_t vmid;
	struct vm_config config;
	struct wanted wanted; /* of several alternatives all are wanted */
	struct task qemu;     /* pid 0: it does not run */
};

/* Started as { 0 } with `root` set. */
struct pve_node {
	const struct sysroot *root;
	char *name;    /* "pve1" */
	char *release; /* of the kernel: "6.8.12-4-pve"; "" where it cannot be determined */
	struct kernel_version kernel; /* 0.0 where it cannot be determined */
	char *command_line;	      /* the kernel's; "" where it cannot be read */
	struct pci_inventory inventory;
	struct node_vm *vms; /* in order of number */
	size_t vm_count;
	struct mappings mappings;
	struct claims journals; /* of all VMs */
	bool journals_hidden;	/* only root may read them */
	struct strings faults;	/* what could not be read, in sentences */
};

/* Reads it. 0 or -errno; where a part cannot be read `faults` says so. Does not block. */
int pve_node_read(struct pve_node *node, struct error *err) must_check;
void pve_node_done(struct pve_node *node);
#define cleanup_pve_node cleanup(pve_node_done)

/* The VM, or NULL. */
const struct node_vm *node_find_vm(const struct pve_node *node, uint32_t vmid);

/* The key by which a VM wants a function ("hostpci0"), or NULL. */
const char *node_vm_source(const struct node_vm *vm, struct pci_address address);

/*
 * The line is of a mapping with several alternatives on this node, of which a start takes one: that it
 * wants each of them does not say which one the VM has.
 */
bool node_vm_may_choose(const struct pve_node *node, const struct node_vm *vm, const char *source);

/* The first VM that wants a function, or NULL. */
const struct node_vm *node_find_owner(const struct pve_node *node, struct pci_address address);

/* The VM has a line that asks for a PCI device, be it one that Proxmox VE drops. */
bool node_vm_has_passthrough(const struct node_vm *vm);
