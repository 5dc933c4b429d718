/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: whether the VM's settings are its own, or left by an earlier VM of its number. */
#include "settings/settings.h"

#include "check/check.h"

int check_settings(const struct start *start, struct findings *findings, struct error *err)
{
	const struct settings *settings = &start->settings;
	char path[SYSROOT_PATH_MAX], when[32];
	struct tm calendar;
	int r;

	if (!settings->foreign)
		return 0;
	settings_vm_path(start->vmid, path);
	if (*settings->vm.uuid)
		r = finding_add(findings, CHECK_SETTINGS_FOREIGN, path,
				"It was written for a VM %u with the UUID %s, and this one has "
				"another.",
				start->vmid, settings->vm.uuid);
	else if (settings->vm.ctime > 0)
		r = finding_add(findings, CHECK_SETTINGS_FOREIGN, path,
				"It was written for a VM %u that was created at another time than "
				"this one.",
				start->vmid);
	else if (localtime_r(&settings->written, &calendar) &&
		 strftime(when, sizeof(when), "%Y-%m-%d %H:%M", &calendar) > 0)
		r = finding_add(findings, CHECK_SETTINGS_FOREIGN, path,
				"It was last written at %s, before this VM %u was created.", when,
				start->vmid);
	else
		r = finding_add(findings, CHECK_SETTINGS_FOREIGN, path,
				"It was written before this VM %u was created.", start->vmid);
	return r < 0 ? error_set_memory(err) : 0;
}
