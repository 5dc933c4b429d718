/* SPDX-License-Identifier: GPL-2.0-or-later */
/* doctor: the node at a glance. Reads no configuration space, for that wakes what sleeps. */
#include "doctor/glance.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/number.h"
#include "change/claims.h"
#include "host/remembered.h"
#include "pci/variant.h"
#include "use/child.h"
#include "use/container.h"

/* A command line of QEMU has some kilobytes. */
#define COMMAND_LINE_MAX ((size_t)1 << 20)

static const char *const holder_names[] = {
	[GLANCE_NOBODY] = "nobody",
	[GLANCE_HOST] = "host",
	[GLANCE_VM] = "vm",
	[GLANCE_CONTAINER] = "container",
};
TABLE_FOLLOWS(holder_names, GLANCE_HOLDER_COUNT);

const char *glance_holder_name(enum glance_holder holder)
{
	return holder_names[holder];
}

/* ---- devices */

static int add_device(const struct sysroot *root, struct pci_address address, struct glance *glance,
		      struct error *err)
{
	struct glance_device device = { 0 };
	cleanup_close int folder = -1;
	int r = pci_device_glance(root, address, &device.device, err);

	if (r < 0)
		return r == -ENODEV || r == -ENOENT ? 0 : r;
	if (device.device.bridge) {
		pci_device_done(&device.device);
		return 0;
	}
	folder = pci_folder_open(root, device.device.name);
	if (folder >= 0) {
		pci_power_read_in(root, folder, &device.power);
		if (pci_power_is_awake(&device.power))
			pci_link_read_in(root, folder, &device.link);
		pci_errors_read_in(root, folder, &device.errors);
	}
	if (array_reserve(&glance->devices, glance->device_count, sizeof(device)) < 0) {
		pci_device_done(&device.device);
		return error_set_memory(err);
	}
	glance->devices[glance->device_count++] = device;
	return 0;
}

static int read_devices(const struct sysroot *root, struct glance *glance, struct error *err)
{
	cleanup_pci_addresses struct pci_addresses addresses = { 0 };
	int r = pci_devices_list(root, &addresses, err);

	for (size_t i = 0; i < addresses.count && r == 0; i++)
		r = add_device(root, addresses.items[i], glance, err);
	return r;
}

/* ---- VMs, by their journals and lock files */

static int add_vm(struct glance *glance, struct glance_vm *vm, struct error *err)
{
	if (array_reserve(&glance->vms, glance->vm_count, sizeof(*vm)) < 0) {
		tally_done(&vm->tally);
		return error_set_memory(err);
	}
	glance->vms[glance->vm_count++] = *vm;
	return 0;
}

static void hold(struct glance *glance, const struct journal *journal, struct glance_vm *vm)
{
	for (size_t i = 0; i < glance->device_count; i++) {
		struct glance_device *device = &glance->devices[i];
		const struct action *action = claim_find(journal, device->device.name);

		if (!action || action->state == ACTION_FORESEEN || device->holder == GLANCE_VM)
			continue;
		vm->devices++;
		if (journal->phase == JOURNAL_KEPT)
			continue;
		device->holder = GLANCE_VM;
		device->vmid = journal->vmid;
		device->since = journal->since;
	}
}

static int look_at_journal(const struct sysroot *root, const struct state *state,
			   struct glance *glance, struct glance_vm *vm, struct error *err)
{
	cleanup_journal struct journal journal = { 0 };
	struct task qemu;
	int r = journal_read(root, state, vm->vmid, &journal, err);

	if (r == -EBADMSG)
		glance->unreadable++;
	if (r == -ENOENT || r == -EBADMSG)
		return 0;
	if (r < 0)
		return r;
	vm->has_journal = true;
	vm->phase = journal.phase;
	vm->since = journal.since;
	vm->watched = journal.watch.pid && task_is_alive(root, &journal.watch);
	vm->left_over = journal.phase != JOURNAL_KEPT && !vm->watched &&
			journal_find_qemu(root, &journal, &qemu, NULL) == 0 && !qemu.pid;
	hold(glance, &journal, vm);
	return 0;
}

static bool has_vmid(const struct vmids *vmids, uint32_t vmid)
{
	for (size_t i = 0; i < vmids->count; i++)
		if (vmids->items[i] == vmid)
			return true;
	return false;
}

/* A journal has a lock file beside it, unless somebody removed that. */
static int list_vms(const struct state *state, struct vmids *ret, struct error *err)
{
	cleanup_vmids struct vmids journals = { 0 };
	int r = tally_list(state, ret, err);

	if (r == 0)
		r = journal_list(state, &journals, err);
	for (size_t i = 0; i < journals.count && r == 0; i++) {
		if (has_vmid(ret, journals.items[i]))
			continue;
		if (array_reserve(&ret->items, ret->count, sizeof(*ret->items)) < 0)
			return error_set_memory(err);
		ret->items[ret->count++] = journals.items[i];
	}
	return r;
}

static int read_vms(const struct sysroot *root, struct glance *glance, struct error *err)
{
	cleanup_state struct state state = { .fd = -1 };
	cleanup_vmids struct vmids vmids = { 0 };
	int r = state_open(root, false, &state, err);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	r = list_vms(&state, &vmids, err);
	for (size_t i = 0; i < vmids.count && r == 0; i++) {
		struct glance_vm vm = { .vmid = vmids.items[i] };

		/* without it the rest is still good */
		(void)!tally_read(&state, vm.vmid, &vm.tally);
		r = look_at_journal(root, &state, glance, &vm, err);
		if (r < 0)
			tally_done(&vm.tally);
		else
			r = add_vm(glance, &vm, err);
	}
	return r;
}

/* ---- who has a device that no journal names */

static bool is_of_vfio(const char *driver)
{
	size_t size = strlen(driver), end = strlen(VFIO_DRIVER);

	return size >= end && (strcmp(driver + size - end, VFIO_DRIVER) == 0 ||
			       strcmp(driver + size - end, "vfio_pci") == 0);
}

/* A QEMU that was started with "-device vfio-pci,host=0000:01:00.0,…". */
static void find_in_command_line(struct glance *glance, uint32_t vmid, const char *data,
				 size_t size)
{
	for (size_t at = 0; at < size; at += strlen(data + at) + 1) {
		const char *host = strstr(data + at, "host=");

		if (!text_starts_with(data + at, VFIO_DRIVER) || !host)
			continue;
		host += strlen("host=");
		for (size_t i = 0; i < glance->device_count; i++) {
			struct glance_device *device = &glance->devices[i];
			const char *name = device->device.name;

			if (device->holder == GLANCE_NOBODY &&
			    strncmp(host, name, strlen(name)) == 0) {
				device->holder = GLANCE_VM;
				device->vmid = vmid;
			}
		}
	}
}

/* Of VMs without the hook. */
static void ask_processes(const struct sysroot *root, struct glance *glance)
{
	cleanup_strings struct strings names = { 0 };

	if (sysroot_list(root, "run/qemu-server", &names) < 0)
		return;
	for (size_t i = 0; i < names.count; i++) {
		cleanup_free char *data = NULL;
		char path[SYSROOT_PATH_MAX];
		struct task qemu;
		uint64_t vmid;
		size_t size = strcspn(names.items[i], ".");

		if (strcmp(names.items[i] + size, ".pid") != 0 ||
		    parse_number(names.items[i], size, 10, UINT32_MAX, &vmid) < 0 ||
		    qemu_find(root, (uint32_t)vmid, &qemu, NULL) < 0 || !qemu.pid)
			continue;
		snprintf(path, sizeof(path), "proc/%d/cmdline", (int)qemu.pid);
		if (sysroot_read(root, path, COMMAND_LINE_MAX, &data, &size) == 0)
			find_in_command_line(glance, (uint32_t)vmid, data, size);
	}
}

static void ask_containers(const struct sysroot *root, struct glance_device *device)
{
	cleanup_container_uses struct container_uses uses = { 0 };
	cleanup_nodes struct device_nodes nodes = { 0 };

	if (nodes_find(root, &device->device, &nodes, NULL) < 0 ||
	    container_uses_find(root, &nodes, device->device.name, &uses, NULL) < 0)
		return;
	for (size_t i = 0; i < uses.count; i++)
		if (uses.items[i].running && uses.items[i].gives) {
			device->holder = GLANCE_CONTAINER;
			device->vmid = uses.items[i].vmid;
			return;
		}
}

static void find_others(const struct sysroot *root, struct glance *glance)
{
	cleanup(child_memory_done) struct child_memory memory = { 0 };
	cleanup_remembered struct remembered remembered = { 0 };
	struct sysroot seen = *root;
	bool free_vfio = false, host = false;

	seen.children = &memory;
	seen.remembered = &remembered;
	for (size_t i = 0; i < glance->device_count; i++) {
		struct glance_device *device = &glance->devices[i];

		if (device->holder == GLANCE_VM || !device->device.driver)
			continue;
		if (is_of_vfio(device->device.driver)) {
			free_vfio = true;
		} else {
			device->holder = GLANCE_HOST;
			host = true;
		}
	}
	if (free_vfio)
		ask_processes(root, glance);
	if (!host || !containers_name_nodes(&seen))
		return;
	for (size_t i = 0; i < glance->device_count; i++)
		if (glance->devices[i].holder == GLANCE_HOST)
			ask_containers(&seen, &glance->devices[i]);
}

int glance_read(const struct sysroot *root, struct glance *ret, struct error *err)
{
	cleanup_glance struct glance glance = { 0 };
	int r = read_devices(root, &glance, err);

	if (r == 0)
		r = read_vms(root, &glance, err);
	if (r < 0)
		return r;
	find_others(root, &glance);
	*ret = TAKE_STRUCT(glance);
	return 0;
}

void glance_done(struct glance *glance)
{
	for (size_t i = 0; i < glance->device_count; i++)
		pci_device_done(&glance->devices[i].device);
	for (size_t i = 0; i < glance->vm_count; i++)
		tally_done(&glance->vms[i].tally);
	free(glance->devices);
	free(glance->vms);
	*glance = (struct glance){ 0 };
}
