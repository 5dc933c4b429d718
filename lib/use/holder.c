/* SPDX-License-Identifier: GPL-2.0-or-later */
/* use: who a process is. Ends nobody. */
#include "use/holder.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/number.h"
#include "host/unit.h"

/* Longer than any QEMU command line PVE makes; the kernel's own limit is a part of the stack. */
#define COMMAND_LINE_MAX ((size_t)2 << 20)

#define PIDFILE		 "/run/qemu-server/"

/* Who takes part in running the node, or guards it, is not stopped for a VM. */
static const char *const never_stopped[] = {
	"systemd-", "pve", "pmxcfs", "qmeventd", "corosync",   "watchdog",
	"lxc",	    "zfs", "ceph",   "dbus",	 "multipathd", "udev",
};

#define SESSIONS "user@" /* all services of a user */

/* "… /var/run/qemu-server/101.pid": PVE writes /var/run, which is a link to /run. */
static uint32_t vm_of_pidfile(const char *path)
{
	const char *number = path + (text_starts_with(path, "/var") ? strlen("/var") : 0);
	uint64_t vmid;
	size_t size;

	if (!text_starts_with(number, PIDFILE))
		return 0;
	number += strlen(PIDFILE);
	size = strcspn(number, ".");
	if (*number == '0' || strcmp(number + size, ".pid") != 0 ||
	    parse_number(number, size, 10, UINT32_MAX, &vmid) < 0)
		return 0;
	return (uint32_t)vmid;
}

int holder_vm(const struct sysroot *root, pid_t pid, uint32_t *ret_vmid)
{
	cleanup_free char *arguments = NULL;
	char path[SYSROOT_PATH_MAX];
	bool follows = false;
	size_t size;
	int r;

	*ret_vmid = 0;
	snprintf(path, sizeof(path), "proc/%d/cmdline", (int)pid);
	r = sysroot_read(root, path, COMMAND_LINE_MAX, &arguments, &size);
	if (r < 0)
		return r;
	for (size_t at = 0; at < size; at += strlen(arguments + at) + 1) {
		if (follows && (*ret_vmid = vm_of_pidfile(arguments + at)))
			return 0;
		follows = strcmp(arguments + at, "-pidfile") == 0;
	}
	return 0;
}

/* The number behind `place` in a control group's path, up to `end` or the path's; or 0. */
static uint32_t number_after(const char *groups, const char *place, const char *end)
{
	for (const char *at = groups; (at = strstr(at, place));) {
		size_t digits;
		uint64_t number;

		at += strlen(place);
		digits = strspn(at, "0123456789");
		if (parse_number(at, digits, 10, UINT32_MAX, &number) < 0)
			continue;
		if (*end ? text_starts_with(at + digits, end)
			 : at[digits] == '/' || isspace((unsigned char)at[digits]) || !at[digits])
			return (uint32_t)number;
	}
	return 0;
}

/* The places of a container's processes, of LXC 4 and before it: lxc.cgroup.dir, PVE::LXC. */
static uint32_t container_of(const char *groups)
{
	static const char *const places[] = { "/lxc/", "/lxc.payload.", "/lxc.payload/",
					      "/lxc.monitor/", "/lxc.monitor." };
	uint32_t vmid = 0;

	for (size_t i = 0; i < ARRAY_SIZE(places) && !vmid; i++)
		vmid = number_after(groups, places[i], "");
	return vmid ? vmid : number_after(groups, "/pve-container@", ".service");
}

int holder_read(const struct sysroot *root, pid_t pid, struct holder *ret)
{
	struct holder holder = { .kind = HOLDER_PROCESS, .pid = pid };
	cleanup_free char *command = NULL, *groups = NULL;
	char path[SYSROOT_PATH_MAX];

	snprintf(path, sizeof(path), "proc/%d/comm", (int)pid);
	if (sysroot_read_attribute(root, path, &command) == 0)
		snprintf(holder.command, sizeof(holder.command), "%s", command);
	snprintf(path, sizeof(path), "proc/%d/cgroup", (int)pid);
	if (sysroot_read_attribute(root, path, &groups) == 0) {
		holder.vmid = number_after(groups, "/qemu.slice/", ".scope");
		if (holder.vmid)
			holder.kind = HOLDER_VM;
		else if ((holder.vmid = container_of(groups)))
			holder.kind = HOLDER_CONTAINER;
		else if ((holder.unit = unit_of_process(root, pid)))
			holder.kind = HOLDER_UNIT;
	}
	if (holder.kind == HOLDER_CONTAINER) {
		holder.unit = text_format("pve-container@%u.service", holder.vmid);
		if (!holder.unit)
			return -ENOMEM;
	} else if (!holder.vmid && holder_vm(root, pid, &holder.vmid) == 0 && holder.vmid) {
		holder.kind = HOLDER_VM;
		free(TAKE_PTR(holder.unit));
	}
	*ret = holder;
	return 0;
}

bool holder_only_looks(const struct holder *holder)
{
	return strcmp(holder->command, "systemd-udevd") == 0 ||
	       strcmp(holder->command, "(udev-worker)") == 0;
}

char *holder_words(const struct holder *holder)
{
	if (holder->kind == HOLDER_VM)
		return text_format("VM %u (process %d)", holder->vmid, (int)holder->pid);
	if (holder->kind == HOLDER_CONTAINER)
		return text_format("container %u (process %d, %s)", holder->vmid, (int)holder->pid,
				   holder->command);
	if (holder->kind == HOLDER_UNIT)
		return text_format("process %d (%s) of %s", (int)holder->pid, holder->command,
				   holder->unit);
	return text_format("process %d (%s)", (int)holder->pid, holder->command);
}

/* A unit that can be stopped while the VM runs, and started again. */
static bool is_stoppable(const struct holder *holder)
{
	if (holder->kind != HOLDER_UNIT || !unit_name_is_service(holder->unit) ||
	    text_starts_with(holder->unit, SESSIONS))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(never_stopped); i++)
		if (text_starts_with(holder->unit, never_stopped[i]))
			return false;
	return true;
}

static bool is_same(const struct holder *a, const struct holder *b)
{
	if (a->kind != b->kind)
		return false;
	if (a->kind == HOLDER_VM || a->kind == HOLDER_CONTAINER)
		return a->vmid == b->vmid;
	return is_stoppable(a) ? text_equal(a->unit, b->unit) : a->pid == b->pid;
}

int holders_add(struct holders *holders, const struct holder *holder)
{
	struct holder *added;

	for (size_t i = 0; i < holders->count; i++)
		if (is_same(&holders->items[i], holder))
			return 0;
	if (array_reserve(&holders->items, holders->count, sizeof(*added)) < 0)
		return -ENOMEM;
	added = &holders->items[holders->count];
	*added = *holder;
	added->unit = holder->unit ? strdup(holder->unit) : NULL;
	if (holder->unit && !added->unit)
		return -ENOMEM;
	holders->count++;
	return 0;
}

static void add_sentence(struct text *text, const struct holder *holder)
{
	const char *blank = text->size ? " " : "";

	if (holder->kind == HOLDER_VM)
		text_add(text, "%sShut VM %u down ('qm shutdown %u').", blank, holder->vmid,
			 holder->vmid);
	else if (holder->kind == HOLDER_CONTAINER)
		text_add(text, "%sShut container %u down ('pct shutdown %u').", blank, holder->vmid,
			 holder->vmid);
	else if (holder->unit && unit_name_is_service(holder->unit) &&
		 !text_starts_with(holder->unit, SESSIONS))
		text_add(text, "%sLeave the device with the host, which needs it for %s.", blank,
			 holder->unit);
	else
		text_add(text, "%sEnd process %d (%s).", blank, (int)holder->pid, holder->command);
}

char *holders_remedy(const struct holders *holders, uint32_t vmid)
{
	struct text text = { 0 }, units = { 0 };
	cleanup_free char *list = NULL;

	for (size_t i = 0; i < holders->count; i++) {
		if (is_stoppable(&holders->items[i]))
			text_add(&units, "%s\"%s\"", units.size ? ", " : "",
				 holders->items[i].unit);
		else
			add_sentence(&text, &holders->items[i]);
	}
	list = text_take(&units);
	if (list && *list)
		text_add(&text,
			 "%sHave its service stopped while the VM runs: \"stop_units\": [%s] in "
			 "/etc/pve/pve-vfio/%u.json.",
			 text.size ? " " : "", list, vmid);
	return text_take(&text);
}

void holder_done(struct holder *holder)
{
	free(holder->unit);
	*holder = (struct holder){ 0 };
}

void holders_done(struct holders *holders)
{
	for (size_t i = 0; i < holders->count; i++)
		holder_done(&holders->items[i]);
	free(holders->items);
	*holders = (struct holders){ 0 };
}
