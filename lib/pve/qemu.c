/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pve: the QEMU process of a VM. Sends it nothing. */
#include "pve/qemu.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"

/* Longer than any QEMU command line PVE makes; the kernel's own limit is a part of the stack. */
#define COMMAND_LINE_MAX ((size_t)2 << 20)

/* PVE writes /var/run, which is a link to /run. */
static bool has_pidfile(const char *arguments, size_t size, uint32_t vmid)
{
	char wanted[64];
	bool follows = false;

	snprintf(wanted, sizeof(wanted), "/run/qemu-server/%u.pid", vmid);
	for (size_t at = 0; at < size; at += strlen(arguments + at) + 1) {
		const char *argument = arguments + at;

		if (follows &&
		    strcmp(argument + (text_starts_with(argument, "/var") ? 4 : 0), wanted) == 0)
			return true;
		follows = strcmp(argument, "-pidfile") == 0;
	}
	return false;
}

int qemu_find(const struct sysroot *root, uint32_t vmid, struct task *ret, struct error *err)
{
	cleanup_free char *text = NULL, *arguments = NULL;
	struct task qemu = { 0 };
	char path[SYSROOT_PATH_MAX];
	uint32_t pid;
	size_t size;
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

	snprintf(path, sizeof(path), "proc/%u/cmdline", pid);
	r = sysroot_read(root, path, COMMAND_LINE_MAX, &arguments, &size);
	if (r == -ENOENT || r == -ESRCH)
		return 0;
	if (r < 0)
		return error_set(err, r, "cannot read /%s: %s", path, strerror(-r));
	if (!has_pidfile(arguments, size, vmid))
		return 0;
	r = task_read(root, (pid_t)pid, &qemu);
	if (r == -ENOENT || r == -ESRCH)
		return 0;
	if (r < 0)
		return error_set(err, r, "cannot read /proc/%u/stat: %s", pid, strerror(-r));
	*ret = qemu;
	return 0;
}
