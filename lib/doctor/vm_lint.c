/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * doctor: what is odd about the configuration of a VM with PCI devices, beyond what the checks of a
 * start tell: no start fails for it, but many a person wonders.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "check/check.h"
#include "doctor/doctor.h"

#define CONFIG_FILE_MAX	    ((size_t)1 << 20)

#define CLASS_AUDIO_HDA	    0x0403
#define CLASS_VGA	    0x0300
#define CLASS_DISPLAY_OTHER 0x0380

struct lint {
	const struct doctor *doctor;
	const struct node_vm *vm;
	const struct vm_config *config;
	bool ovmf;
	bool has_display; /* a GPU is passed */
};

static bool is_ovmf(const struct vm_config *config)
{
	return text_equal(vm_config_get(config, "bios"), "ovmf");
}

/* The function a hostpci line means first, or NULL. */
static const struct pci_entry *first_of_line(const struct lint *lint, const char *source)
{
	for (size_t i = 0; i < lint->vm->wanted.count; i++) {
		const struct wanted_device *device = &lint->vm->wanted.devices[i];
		char name[PCI_ADDRESS_TEXT];

		if (strcmp(device->source, source) == 0)
			return pci_inventory_find(&lint->doctor->node->inventory,
						  pci_address_format(device->address, name));
	}
	return NULL;
}

/* A part of a GPU, mediated or a virtual function, has no ROM and no output. */
static bool is_display(const struct lint *lint, const char *source)
{
	const struct pci_entry *entry = first_of_line(lint, source);

	for (size_t i = 0; i < lint->vm->wanted.count; i++) {
		const struct wanted_device *device = &lint->vm->wanted.devices[i];

		if (strcmp(device->source, source) == 0 &&
		    (device->kind == WANTED_MDEV || device->kind == WANTED_VGPU))
			return false;
	}
	return entry && pci_is_display(&entry->device) && !entry->facts.physical;
}

static bool wants_display(const struct lint *lint)
{
	for (size_t i = 0; i < lint->vm->wanted.count; i++)
		if (is_display(lint, lint->vm->wanted.devices[i].source))
			return true;
	return false;
}

static int lint_hook(const struct lint *lint, struct verdicts *verdicts)
{
	const char *hook = vm_config_get(lint->config, "hookscript");
	const struct vm_dropped_line *dropped = vm_config_find_dropped(lint->config, "hookscript");
	cleanup_free char *remedy =
		text_format("Register it: 'pve-vfio attach %u'.", lint->vm->vmid);

	if (!remedy)
		return -ENOMEM;
	if (dropped && !hook)
		return verdict_add(verdicts, VERDICT_WARNING, "hook-never-runs", "hookscript",
				   remedy,
				   "Proxmox VE ignores line %u, '%.200s': %s. The hook will never "
				   "run: nothing checks its starts, and the host does not get its "
				   "devices back.",
				   dropped->line, dropped->text, dropped->why);
	if (hook && strstr(hook, "pve-vfio-hook"))
		return verdict_add(verdicts, VERDICT_OK, "hookscript", NULL, NULL,
				   "The hook is registered: %s.", hook);
	return verdict_add(
		verdicts, VERDICT_WARNING, "vm-without-hook", NULL,
		"Register it: 'qm set VMID --hookscript STORAGE:snippets/pve-vfio-hook'.",
		"%s%s: nothing checks its starts, and the host does not get its devices "
		"back.",
		hook ? "It has another hookscript, " : "It has no hookscript", hook ? hook : "");
}

static int lint_machine(const struct lint *lint, struct verdicts *verdicts)
{
	bool q35 = vm_config_is_q35(lint->config);

	if (!q35 && lint->has_display)
		return verdict_add(verdicts, VERDICT_INFO, "machine", "machine",
				   "For a new VM choose q35 and pcie=1. To change an installed "
				   "Windows may cost its activation.",
				   "The machine type is i440fx, which has no PCI Express: some "
				   "drivers of GPUs do not like that.");
	return verdict_add(verdicts, VERDICT_OK, "machine", "machine", NULL,
			   "The machine type is %s.", q35 ? "q35" : "i440fx");
}

static int lint_firmware(const struct lint *lint, struct verdicts *verdicts)
{
	if (lint->ovmf && !vm_config_get(lint->config, "efidisk0"))
		return verdict_add(verdicts, VERDICT_WARNING, "efidisk", "efidisk0",
				   "Add one: 'qm set VMID --efidisk0 STORAGE:1,efitype=4m'.",
				   "The firmware is OVMF and there is no EFI disk: what it is to "
				   "boot is forgotten at each stop.");
	return verdict_add(verdicts, VERDICT_OK, "firmware", "bios", NULL, "The firmware is %s.",
			   lint->ovmf ? "OVMF (UEFI)" : "SeaBIOS");
}

static int lint_vga(const struct lint *lint, struct verdicts *verdicts)
{
	const char *vga = vm_config_get(lint->config, "vga");
	bool none = vga && (text_starts_with(vga, "none") || text_starts_with(vga, "type=none"));

	if (none && !lint->has_display)
		return verdict_add(
			verdicts, VERDICT_WARNING, "vga", "vga",
			"Delete the line ('qm set VMID --delete vga'), or use 'serial0'.",
			"It is 'none' and no GPU is passed: the VM has no display at all.");
	if (!none && lint->has_display)
		return verdict_add(
			verdicts, VERDICT_INFO, "vga", "vga",
			"When the guest's driver works, 'qm set VMID --vga none' leaves "
			"the GPU alone; the console of the web interface is empty then.",
			"The VM has an emulated display (%s) beside its GPU, and boots on "
			"it.",
			vga ? vga : "std");
	return 0;
}

/* Its sound is a function of its own, and guests expect both. */
static int lint_sound(const struct lint *lint, const struct pci_entry *entry, const char *source,
		      struct verdicts *verdicts)
{
	const struct pci_inventory *inventory = &lint->doctor->node->inventory;

	for (size_t i = 0; i < inventory->count; i++) {
		const struct pci_device *other = &inventory->items[i].device;

		if (!pci_same_slot(other->address, entry->device.address) ||
		    other->class_code >> 8 != CLASS_AUDIO_HDA ||
		    node_vm_source(lint->vm, other->address))
			continue;
		return verdict_add(verdicts, VERDICT_INFO, "gpu-sound", source,
				   "Leave the function out of the address to pass all of them: "
				   "host=01:00 in place of host=01:00.0.",
				   "It names the GPU alone; its sound, %s, leaves the host all the "
				   "same, and the guest does not get it.",
				   other->name);
	}
	return 0;
}

static int lint_rom(const struct lint *lint, const struct hostpci *hostpci,
		    const struct pci_entry *entry, const char *source, struct verdicts *verdicts)
{
	if (hostpci->romfile && !hostpci->rombar)
		return verdict_add(verdicts, VERDICT_WARNING, "rombar", source,
				   "Take rombar=0 out of the line.",
				   "It has a romfile and rombar=0: the guest never sees the ROM.");
	if (!entry->facts.has_rom && !hostpci->romfile)
		return verdict_add(
			verdicts, VERDICT_INFO, "gpu-rom", source,
			"For a picture from the start give it a romfile: 'pve-vfio rom "
			"dump', 'pve-vfio rom vfct', 'pve-vfio rom check'.",
			"The GPU has no ROM BAR and the line no romfile: %s shows nothing "
			"on it, only the guest's driver will.",
			lint->ovmf ? "OVMF" : "SeaBIOS");
	return 0;
}

/*
 * SeaBIOS starts the ROM of the first VGA device, and that of a display controller only where the VM
 * has none (rom/verdict.h); x-vga takes what only a VGA device has.
 */
static int lint_seabios(const struct lint *lint, const struct hostpci *hostpci,
			const struct pci_entry *entry, const char *source,
			struct verdicts *verdicts)
{
	bool vga = entry->device.class_code >> 8 == CLASS_VGA;
	cleanup_free char *remedy = NULL;

	if (vga && !hostpci->x_vga)
		return verdict_add(verdicts, VERDICT_INFO, "x-vga", source,
				   "Set x-vga=1 on the line ('Primary GPU'), or use OVMF.",
				   "Without x-vga=1 SeaBIOS shows nothing on the GPU.");
	if (vga && vm_config_get(lint->config, "vga") && check_has_emulated_vga(lint->config)) {
		remedy = text_format("'qm set %u --delete vga' leaves the emulated display out.",
				     lint->vm->vmid);
		return remedy ? verdict_add(verdicts, VERDICT_INFO, "x-vga", source, remedy,
					    "The VM has an emulated display too, and SeaBIOS shows "
					    "itself on that one.")
			      : -ENOMEM;
	}
	if (entry->device.class_code >> 8 != CLASS_DISPLAY_OTHER ||
	    !check_has_emulated_vga(lint->config))
		return 0;
	remedy = text_format("Use OVMF, or leave out the emulated display: 'qm set %u --vga none'.",
			     lint->vm->vmid);
	return remedy ? verdict_add(verdicts, VERDICT_INFO, "x-vga", source, remedy,
				    "It is a display controller (class 0380), not a VGA device: "
				    "SeaBIOS shows nothing on it while the VM has an emulated "
				    "display.")
		      : -ENOMEM;
}

static int lint_display(const struct lint *lint, const struct hostpci *hostpci,
			const struct pci_entry *entry, const char *source,
			struct verdicts *verdicts)
{
	int r = lint_rom(lint, hostpci, entry, source, verdicts);

	if (r == 0)
		r = lint_sound(lint, entry, source, verdicts);
	if (r == 0 && hostpci->x_vga && lint->ovmf)
		r = verdict_add(verdicts, VERDICT_INFO, "x-vga", source, NULL,
				"x-vga=1 has no effect with OVMF: Proxmox VE leaves it out.");
	if (r == 0 && !lint->ovmf && !hostpci->legacy_igd)
		r = lint_seabios(lint, hostpci, entry, source, verdicts);
	if (r == 0 && !hostpci->pcie && vm_config_is_q35(lint->config))
		r = verdict_add(verdicts, VERDICT_INFO, "pcie", source, "Set pcie=1 on the line.",
				"Without pcie=1 the guest sees the GPU as an old PCI card: some "
				"drivers do not like that, and none sees its link.");
	return r;
}

static int lint_lines(const struct lint *lint, struct verdicts *verdicts)
{
	size_t primaries = 0;
	int r = 0;

	for (unsigned i = 0; i < HOSTPCI_COUNT && r == 0; i++) {
		const struct hostpci *hostpci = &lint->config->hostpci[i].hostpci;
		const struct pci_entry *entry;
		char source[SOURCE_MAX];

		if (!lint->config->hostpci[i].present)
			continue;
		snprintf(source, sizeof(source), "hostpci%u", i);
		primaries += hostpci->x_vga;
		entry = first_of_line(lint, source);
		if (is_display(lint, source))
			r = lint_display(lint, hostpci, entry, source, verdicts);
	}
	if (r == 0 && primaries > 1)
		r = verdict_add(verdicts, VERDICT_WARNING, "x-vga", NULL,
				"Leave it on the line whose monitor the VM is to boot on.",
				"%zu lines have x-vga=1; a VM has one primary display.", primaries);
	return r;
}

static int lint_cpu(const struct lint *lint, struct verdicts *verdicts)
{
	const char *cpu = vm_config_get(lint->config, "cpu");

	if (text_starts_with(cpu ? cpu : "", "cputype="))
		cpu += strlen("cputype=");
	if (cpu && text_starts_with(cpu, "host") && strchr(",", cpu[4]))
		return verdict_add(verdicts, VERDICT_OK, "cpu", "cpu", NULL,
				   "The guest sees the host's processor.");
	return verdict_add(
		verdicts, VERDICT_INFO, "cpu", "cpu",
		"Set 'qm set VMID --cpu host', as long as the VM does not move to another "
		"processor while it runs; with these devices it cannot.",
		"The processor type is %.*s: drivers and games may miss instructions.",
		cpu ? (int)strcspn(cpu, ",") : (int)strlen("kvm64"), cpu ? cpu : "kvm64");
}

static bool is_on(const char *value)
{
	bool on = false;

	return value && pve_boolean_parse(value, &on) == 0 && on;
}

/* A section of jobs.cfg "vzdump: NAME" with "vmid 100,101" or "all 1". */
static bool job_names(const char *section, uint32_t vmid)
{
	cleanup_free char *copy = strdup(section);
	char *rest = copy, *line;

	while (copy && (line = strsep(&rest, "\n"))) {
		char *value = line + strspn(line, " \t"), *key = strsep(&value, " \t");

		if (!value)
			continue;
		if (strcmp(key, "all") == 0 && *value == '1')
			return true;
		if (strcmp(key, "vmid") != 0)
			continue;
		for (char *id; (id = strsep(&value, ","));) {
			uint32_t number;

			if (parse_u32(id, &number) == 0 && number == vmid)
				return true;
		}
	}
	return false;
}

static bool is_backed_up(const struct lint *lint)
{
	cleanup_free char *data = NULL;
	char *section, *end;
	size_t size;

	if (sysroot_read(lint->doctor->node->root, "etc/pve/jobs.cfg", CONFIG_FILE_MAX, &data,
			 &size) < 0)
		return false;
	for (section = data; section; section = end ? end + 2 : NULL) {
		end = strstr(section, "\n\n");
		if (end)
			*end = '\0';
		if (text_starts_with(section, "vzdump:") && job_names(section, lint->vm->vmid))
			return true;
	}
	return false;
}

static bool is_in_ha(const struct lint *lint)
{
	cleanup_free char *data = NULL;
	cleanup_free char *head = text_format("vm: %u\n", lint->vm->vmid);
	size_t size;
	const char *at;

	if (!head || sysroot_read(lint->doctor->node->root, "etc/pve/ha/resources.cfg",
				  CONFIG_FILE_MAX, &data, &size) < 0)
		return false;
	at = strstr(data, head);
	return at && (at == data || at[-1] == '\n');
}

static bool has_raw_host(const struct vm_config *config)
{
	for (unsigned i = 0; i < HOSTPCI_COUNT; i++)
		if (config->hostpci[i].present && config->hostpci[i].hostpci.host.count > 0)
			return true;
	return false;
}

static int lint_life(const struct lint *lint, struct verdicts *verdicts)
{
	int r = 0;

	if (is_on(vm_config_get(lint->config, "onboot")))
		r = verdict_add(verdicts, VERDICT_INFO, "onboot", "onboot",
				"Mind 'startup: order=' where several VMs want the same device.",
				"The VM starts with the node: the host has these devices for a "
				"moment only.");
	if (r == 0 && is_backed_up(lint))
		r = verdict_add(
			verdicts, VERDICT_INFO, "backup", NULL,
			"Choose a time at which the host can do without the devices, or let "
			"the VM run.",
			"A backup job has it. A backup of a stopped VM starts it, paused: it "
			"takes its devices from the host meanwhile, and fails when another "
			"VM has them.");
	if (r == 0 && is_in_ha(lint) && has_raw_host(lint->config))
		r = verdict_add(verdicts, VERDICT_WARNING, "ha-address", NULL,
				"Use a resource mapping with a device on every node "
				"(Datacenter, Resource Mappings).",
				"High availability may start it on another node, where its address "
				"is another device or none.");
	return r;
}

int vm_lint(const struct doctor *doctor, const struct node_vm *vm, struct verdicts *verdicts)
{
	struct lint lint = {
		.doctor = doctor,
		.vm = vm,
		.config = &vm->config,
		.ovmf = is_ovmf(&vm->config),
	};
	static int (*const lints[])(const struct lint *lint, struct verdicts *verdicts) = {
		lint_hook, lint_machine, lint_firmware, lint_vga, lint_lines, lint_cpu, lint_life,
	};
	int r = 0;

	if (!node_vm_has_passthrough(vm))
		return verdict_add(verdicts, VERDICT_INFO, "vm-none", NULL, NULL,
				   "It has no PCI device: there is nothing else to look at.");
	if (vm->config.is_template)
		return verdict_add(verdicts, VERDICT_INFO, "vm-template", NULL, NULL,
				   "It is a template: Proxmox VE starts it without its devices.");
	lint.has_display = wants_display(&lint);
	for (size_t i = 0; i < sizeof(lints) / sizeof(*lints) && r == 0; i++)
		r = lints[i](&lint, verdicts);
	return r;
}
