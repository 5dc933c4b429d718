/* SPDX-License-Identifier: GPL-2.0-or-later */
/* doctor: what doctor looks at, topic by topic. */
#include "doctor/doctor.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "change/recover.h"
#include "check/check.h"

static const struct {
	const char *section;
	int (*topic)(const struct doctor *doctor, struct verdicts *verdicts);
} topics[] = {
	{ "Processor and IOMMU", node_iommu },
	{ "IOMMU groups", node_groups },
	{ "Kernel", node_kernel },
	{ "Boot", node_boot },
	{ "Boot", node_network },
	{ "VFIO modules", node_modules },
	{ "GPUs", node_displays },
	{ "PCIe errors", node_errors },
	{ "SR-IOV", node_sriov },
	{ "Known troubles", node_quirks },
	{ "Hook", node_hook },
	{ "Left from starts", node_state },
	{ "Left from starts", node_vgpus },
};

int doctor_node(struct doctor *doctor, struct verdicts *verdicts, struct error *err)
{
	int r;

	iommu_groups_read_types(doctor->node->root, &doctor->safeties->groups);
	r = boot_view_read(doctor->node, doctor->claims, &doctor->boot);
	for (size_t i = 0; i < ARRAY_SIZE(topics) && r == 0; i++) {
		verdicts->section = topics[i].section;
		r = topics[i].topic(doctor, verdicts);
	}
	boot_view_done(&doctor->boot);
	return r < 0 ? error_set_memory(err) : 0;
}

/* The very checks that the hook runs, without reserving or changing anything. */
static int check_start(const struct doctor *doctor, uint32_t vmid, struct findings *findings,
		       struct error *err)
{
	const struct sysroot *root = doctor->node->root;
	cleanup_state struct state state = { .fd = -1 };
	cleanup_start struct start start = { .root = root, .dry = true, .vmid = vmid };
	struct error unseen = { 0 };
	int r = state_open(root, false, &state, &unseen);

	if (r == 0) {
		start.state = &state;
		r = journal_look(root, &state, vmid, &start.journal, err);
		if (r < 0 && r != -ENOENT)
			return r;
	}
	r = start_prepare(&start, err);
	return r < 0 ? r : check_start_run(&start, findings, err);
}

/* What cannot be judged is reported, and is not a reason to be silent about the rest. */
static int judge_start(const struct doctor *doctor, const struct node_vm *vm,
		       struct verdicts *verdicts)
{
	cleanup_findings struct findings findings = { 0 };
	struct error reason = { 0 };
	int r = check_start(doctor, vm->vmid, &findings, &reason);

	if (r == -ENOMEM)
		return r;
	for (size_t i = 0; i < doctor->node->journals.count; i++)
		if (doctor->node->journals.items[i].vmid == vm->vmid &&
		    journal_judge_stuck(&doctor->node->journals.items[i], verdicts) < 0)
			return -ENOMEM;
	if (verdicts_add_findings(verdicts, &findings) < 0)
		return -ENOMEM;
	if (r < 0)
		return verdict_add(verdicts, VERDICT_UNKNOWN, "start", NULL, NULL, "%s.",
				   reason.message);
	if (verdicts_count(verdicts, VERDICT_ERROR) == 0)
		return verdict_add(verdicts, VERDICT_OK, "start", NULL, NULL,
				   "Nothing that the hook checks speaks against a start%s.",
				   vm->qemu.pid ? "; the VM runs" : "");
	return 0;
}

int doctor_vm(struct doctor *doctor, uint32_t vmid, struct verdicts *verdicts, struct error *err)
{
	const struct node_vm *vm = node_find_vm(doctor->node, vmid);
	int r;

	if (!vm)
		return vm_refuse_absent(doctor->node->root, vmid, err);
	verdicts->section = "Checks of a start";
	r = judge_start(doctor, vm, verdicts);
	verdicts->section = "Configuration";
	if (r == 0)
		r = vm_lint(doctor, vm, verdicts);
	return r < 0 ? error_set_memory(err) : 0;
}
