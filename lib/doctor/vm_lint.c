/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * doctor: what is odd about the configuration of a VM with PCI devices, beyond what the checks of a
 * start tell: no start fails for it, but many a person wonders.
 */
#include "doctor/vm_lint.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "pve/args.h"

static int lint_hook(const struct lint *lint, struct verdicts *verdicts)
{
	const char *hook = vm_config_get(lint->config, "hookscript");
	const struct vm_dropped_line *dropped = vm_config_find_dropped(lint->config, "hookscript");
	cleanup_free char *remedy = text_format(hook ? "Have both: 'pve-vfio attach %u --chain'."
						     : "Register it: 'pve-vfio attach %u'.",
						lint->vm->vmid);

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
	return verdict_add(verdicts, VERDICT_WARNING, "vm-without-hook", NULL, remedy,
			   "%s%s: nothing checks its starts, and the host does not get its devices "
			   "back.",
			   hook ? "It has another hookscript, " : "It has no hookscript",
			   hook ? hook : "");
}

static int lint_machine(const struct lint *lint, struct verdicts *verdicts)
{
	bool q35 = vm_config_is_q35(lint->config);

	for (unsigned i = 0; i < HOSTPCI_COUNT; i++)
		if (lint->config->hostpci[i].present && lint->config->hostpci[i].hostpci.legacy_igd)
			return verdict_add(verdicts, VERDICT_OK, "machine", "machine", NULL,
					   "The machine type is %s.", q35 ? "q35" : "i440fx");
	if (!q35 && lint->has_gpu)
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
	cleanup_free char *storage = NULL, *remedy = NULL;

	if (!lint->ovmf || vm_config_get(lint->config, "efidisk0"))
		return verdict_add(verdicts, VERDICT_OK, "firmware", "bios", NULL,
				   "The firmware is %s.", lint->ovmf ? "OVMF (UEFI)" : "SeaBIOS");
	if (vm_config_storage(lint->config, &storage) < 0)
		return -ENOMEM;
	remedy =
		storage ? text_format("Add one: 'qm set %u --efidisk0 %s:1,efitype=4m'.",
				      lint->vm->vmid, storage)
			: text_format("Add one to VM %u: Hardware, Add, EFI Disk.", lint->vm->vmid);
	return remedy ? verdict_add(verdicts, VERDICT_WARNING, "efidisk", "efidisk0", remedy,
				    "The firmware is OVMF and there is no EFI disk: what it is to "
				    "boot is forgotten at each stop.")
		      : -ENOMEM;
}

/* QEMU takes its last -cpu, and Proxmox VE appends `args` to its own. */
static bool args_set_cpu(const struct vm_config *config, char **ret)
{
	const char *args = vm_config_get(config, "args");
	cleanup_strings struct strings words = { 0 };
	const char *type = NULL;

	if (!args || shellwords(args, &words) < 0)
		return false;
	for (size_t i = 0; i + 1 < words.count; i++)
		if (strcmp(words.items[i], "-cpu") == 0 || strcmp(words.items[i], "--cpu") == 0)
			type = words.items[i + 1];
	*ret = type ? text_format("%.*s", (int)strcspn(type, ","), type) : NULL;
	return type;
}

static int lint_cpu(const struct lint *lint, struct verdicts *verdicts)
{
	const char *cpu = vm_config_get(lint->config, "cpu");
	cleanup_free char *type = NULL, *remedy = NULL;
	bool of_args = args_set_cpu(lint->config, &type);

	if (text_starts_with(cpu ? cpu : "", "cputype="))
		cpu += strlen("cputype=");
	if (!of_args)
		type = cpu ? text_format("%.*s", (int)strcspn(cpu, ","), cpu) : strdup("kvm64");
	if (!type)
		return -ENOMEM;
	if (strcmp(type, "host") == 0 || (of_args && strcmp(type, "max") == 0))
		return verdict_add(verdicts, VERDICT_OK, "cpu", of_args ? "args" : "cpu", NULL,
				   "The guest sees the host's processor.");
	remedy = text_format(
		of_args ? "Take -cpu out of the line 'args' of VM %u, or make it '-cpu host'."
			: "'qm set %u --cpu host', as long as the VM does not move to another "
			  "processor while it runs; with these devices it cannot.",
		lint->vm->vmid);
	return remedy ? verdict_add(verdicts, VERDICT_INFO, "cpu", of_args ? "args" : "cpu", remedy,
				    "The processor type is %s: drivers and games may miss "
				    "instructions.",
				    type)
		      : -ENOMEM;
}

int vm_lint(const struct doctor *doctor, const struct node_vm *vm, struct verdicts *verdicts)
{
	struct lint lint = {
		.doctor = doctor,
		.vm = vm,
		.config = &vm->config,
		.ovmf = text_equal(vm_config_get(&vm->config, "bios"), "ovmf"),
	};
	static int (*const lints[])(const struct lint *lint, struct verdicts *verdicts) = {
		lint_hook,  lint_machine, lint_firmware, lint_vga, lint_lines,	   lint_cpu,
		lint_state, lint_onboot,  lint_backup,	 lint_ha,  lint_migration,
	};
	int r = 0;

	if (!node_vm_has_passthrough(vm))
		return verdict_add(verdicts, VERDICT_INFO, "vm-none", NULL, NULL,
				   "It has no PCI device: there is nothing else to look at.");
	if (vm->config.is_template)
		return verdict_add(verdicts, VERDICT_INFO, "vm-template", NULL, NULL,
				   "It is a template: Proxmox VE starts it without its devices.");
	lint_find_displays(&lint);
	for (size_t i = 0; i < ARRAY_SIZE(lints) && r == 0; i++)
		r = lints[i](&lint, verdicts);
	return r;
}
