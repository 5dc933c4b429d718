/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * doctor: of every function of the node, who uses it, and whether it could be passed. Asked are the
 * checks of a start themselves, so that `devices` says what the hook would do.
 */
#pragma once

#include "check/finding.h"
#include "doctor/pve_node.h"
#include "pci/group.h"

enum pass {
	PASS_YES,
	PASS_GROUP, /* with the others of its IOMMU group */
	PASS_NO,
};

struct safety {
	enum pass pass;
	char *why;	     /* of PASS_NO: a sentence; of PASS_GROUP the others' addresses */
	const char *why_id;  /* a check's, "chipset" or "not-seen"; NULL with PASS_YES */
	struct strings uses; /* what the host, VMs, containers, processes do with it: sentences */
	struct strings use_ids; /* of each of them: a check's, or "vm" */
	bool vital;		/* the host needs it: storage, network, its only keyboard */
	bool boot_display;	/* the console is drawn on it */
	uint32_t holder;	/* the running VM that has it, by its journal; or 0 */
};

/* In the order of the node's functions. Started as { 0 }. */
struct safeties {
	struct safety *items;
	size_t count;
	struct iommu_groups groups;
};

/*
 * Judges all functions. 0 or -errno. Waits for nothing but what opening a disk takes.
 */
int safeties_judge(const struct pve_node *node, struct safeties *ret, struct error *err) must_check;
void safeties_done(struct safeties *safeties);
#define cleanup_safeties cleanup(safeties_done)

/* "yes", "with its group", "no". */
const char *pass_name(enum pass pass);
