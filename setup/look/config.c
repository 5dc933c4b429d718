/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup: pve-vfio config. Validates the settings and shows what they come to. */
#include <stdio.h>
#include <unistd.h>

#include "pve/config.h"
#include "settings/settings.h"
#include "setup/print.h"
#include "setup/setup.h"

int verb_config(struct command *command, struct error *err)
{
	cleanup_settings struct settings settings = { 0 };
	uint32_t vmid = 0;
	int r = command->argc > 0 ? command_parse_vmid(command, 0, &vmid, err) : 0;

	if (r == 0 && vmid > 0)
		r = vm_look(&command->root, vmid, err);
	if (r == 0)
		r = settings_read(&command->root, vmid, NULL, &settings, err);
	if (r < 0)
		return r;
	if (settings.foreign)
		print_sentence(STDERR_FILENO, "pve-vfio: ", "  ",
			       "%s/%u.json is of an earlier VM %u: nothing of it applies; see "
			       "'pve-vfio plan %u'",
			       SETTINGS_VM_FOLDER, vmid, vmid, vmid);
	return print_json_file(settings_json(&settings), err);
}
