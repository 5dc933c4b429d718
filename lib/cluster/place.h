/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cluster: where a VM could start, by the rules of Proxmox VE (mappings: pve-guest-common's
 * Mapping/PCI.pm; what does not move: check_local_resources() in qemu-server's QemuServer.pm) and by what
 * each node has published. Asks no other node, and changes nothing.
 */
#pragma once

#include "cluster/facts.h"
#include "cluster/members.h"
#include "pve/config.h"
#include "pve/mapping.h"

struct cluster_node {
	const struct member *member;
	struct facts facts;
	const char *unknown; /* the id of why nothing is known of it; NULL: the facts are good */
	char *why;	     /* the sentence */
};

struct cluster_vm {
	uint32_t vmid;
	size_t node; /* where its configuration is */
	struct vm_config config;
};

/* Started as { 0 } with `root`, `self` and `now` set. */
struct cluster {
	const struct sysroot *root;
	const char *self;
	time_t now;
	struct members members;
	struct mappings mappings;
	struct cluster_node *nodes; /* one for each member */
	struct cluster_vm
		*vms; /* in order of number; those alone that name a device, and `wanted` */
	size_t vm_count;
	struct strings faults; /* what could not be read, in sentences */
};

/* Reads it; `live`: the facts of this node as they are now, which are taken over. 0 or -errno. */
int cluster_read(struct cluster *cluster, struct facts *live, uint32_t wanted,
		 struct error *err) must_check;
void cluster_done(struct cluster *cluster);
#define cleanup_cluster cleanup(cluster_done)

/* The VM, or NULL: it is nowhere. */
const struct cluster_vm *cluster_find(const struct cluster *cluster, uint32_t vmid);

enum place_start { PLACE_YES, PLACE_NO, PLACE_UNKNOWN };
const char *place_start_name(enum place_start start);

/* Started as { 0 }. */
struct place {
	enum place_start start;
	const char
		*id; /* of the first reason: a check's, or one of pve-vfio-json(5); NULL with yes */
	char *reason;		/* a sentence */
	struct strings notes;	/* what has to be seen to, with yes: sentences */
	struct strings devices; /* that it would get there: addresses */
};

int place_judge(const struct cluster *cluster, const struct cluster_vm *vm, size_t node,
		struct place *ret, struct error *err) must_check;
void place_done(struct place *place);
#define cleanup_place cleanup(place_done)

/*
 * The VM of that node whose configuration names this device, or another of its IOMMU group, but not
 * `but`; 0: none.
 */
uint32_t cluster_user(const struct cluster *cluster, size_t node, const char *address,
		      uint32_t but);
