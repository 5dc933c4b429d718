/* SPDX-License-Identifier: GPL-2.0-or-later */
/* doctor: mediated devices and vGPUs of VMs that do not run: what starts and stops have left. */
#include <errno.h>
#include <string.h>

#include "doctor/doctor.h"
#include "pve/lock.h"
#include "pve/vgpu.h"
#include "use/mdev.h"

#define DEADLINE_MS 3000

/* A start makes them before QEMU is there. */
static bool is_starting(const struct sysroot *root, uint32_t vmid)
{
	cleanup_close int lock = vm_lock_open(root, vmid);

	return lock >= 0 && vm_lock_is_held(lock);
}

static int tell(const struct pve_node *node, const char *address, const struct vgpu_use *use,
		struct verdicts *verdicts)
{
	cleanup_free char *words = NULL, *remedy = NULL;

	if (!vgpu_use_is_left(use) || is_starting(node->root, use->vmid))
		return 0;
	words = vgpu_use_words(use);
	remedy = text_format("VM %u uses it again at its next start; for others remove it: '%s'.",
			     use->vmid, use->removal);
	return words && remedy
		       ? verdict_add(verdicts, VERDICT_WARNING, "vgpu-left", address, remedy,
				     "%s: left by a start that failed, or by a stop.", words)
		       : -ENOMEM;
}

/* The GPU of a virtual function, whose functions are looked at together. */
static char *find_gpu(const struct sysroot *root, const char *address)
{
	char path[SYSROOT_PATH_MAX], *name = NULL;

	pci_attribute_path(path, address, "physfn");
	return sysroot_link_name(root, path, &name) < 0 ? strdup(address) : name;
}

static int judge(const struct pve_node *node, const char *address, struct verdicts *verdicts)
{
	cleanup_vgpu_uses struct vgpu_uses uses = { 0 };
	int r = vgpu_uses_find(node->root, address, DEADLINE_MS, &uses);

	for (size_t i = 0; i < uses.count && r == 0; i++)
		r = tell(node, address, &uses.items[i], verdicts);
	return r;
}

int node_vgpus(const struct doctor *doctor, struct verdicts *verdicts)
{
	const struct pve_node *node = doctor->node;
	cleanup_strings struct strings gpus = { 0 };
	size_t before = verdicts->count;
	bool any = false;
	int r = 0;

	for (size_t i = 0; i < node->inventory.count && r == 0; i++) {
		const char *address = node->inventory.items[i].device.name;
		enum mdev_support support = mdev_support(node->root, address);
		cleanup_free char *gpu = NULL;

		if (support == MDEV_NONE)
			continue;
		any = true;
		gpu = find_gpu(node->root, address);
		if (!gpu)
			return -ENOMEM;
		if (support == MDEV_NVIDIA && strings_has(&gpus, gpu))
			continue;
		r = strings_add(&gpus, gpu);
		if (r == 0)
			r = judge(node, address, verdicts);
	}
	if (r == 0 && any && verdicts->count == before)
		r = verdict_add(verdicts, VERDICT_OK, "vgpu-left", NULL, NULL,
				"No VM that does not run has a mediated device or a vGPU.");
	return r;
}
