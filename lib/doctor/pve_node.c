/* SPDX-License-Identifier: GPL-2.0-or-later */
/* doctor: reads the node as a whole. Judges nothing. */
#include "doctor/pve_node.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"

#define CONFIG_FOLDER "etc/pve/qemu-server"

static int read_host(struct pve_node *node, struct error *err)
{
	if (sysroot_read_attribute(node->root, "proc/sys/kernel/hostname", &node->name) < 0)
		node->name = strdup("localhost");
	if (sysroot_read_attribute(node->root, "proc/sys/kernel/osrelease", &node->release) < 0)
		node->release = strdup("");
	if (sysroot_read_attribute(node->root, "proc/cmdline", &node->command_line) < 0)
		node->command_line = strdup("");
	if (!node->name || !node->release || !node->command_line)
		return error_set_memory(err);
	node->name[strcspn(node->name, ".")] = '\0';
	(void)kernel_version_parse(node->release, &node->kernel);
	return 0;
}

/* Which of several is chosen does not matter here, as long as each line has its own. */
static int choose_first(const struct wanted_choice *choice, const struct wanted *so_far,
			void *context, size_t *ret, struct error *err)
{
	(void)context, (void)err;
	for (size_t i = 0; i < choice->count; i++) {
		bool taken = false;

		for (size_t k = 0; k < choice->alternatives[i].count; k++)
			taken |= wanted_find(so_far, choice->alternatives[i].items[k]) != NULL;
		if (taken)
			continue;
		*ret = i;
		return 0;
	}
	return -EBUSY;
}

static void vm_done(struct node_vm *vm)
{
	vm_config_done(&vm->config);
	wanted_done(&vm->wanted);
}

static int read_vm(const struct pve_node *node, const struct pci_present *present, uint32_t vmid,
		   struct node_vm *vm, struct error *err)
{
	struct wanted_input input = {
		.root = node->root,
		.config = &vm->config,
		.present = present,
		.mappings = &node->mappings,
		.node = node->name,
		.choose = choose_first,
	};
	int r;

	vm->vmid = vmid;
	r = vm_config_read(node->root, NULL, vmid, &vm->config, err);
	if (r == 0)
		r = wanted_resolve(&input, &vm->wanted, err);
	if (r == 0)
		r = qemu_find(node->root, vmid, &vm->qemu, err);
	return r;
}

static int add_vm(struct pve_node *node, const struct pci_present *present, uint32_t vmid)
{
	struct error reason = { 0 };
	struct node_vm vm = { 0 };
	int r = read_vm(node, present, vmid, &vm, &reason);

	if (r == 0)
		r = array_reserve(&node->vms, node->vm_count, sizeof(vm));
	if (r < 0) {
		vm_done(&vm);
		if (r == -ENOMEM)
			return r;
		/* A VM that was just deleted is none. */
		return r == -ENOENT ? 0 : strings_add(&node->faults, reason.message);
	}
	node->vms[node->vm_count++] = vm;
	return 0;
}

static int compare_vms(const void *a, const void *b)
{
	const struct node_vm *first = a, *second = b;

	return (first->vmid > second->vmid) - (first->vmid < second->vmid);
}

static int read_vms(struct pve_node *node, const struct pci_present *present)
{
	cleanup_strings struct strings names = { 0 };
	int r = sysroot_list(node->root, CONFIG_FOLDER, &names);

	if (r < 0)
		return r == -ENOMEM ? r : 0;
	for (size_t i = 0; i < names.count && r == 0; i++) {
		uint32_t vmid;

		if (vm_config_vmid(names.items[i], &vmid))
			r = add_vm(node, present, vmid);
	}
	if (node->vm_count > 1)
		qsort(node->vms, node->vm_count, sizeof(*node->vms), compare_vms);
	return r;
}

static int read_journals(struct pve_node *node, struct error *err)
{
	cleanup_state struct state state = { .fd = -1 };
	struct error reason = { 0 };
	int r = state_open(node->root, false, &state, &reason);

	if (r == -ENOENT)
		return 0;
	if (r == -EACCES || r == -EPERM) {
		node->journals_hidden = true;
		return 0;
	}
	if (r == 0)
		r = claims_read(node->root, &state, 0, &node->journals, &reason);
	if (r == -ENOMEM || (r < 0 && strings_add(&node->faults, reason.message) < 0))
		return error_set_memory(err);
	return 0;
}

static int list_present(const struct pve_node *node, struct pci_present *present)
{
	for (size_t i = 0; i < node->inventory.count; i++)
		pci_present_add(present, node->inventory.items[i].device.address);
	return present->names.failed ? -ENOMEM : 0;
}

int pve_node_read(struct pve_node *node, struct error *err)
{
	cleanup_pci_present struct pci_present present = { 0 };
	struct error reason = { 0 };
	int r = read_host(node, err);

	if (r == 0)
		r = pci_inventory_read(node->root, &node->inventory, err);
	if (r < 0)
		return r;
	if (mappings_read(node->root, &node->mappings, &reason) < 0 &&
	    strings_add(&node->faults, reason.message) < 0)
		return error_set_memory(err);
	if (list_present(node, &present) < 0 || read_vms(node, &present) < 0)
		return error_set_memory(err);
	return read_journals(node, err);
}

void pve_node_done(struct pve_node *node)
{
	free(node->name);
	free(node->release);
	free(node->command_line);
	pci_inventory_done(&node->inventory);
	for (size_t i = 0; i < node->vm_count; i++)
		vm_done(&node->vms[i]);
	free(node->vms);
	mappings_done(&node->mappings);
	claims_done(&node->journals);
	strings_done(&node->faults);
	*node = (struct pve_node){ 0 };
}

const struct node_vm *node_find_vm(const struct pve_node *node, uint32_t vmid)
{
	for (size_t i = 0; i < node->vm_count; i++)
		if (node->vms[i].vmid == vmid)
			return &node->vms[i];
	return NULL;
}

const char *node_vm_source(const struct node_vm *vm, struct pci_address address)
{
	for (size_t i = 0; i < vm->wanted.count; i++)
		if (pci_address_equal(vm->wanted.devices[i].address, address))
			return vm->wanted.devices[i].source;
	return NULL;
}

bool node_vm_may_choose(const struct pve_node *node, const struct node_vm *vm, const char *source)
{
	const struct hostpci *line = vm_config_line(&vm->config, source);
	const struct mapping *mapping =
		line && line->mapping ? mappings_find(&node->mappings, line->mapping) : NULL;
	size_t count = 0;

	for (size_t i = 0; mapping && i < mapping->count; i++)
		count += text_equal(mapping->entries[i].node, node->name);
	return count > 1;
}

const struct node_vm *node_find_owner(const struct pve_node *node, struct pci_address address)
{
	for (size_t i = 0; i < node->vm_count; i++)
		if (node_vm_source(&node->vms[i], address))
			return &node->vms[i];
	return NULL;
}

bool node_vm_has_passthrough(const struct node_vm *vm)
{
	for (unsigned i = 0; i < HOSTPCI_COUNT; i++)
		if (vm->config.hostpci[i].present)
			return true;
	return vm->wanted.args.count > 0 || vm->config.dropped_count > 0;
}
