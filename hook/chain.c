/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hook: the hookscript that the settings chain behind this one. Judges nothing of what it does. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/process.h"
#include "hook.h"
#include "pve/storage.h"
#include "settings/settings.h"

/* Set for the other script, so that a chain that leads back here ends. */
#define CHAINED "PVE_VFIO_CHAINED"

/* What check_hookscript() of Proxmox VE dies of (GuestHelpers.pm). */
static int check_script(const char *volume, const char *path, struct error *err)
{
	struct stat status;

	if (stat(path, &status) < 0 || !S_ISREG(status.st_mode))
		return error_set(err, -ENOENT,
				 "script '%s' does not exist ('chain' in the "
				 "settings)",
				 volume);
	if (access(path, X_OK) < 0)
		return error_set(err, -EACCES,
				 "script '%s' is not executable ('chain' in the "
				 "settings)",
				 volume);
	return 0;
}

static int run_script(struct hook *hook, const char *volume, const char *phase, struct error *err)
{
	cleanup_free char *vmid = text_format("%u", hook->vmid), *path = NULL;
	int r, status;

	if (!vmid)
		return error_set_memory(err);
	r = volume_path(volume, &path, err);
	if (r == 0)
		r = check_script(volume, path, err);
	if (r == 0)
		r = process_pass((const char *const[]){ path, vmid, phase, NULL }, CHAINED "=1",
				 &status, err);
	if (r == 0 && status != 0)
		r = error_set(err, -EIO, "hookscript '%s' failed on %s: exit code %d", volume,
			      phase, status);
	return r;
}

/* What cannot be read may say so. */
static bool wants_devices(struct hook *hook)
{
	cleanup_start struct start start = {
		.root = &hook->root,
		.vmid = hook->vmid,
		.config_node = hook->migrated_from,
	};

	return start_read_config(&start, NULL) < 0 || vm_config_names_devices(&start.config);
}

int hook_chain(struct hook *hook, const char *phase, struct error *err)
{
	cleanup_settings struct settings settings = { 0 };
	int r = settings_read(&hook->root, hook->vmid, hook->migrated_from, &settings, err);

	if (r < 0 && !wants_devices(hook)) {
		hook_say(hook, "%s; no hookscript is chained, ignoring", err->message);
		*err = (struct error){ 0 };
		return 0;
	}
	if (r == 0)
		hook_limit(hook, settings.deadline_s);
	if (r < 0 || !settings.chain)
		return r;
	if (getenv(CHAINED))
		return error_set(err, -ELOOP,
				 "the settings of VM %u chain '%s', which is "
				 "pve-vfio-hook itself",
				 hook->vmid, settings.chain);
	if (!hook->root.live)
		return error_set(err, -EOPNOTSUPP, "the hookscript '%s' is not run below --root",
				 settings.chain);
	return run_script(hook, settings.chain, phase, err);
}
