/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * doctor: everything `doctor` looks at. A topic of the node is a file node_*.c of this room and a
 * row of the table in doctor.c. Nothing here changes the host.
 */
#pragma once

#include "check/quirks.h"
#include "doctor/boot_view.h"
#include "doctor/pve_node.h"
#include "doctor/safety.h"
#include "doctor/verdict.h"
#include "pci/claim.h"

/* What the topics look at. All borrowed. */
struct doctor {
	const struct pve_node *node;
	struct safeties *safeties; /* the types of groups are read when they are first needed */
	const struct pci_claims *claims;
	const struct quirks *quirks;
	struct boot_view boot;
};

/* Judges the node: adds a line for each thing it looked at. 0 or -errno. */
int doctor_node(struct doctor *doctor, struct verdicts *verdicts, struct error *err) must_check;

/*
 * Judges one VM's configuration: all checks of a start, then what else is odd about it. -ENOENT
 * when there is no such VM.
 */
int doctor_vm(struct doctor *doctor, uint32_t vmid, struct verdicts *verdicts,
	      struct error *err) must_check;

/* The topics. 0 or -ENOMEM. */
int node_iommu(const struct doctor *doctor, struct verdicts *verdicts);
int node_groups(const struct doctor *doctor, struct verdicts *verdicts);
int node_kernel(const struct doctor *doctor, struct verdicts *verdicts);
int node_boot(const struct doctor *doctor, struct verdicts *verdicts);
int node_network(const struct doctor *doctor, struct verdicts *verdicts);
int node_modules(const struct doctor *doctor, struct verdicts *verdicts);
int node_displays(const struct doctor *doctor, struct verdicts *verdicts);
int node_errors(const struct doctor *doctor, struct verdicts *verdicts);
/* Of the known troubles those that can concern a function of the node. */
int doctor_quirks_read(const struct pve_node *node, struct quirks *ret,
		       struct error *err) must_check;
int node_quirks(const struct doctor *doctor, struct verdicts *verdicts);
int node_hook(const struct doctor *doctor, struct verdicts *verdicts);
int node_state(const struct doctor *doctor, struct verdicts *verdicts);
int node_sriov(const struct doctor *doctor, struct verdicts *verdicts);
int node_vgpus(const struct doctor *doctor, struct verdicts *verdicts);

/*
 * The devices that a journal says are stuck. Newer kernels (seen: 6.12.117) let driver_override be
 * read all the same, so only the journal tells. 0 or -ENOMEM.
 */
int journal_judge_stuck(const struct journal *journal, struct verdicts *verdicts);

/* What is odd about a VM's configuration beyond the checks of a start. */
int vm_lint(const struct doctor *doctor, const struct node_vm *vm, struct verdicts *verdicts);
