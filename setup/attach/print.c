/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup: what attach does, in words: devices, layouts, commands. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "check/check.h"
#include "pve/pve.h"
#include "setup/attach/attach.h"
#include "setup/print.h"

static void print_functions(struct attach *attach, const struct attach_device *device)
{
	for (size_t i = 0; i < device->selection.functions.count; i++) {
		cleanup_pci_device struct pci_device function = { 0 };
		cleanup_free char *name = NULL;
		struct error err = { 0 };

		if (pci_device_read(attach->root, device->selection.functions.items[i], &function,
				    &err) < 0) {
			printf("# warning: %s\n", err.message);
			continue;
		}
		name = pci_name(&attach->names, attach->root, &function);
		printf("# %s %s\n", function.name, name ? name : "");
	}
}

/* The display is none where it says so, or where a line has x-vga and it says nothing. */
static bool has_console_after(const struct attach *attach)
{
	const struct vm_change *vga = vm_edit_find(&attach->edit, "vga");
	const char *now = vga ? vga->after : vm_config_get(&attach->vm.config, "vga");

	if (now)
		return !text_starts_with(now, "none") && !text_starts_with(now, "type=none");
	for (size_t i = 0; i < attach->edit.count; i++)
		if (attach->edit.items[i].after &&
		    text_starts_with(attach->edit.items[i].key, "hostpci") &&
		    strstr(attach->edit.items[i].after, "x-vga="))
			return false;
	return check_has_emulated_vga(&attach->vm.config);
}

void attach_print_console(const struct attach *attach)
{
	if (check_has_emulated_vga(&attach->vm.config) && !has_console_after(attach))
		print_sentence(STDOUT_FILENO, "# ", "# ",
			       "The console of VM %u in the web interface is empty from its next "
			       "start on: set up remote access in the guest first (RDP, SSH).",
			       attach->vm.vmid);
}

void attach_print_devices(struct attach *attach)
{
	for (size_t i = 0; i < attach->device_count; i++) {
		const struct attach_device *device = &attach->devices[i];

		print_functions(attach, device);
		if (device->layout)
			printf("#   layout %s:\n#     %s\n", layout_name(device->layout),
			       layout_what(device->layout));
		else if (device->line < HOSTPCI_COUNT)
			printf("#   hostpci%u has it already: left as it is\n", device->line);
		else
			printf("#   args have it already: left as it is\n");
	}
}

void attach_print_changes(const struct attach *attach)
{
	for (size_t i = 0; i < attach->edit.count; i++) {
		const struct vm_change *change = &attach->edit.items[i];

		if (change->why)
			print_sentence(STDOUT_FILENO, "#   ", "#     ", "%s: %s -> %s: %s",
				       change->key, change->before ? change->before : "not set",
				       change->after ? change->after : "not set", change->why);
	}
}

int attach_run(struct deeds *deeds, const struct strings *words, struct error *err)
{
	cleanup_free char *line = pve_command_line(words);

	if (!line)
		return error_set_memory(err);
	deeds_command(deeds, line);
	return deeds->dry_run ? 0 : pve_run(words, NULL, err);
}
