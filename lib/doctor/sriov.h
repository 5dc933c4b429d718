/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * doctor: the physical functions of the node that can have virtual ones (SR-IOV), these, who has each, and
 * what is set for them. Changes nothing.
 */
#pragma once

#include "doctor/safety.h"
#include "use/vf.h"

struct sriov_function {
	const struct pci_entry *entry;
	unsigned number;       /* from 0: that of the link virtfnN */
	uint32_t vmid;	       /* the VM that has it; 0: none */
	struct strings in_use; /* why it cannot go: sentences; "VM 101 has it" */
	struct strings wanted; /* the VMs that are to have it, or may: "101" */
	bool known;	       /* what is set is known: it is a network card's */
	struct vf set;
};

struct sriov_card {
	const struct pci_entry *entry;
	struct strings interfaces;   /* of the physical function itself */
	bool link_down;		     /* it has one, and none of them has a link */
	bool down;		     /* nor has any been brought up */
	struct strings in_use;	     /* what the host does with these: sentences */
	struct strings representors; /* of them those that are in use: sentences */
	bool no_drivers; /* no driver of the host takes its virtual functions: sriov_drivers_autoprobe */
	char *mode;    /* of its switch, "legacy"; NULL: it has none, or it cannot be determined */
	char *at_boot; /* how many 'pve-vfio setup' has made at each boot, "4"; NULL: none */
	bool boot_unknown; /* what that has set cannot be read */
	bool changing;	   /* 'pve-vfio sriov' is changing how many there are */
	char *interrupted; /* it was, and did not end: how many there were before; NULL */
	struct sriov_function *functions; /* in order of number */
	size_t count;
};

/* In order of address. Started as { 0 }. */
struct sriov_cards {
	struct sriov_card *items;
	size_t count;
};

/* Finds them. The node and the judgement must last as long. 0 or -errno; may block as netlink does. */
int sriov_cards_find(const struct pve_node *node, const struct safeties *safeties,
		     struct sriov_cards *ret, struct error *err) must_check;
void sriov_cards_done(struct sriov_cards *cards);
#define cleanup_sriov_cards cleanup(sriov_cards_done)
