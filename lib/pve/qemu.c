/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pve: the QEMU process of a VM. Sends it nothing. */
#include "pve/qemu.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "use/holder.h"

int qemu_find(const struct sysroot *root, uint32_t vmid, struct task *ret, struct error *err)
{
	cleanup_free char *text = NULL;
	struct task qemu = { 0 };
	char path[SYSROOT_PATH_MAX];
	uint32_t pid, found;
	int r;

	*ret = qemu;
	snprintf(path, sizeof(path), "run/qemu-server/%u.pid", vmid);
	r = sysroot_read_attribute(root, path, &text);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return error_set(err, r, "cannot read /%s: %s", path, strerror(-r));
	if (parse_u32(text, &pid) < 0 || pid == 0)
		return 0;

	r = holder_vm(root, (pid_t)pid, &found);
	if (r == -ENOENT || r == -ESRCH)
		return 0;
	if (r < 0)
		return error_set(err, r, "cannot read /proc/%u/cmdline: %s", pid, strerror(-r));
	if (found != vmid)
		return 0;
	r = task_read(root, (pid_t)pid, &qemu);
	if (r == -ENOENT || r == -ESRCH)
		return 0;
	if (r < 0)
		return error_set(err, r, "cannot read /proc/%u/stat: %s", pid, strerror(-r));
	*ret = qemu;
	return 0;
}
