/* SPDX-License-Identifier: GPL-2.0-or-later */
/* record: what is recorded of Proxmox VE: configurations, processes, the hook. */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/array.h"
#include "base/number.h"
#include "pve/copies.h"
#include "pve/snippets.h"
#include "record/sys.h"

#define HOOK_MAX ((size_t)64 << 20)

/* A disk that is what is built on one that could be passed; not its name by-id, a serial number. */
static bool keep_disk(char *line)
{
	char *value = strstr(line, ": /dev/");

	if (*line == '#' || !value || text_starts_with(value, ": /dev/disk/"))
		return false;
	value[strcspn(value, ",")] = '\0';
	return true;
}

/* The keys that matter here, in the main section alone: see page.c. */
static bool keep_setting(char *line)
{
	static const char *const keys[] = {
		"args",	   "balloon",	"bios",	   "boot",     "cores",	  "cpu",    "hookscript",
		"hostpci", "hugepages", "machine", "memory",   "numa",	  "onboot", "ostype",
		"sockets", "template",	"vga",	   "efidisk0", "startup", "lock",   "vmstate"
	};
	size_t key = strcspn(line, ":");
	const char *uuid;

	/* Of its serial numbers nothing; but pins and settings are this VM's by its UUID. */
	if (text_starts_with(line, "smbios1:")) {
		uuid = strstr(line, "uuid=");
		if (!uuid)
			return false;
		memmove(line + strlen("smbios1: "), uuid, strlen(uuid) + 1);
		line[strlen("smbios1: ") + strcspn(line + strlen("smbios1: "), ",")] = '\0';
		return true;
	}
	while (key > 0 && line[key - 1] >= '0' && line[key - 1] <= '9')
		key--;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		size_t size = strlen(keys[i]);

		if (strncmp(line, keys[i], size) == 0 &&
		    (key == size || line[size] == ':' || line[size] == ' '))
			return true;
	}
	/* What is behind a header counts for nothing, and must not count in its place. */
	return *line == '[' || keep_disk(line);
}

static bool keep_storage(char *line)
{
	static const char *const keys[] = { "path ", "content", "nodes ", "disable", "vgname " };

	if (*line != ' ' && *line != '\t')
		return true;
	line += strspn(line, " \t");
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (text_starts_with(line, keys[i]))
			return true;
	return false;
}

static bool keep_job(char *line)
{
	static const char *const keys[] = { "vmid ", "all ", "exclude ", "pool ", "enabled " };
	const char *at = line + strspn(line, " \t");

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (at > line && text_starts_with(at, keys[i]))
			return true;
	return !*at || text_starts_with(line, "vzdump:");
}

/* Of the three files of high availability: who, and where it may be. */
static bool keep_ha(char *line)
{
	static const char *const keys[] = { "group ",	  "state ",  "nodes ", "restricted ",
					    "resources ", "strict ", "disable" };
	const char *at = line + strspn(line, " \t");

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (at > line && text_starts_with(at, keys[i]))
			return true;
	return !*at || text_starts_with(line, "vm:") || text_starts_with(line, "ct:") ||
	       text_starts_with(line, "group:") || text_starts_with(line, "node-affinity:");
}

/* What a shutdown of the node does with the guests of high availability. */
static bool keep_policy(char *line)
{
	return text_starts_with(line, "ha:");
}

/* Of users nothing; which VMs are in a pool, without its comment. */
static bool keep_pool(char *line)
{
	char *comment = strchr(line + strcspn(line, ":") + (*line != '\0'), ':');
	char *end = comment ? strchr(comment + 1, ':') : NULL;

	if (!text_starts_with(line, "pool:") || !end)
		return false;
	memmove(comment + 1, end, strlen(end) + 1);
	return true;
}

static bool keep_mapping(char *line)
{
	return !text_starts_with(line + strspn(line, " \t"), "description");
}

static bool keep_container(char *line)
{
	return text_starts_with(line, "dev") || text_starts_with(line, "lxc.cgroup") ||
	       text_starts_with(line, "lxc.mount.entry") || keep_disk(line);
}

/* Hooks differ or they do not, and have a version; their bytes are not needed for that. */
static void record_hook(struct recorder *recorder, const char *path)
{
	cleanup_free char *own = NULL, *installed = NULL, *text = NULL;
	char version[VERSION_MAX] = "";
	cleanup_close int fd = sysroot_openat(recorder->root, path, O_RDONLY | O_NONBLOCK);
	size_t own_size, size;
	struct stat status;
	bool same;

	if (fd < 0 || fstat(fd, &status) < 0 ||
	    sysroot_read(recorder->root, path, HOOK_MAX, &own, &own_size) < 0)
		return;
	same = sysroot_read(recorder->root, &HOOK_PATH[1], HOOK_MAX, &installed, &size) == 0 &&
	       size == own_size && memcmp(own, installed, size) == 0;
	if (hook_version_find(own, own_size, version))
		text = text_format("\177ELF %s %s " VERSION_MARK "%s", HOOK_NAME,
				   same ? "installed" : "another", version);
	else
		text = strdup(same ? "hook" : "another");
	if (text)
		recorder_bytes(recorder, path, text, strlen(text) + 1, status.st_mode & 0777);
}

static void record_hooks(struct recorder *recorder, const struct pve_node *node)
{
	cleanup_snippet_stores struct snippet_stores stores = { 0 };

	record_hook(recorder, &HOOK_PATH[1]);
	if (snippet_stores_read(recorder->root, node->name, &stores, NULL) < 0)
		return;
	for (size_t i = 0; i < stores.count; i++) {
		cleanup_free char *path =
			text_format("%s/pve-vfio-hook", stores.items[i].folder + 1);

		if (path)
			record_hook(recorder, path);
	}
}

/* Whether it is there matters; an option ROM is its maker's, and is left at home. */
static void record_roms(struct recorder *recorder, const struct pve_node *node)
{
	static const unsigned char nothing[512];

	for (size_t i = 0; i < node->vm_count; i++)
		for (unsigned k = 0; k < HOSTPCI_COUNT; k++) {
			const struct vm_hostpci *line = &node->vms[i].config.hostpci[k];
			cleanup_free char *path = NULL;

			if (!line->present || !line->hostpci.romfile ||
			    strstr(line->hostpci.romfile, ".."))
				continue;
			path = text_format("usr/share/kvm/%s", line->hostpci.romfile);
			if (path && sysroot_exists(recorder->root, path))
				recorder_bytes(recorder, path, nothing, sizeof(nothing), 0644);
		}
}

/* Which nodes there are: high availability may start a VM on any. */
static void record_node_names(struct recorder *recorder)
{
	cleanup_strings struct strings names = { 0 };

	(void)sysroot_list(recorder->root, "etc/pve/nodes", &names);
	for (size_t i = 0; i < names.count; i++) {
		cleanup_free char *path = text_format("etc/pve/nodes/%s", names.items[i]);

		if (path)
			recorder_folder(recorder, path, 0755);
	}
}

void recorder_pve(struct recorder *recorder, const struct pve_node *node)
{
	record_node_names(recorder);
	recorder_files(recorder, "etc/pve/qemu-server", keep_setting);
	recorder_lines(recorder, "etc/pve/storage.cfg", keep_storage);
	recorder_lines(recorder, "etc/pve/jobs.cfg", keep_job);
	recorder_lines(recorder, "etc/pve/ha/resources.cfg", keep_ha);
	recorder_lines(recorder, "etc/pve/ha/groups.cfg", keep_ha);
	recorder_lines(recorder, "etc/pve/ha/rules.cfg", keep_ha);
	recorder_lines(recorder, "etc/pve/datacenter.cfg", keep_policy);
	recorder_lines(recorder, "etc/pve/user.cfg", keep_pool);
	recorder_lines(recorder, "etc/pve/mapping/pci.cfg", keep_mapping);
	recorder_files(recorder, "etc/pve/pve-vfio", NULL);
	recorder_files(recorder, "etc/pve/lxc", keep_container);
	recorder_file(recorder, "etc/pve-vfio/config.json");
	recorder_file(recorder, "run/qemu-server/pci-id-reservations");
	recorder_folder(recorder, "run/qemu-server", 0755);
	if (sysroot_exists(recorder->root, "run/pve-vfio")) {
		recorder_folder(recorder, "run/pve-vfio", 0700);
		recorder_files(recorder, "run/pve-vfio", NULL);
	}
	record_hooks(recorder, node);
	record_roms(recorder, node);
}

/* ---- processes */

static bool is_of_interest(const char *target)
{
	return text_starts_with(target, "/dev/vfio/") || text_starts_with(target, "/dev/dri/") ||
	       text_starts_with(target, "/dev/nvidia");
}

/* Its descriptors of devices; true where there is one. */
static bool record_descriptors(struct recorder *recorder, const char *pid)
{
	cleanup_strings struct strings names = { 0 };
	cleanup_free char *folder = text_format("proc/%s/fd", pid);
	cleanup_close int fds = -1;
	bool any = false;

	if (!folder || sysroot_list(recorder->root, folder, &names) < 0)
		return false;
	fds = sysroot_openat(recorder->root, folder, O_PATH | O_DIRECTORY);
	for (size_t i = 0; i < names.count && fds >= 0; i++) {
		char target[PATH_MAX];
		ssize_t size = readlinkat(fds, names.items[i], target, sizeof(target) - 1);
		cleanup_free char *path = text_format("%s/%s", folder, names.items[i]);

		target[size < 0 ? 0 : size] = '\0';
		if (!path || !is_of_interest(target))
			continue;
		recorder_link(recorder, path, NULL);
		any = true;
	}
	return any;
}

/* Of a command line, which may hold passwords, what tells whose process it is. */
static void record_command(struct recorder *recorder, const struct node_vm *vm)
{
	char path[SYSROOT_PATH_MAX], line[256];
	int size = snprintf(line, sizeof(line), "kvm%c-pidfile%c/var/run/qemu-server/%u.pid%c", 0,
			    0, vm->vmid, 0);

	snprintf(path, sizeof(path), "proc/%d/cmdline", (int)vm->qemu.pid);
	recorder_bytes(recorder, path, line, (size_t)size, 0644);
	snprintf(path, sizeof(path), "proc/%d/stat", (int)vm->qemu.pid);
	snprintf(line, sizeof(line),
		 "%d (kvm) S 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 %ju 23\n",
		 (int)vm->qemu.pid, (uintmax_t)vm->qemu.start_time);
	recorder_text(recorder, path, line);
	snprintf(path, sizeof(path), "run/qemu-server/%u.pid", vm->vmid);
	recorder_file(recorder, path);
}

void recorder_processes(struct recorder *recorder, const struct pve_node *node)
{
	cleanup_strings struct strings names = { 0 };

	(void)sysroot_list(recorder->root, "proc", &names);
	for (size_t i = 0; i < names.count; i++) {
		cleanup_free char *command = text_format("proc/%s/comm", names.items[i]);
		cleanup_free char *groups = text_format("proc/%s/cgroup", names.items[i]);
		uint32_t pid;

		if (command && groups && parse_u32(names.items[i], &pid) == 0 &&
		    record_descriptors(recorder, names.items[i])) {
			recorder_file(recorder, command);
			recorder_file(recorder, groups);
		}
	}
	recorder_folder(recorder, "proc/1/fd", 0755);
	for (size_t i = 0; i < node->vm_count; i++)
		if (node->vms[i].qemu.pid)
			record_command(recorder, &node->vms[i]);
}
