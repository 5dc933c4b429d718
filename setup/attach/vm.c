/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup: the VM that attach and detach work on. Reads only. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "pve/lock.h"
#include "pve/node_name.h"
#include "pve/qemu.h"
#include "setup/attach/attach.h"

static bool has_pending(const char *text)
{
	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncasecmp(line, "[PENDING]", 9) == 0)
			return true;
	}
	return false;
}

static int refuse_state(const struct attach_vm *vm, struct error *err)
{
	const char *lock = vm_config_get(&vm->config, "lock");

	if (vm->config.is_template)
		return error_refuse(err, "VM %u is a template: it never runs", vm->vmid);
	if (lock)
		return error_refuse(err,
				    "VM %u is locked (%s): wait until that has ended; if no such "
				    "task is running, 'qm unlock %u'",
				    vm->vmid, lock, vm->vmid);
	return 0;
}

static int refuse_running(const struct sysroot *root, const struct attach_vm *vm,
			  const char *for_what, struct error *err)
{
	struct task qemu;
	int r = qemu_find(root, vm->vmid, &qemu, err);

	if (r < 0)
		return r;
	if (qemu.pid)
		return error_refuse(
			err,
			"VM %u runs (process %d): a VM takes and gives PCI devices only "
			"while it is off; shut it down and %s then",
			vm->vmid, (int)qemu.pid, for_what);
	if (has_pending(vm->text))
		return error_refuse(
			err,
			"VM %u has changes pending ('qm pending %u'): start and stop it, "
			"or revert them, and %s then",
			vm->vmid, vm->vmid, for_what);
	return 0;
}

static void config_path(uint32_t vmid, char path[SYSROOT_PATH_MAX])
{
	snprintf(path, SYSROOT_PATH_MAX, "etc/pve/qemu-server/%u.conf", vmid);
}

int attach_vm_look_again(const struct sysroot *root, const struct attach_vm *vm, struct error *err)
{
	cleanup_free char *text = NULL;
	char path[SYSROOT_PATH_MAX];
	size_t size;

	config_path(vm->vmid, path);
	if (sysroot_read(root, path, VM_CONFIG_MAX, &text, &size) == 0 &&
	    strcmp(text, vm->text) == 0)
		return 0;
	return error_set(err, -EAGAIN,
			 "the configuration of VM %u has just been changed by another; look again",
			 vm->vmid);
}

static int read_text(const struct sysroot *root, struct attach_vm *vm, struct error *err)
{
	char path[SYSROOT_PATH_MAX];
	size_t size;
	int r;

	config_path(vm->vmid, path);
	r = sysroot_read(root, path, VM_CONFIG_MAX, &vm->text, &size);
	if (r == -ENOENT)
		return vm_refuse_absent(root, vm->vmid, err);
	if (r < 0)
		return error_set(err, r, "cannot read /%s: %s", path, strerror(-r));
	if (strlen(vm->text) != size)
		return error_set(err, -EBADMSG, "/%s has a NUL byte in it", path);
	r = node_name_read(root, &vm->node, err);
	return r < 0 ? r : vm_config_parse(root, path, vm->text, size, &vm->config, err);
}

int attach_is_possible(const struct sysroot *root, const char *for_what, struct error *err)
{
	if (!root->live)
		return error_set(err, -EOPNOTSUPP,
				 "%s works on the running node only: it asks qm, pvesm and pvesh",
				 for_what);
	if (geteuid() != 0)
		return error_set(err, -EACCES, "%s must be run as root", for_what);
	return 0;
}

int attach_vm_read(const struct sysroot *root, uint32_t vmid, const char *for_what,
		   struct attach_vm *ret, struct error *err)
{
	int r = attach_is_possible(root, for_what, err);

	if (r < 0)
		return r;
	ret->vmid = vmid;
	r = read_text(root, ret, err);
	if (r == 0)
		r = refuse_state(ret, err);
	return r < 0 ? r : refuse_running(root, ret, for_what, err);
}

int attach_vm_read_running(const struct sysroot *root, uint32_t vmid, const char *for_what,
			   struct attach_vm *ret, struct task *ret_qemu, struct error *err)
{
	int r = attach_is_possible(root, for_what, err);

	if (r < 0)
		return r;
	ret->vmid = vmid;
	r = read_text(root, ret, err);
	if (r == 0)
		r = refuse_state(ret, err);
	if (r == 0)
		r = qemu_find(root, vmid, ret_qemu, err);
	if (r < 0 || ret_qemu->pid)
		return r;
	return error_refuse(err, "VM %u does not run: %s it without --live", vmid, for_what);
}

int attach_vm_refuse_busy(const struct sysroot *root, const struct attach_vm *vm, struct error *err)
{
	cleanup_close int lock = vm_lock_open(root, vm->vmid);

	if (lock < 0 || !vm_lock_is_held(lock))
		return 0;
	return error_refuse(err,
			    "Proxmox VE is working on VM %u just now; try again when it has "
			    "finished",
			    vm->vmid);
}

void attach_vm_done(struct attach_vm *vm)
{
	free(vm->node);
	free(vm->text);
	vm_config_done(&vm->config);
}

/* Adds what Proxmox VE's prefix match finds for an entry; see vm/wanted.c. */
static int add_entry(const char *entry, const struct pci_addresses *present,
		     struct pci_addresses *ret)
{
	int r = 0;

	for (size_t i = 0; i < present->count && r == 0; i++) {
		char name[PCI_ADDRESS_TEXT];

		pci_address_format(present->items[i], name);
		if (text_starts_with(name, entry) ||
		    (text_starts_with(name, "0000:") && text_starts_with(name + 5, entry)))
			r = pci_addresses_add(ret, present->items[i]);
	}
	return r;
}

static int add_entries(const struct strings *entries, const struct pci_addresses *present,
		       struct pci_addresses *ret)
{
	int r = 0;

	for (size_t i = 0; i < entries->count && r == 0; i++)
		r = add_entry(entries->items[i], present, ret);
	return r;
}

int attach_vm_line(const struct attach_vm *vm, const struct vm_config *config, unsigned number,
		   const struct mappings *mappings, const struct pci_addresses *present,
		   struct pci_addresses *ret)
{
	const struct vm_hostpci *line = &config->hostpci[number];
	const struct mapping *mapping;
	int r;

	if (!line->present)
		return 0;
	r = add_entries(&line->hostpci.host, present, ret);
	mapping = line->hostpci.mapping ? mappings_find(mappings, line->hostpci.mapping) : NULL;
	for (size_t i = 0; mapping && i < mapping->count && r == 0; i++)
		if (strcmp(mapping->entries[i].node, vm->node) == 0)
			r = add_entries(&mapping->entries[i].paths, present, ret);
	return r;
}
