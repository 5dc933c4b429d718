/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests: a tree in a temporary folder that stands for a machine's "/", built piece by piece.
 * Nothing here asserts with cmocka, so that it can be used in children: what cannot be built ends
 * the process.
 */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/sysroot.h"

struct tree {
	char path[64];
	struct sysroot root;
};

/* A function of PCI. What is 0 or NULL gets a plain value, or is not there. */
struct tree_device {
	const char *address;
	unsigned vendor, device; /* 8086:10d3 */
	unsigned class_code;	 /* 020000 */
	const char *driver;
	const char *module; /* of the driver; "" : built in */
	const char *override;
	int group; /* 0: in none */
	bool bridge;
	bool no_config;
};

_Noreturn static inline void tree_broken(const char *what, const char *path)
{
	fprintf(stderr, "the test cannot build its tree: %s '%s': %s\n", what, path,
		strerror(errno));
	abort();
}

/* Writes into a buffer of PATH_MAX. */
__attribute__((format(printf, 2, 3))) static inline void tree_format(char *buffer,
								     const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	if (vsnprintf(buffer, PATH_MAX, format, arguments) >= PATH_MAX)
		tree_broken("format", format);
	va_end(arguments);
}

static inline void tree_path(const struct tree *tree, const char *path, char full[PATH_MAX])
{
	tree_format(full, "%s/%s", tree->path, path);
}

/* Makes a folder with those above it. */
static inline void tree_folder(const struct tree *tree, const char *path)
{
	char full[PATH_MAX];

	tree_path(tree, path, full);
	for (char *at = full + strlen(tree->path) + 1; at; at++) {
		at = strchr(at, '/');
		if (at)
			*at = '\0';
		if (mkdir(full, 0755) < 0 && errno != EEXIST)
			tree_broken("mkdir", full);
		if (!at)
			break;
		*at = '/';
	}
}

static inline void tree_folder_of(const struct tree *tree, const char *path)
{
	char folder[PATH_MAX];
	char *slash;

	tree_format(folder, "%s", path);
	slash = strrchr(folder, '/');
	if (!slash)
		return;
	*slash = '\0';
	tree_folder(tree, folder);
}

static inline void tree_bytes(const struct tree *tree, const char *path, const void *data,
			      size_t size)
{
	char full[PATH_MAX];
	int fd;

	tree_folder_of(tree, path);
	tree_path(tree, path, full);
	fd = open(full, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		tree_broken("write", full);
	close(fd);
}

__attribute__((format(printf, 3, 4))) static inline void tree_file(const struct tree *tree,
								   const char *path,
								   const char *format, ...)
{
	va_list arguments;
	char *content;
	int size;

	va_start(arguments, format);
	size = vasprintf(&content, format, arguments);
	va_end(arguments);
	if (size < 0)
		tree_broken("format", path);
	tree_bytes(tree, path, content, (size_t)size);
	free(content);
}

/* A symbolic link, in place of one that may be there. */
static inline void tree_link(const struct tree *tree, const char *path, const char *target)
{
	char full[PATH_MAX];

	tree_folder_of(tree, path);
	tree_path(tree, path, full);
	if ((unlink(full) < 0 && errno != ENOENT) || symlink(target, full) < 0)
		tree_broken("symlink", full);
}

static inline bool tree_has(const struct tree *tree, const char *path)
{
	struct stat status;
	char full[PATH_MAX];

	tree_path(tree, path, full);
	return lstat(full, &status) == 0;
}

/* The content with a NUL behind it, for the caller to free; NULL where there is no such file. */
static inline char *tree_read(const struct tree *tree, const char *path)
{
	char full[PATH_MAX];
	char *content;
	size_t size;
	FILE *file;

	tree_path(tree, path, full);
	file = fopen(full, "re");
	if (!file)
		return NULL;
	content = calloc(1, 1024 * 1024);
	if (!content)
		tree_broken("read", full);
	size = fread(content, 1, 1024 * 1024 - 1, file);
	content[size] = '\0';
	fclose(file);
	return content;
}

static inline int tree_remove_one(const char *path, const struct stat *status, int type,
				  struct FTW *where)
{
	(void)status, (void)type, (void)where;
	return remove(path);
}

/* Removes a file, or a folder with what is in it; it may not be there. */
static inline void tree_remove(const struct tree *tree, const char *path)
{
	char full[PATH_MAX];

	tree_path(tree, path, full);
	nftw(full, tree_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static inline void tree_make(struct tree *tree)
{
	struct error err = { 0 };

	*tree = (struct tree){ .root = { .fd = -1 } };
	snprintf(tree->path, sizeof(tree->path), "/tmp/pve-vfio-test-XXXXXX");
	if (!mkdtemp(tree->path))
		tree_broken("mkdtemp", tree->path);
	if (sysroot_open(tree->path, &tree->root, &err) < 0)
		tree_broken("open", tree->path);
}

static inline void tree_done(struct tree *tree)
{
	sysroot_done(&tree->root);
	nftw(tree->path, tree_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* For cmocka: `*state` is a struct tree. */
/* What does not open: set by tree_refuse(). */
static struct {
	const char *path;
	unsigned from;
	int result;
} tree_refused;

static inline int tree_refuse_open(const struct sysroot *root, const char *path)
{
	(void)root;
	if (!tree_refused.path || strcmp(path, tree_refused.path) != 0)
		return 0;
	if (tree_refused.from <= 1)
		return tree_refused.result;
	tree_refused.from--;
	return 0;
}

/* From the `from`th time on (1: the next) that path does not open; NULL: each opens again. */
static inline void tree_refuse(struct tree *tree, const char *path, unsigned from, int result)
{
	tree_refused.path = path;
	tree_refused.from = from;
	tree_refused.result = result;
	tree->root.fake_open = tree_refuse_open;
}

static inline int tree_setup(void **state)
{
	struct tree *tree = malloc(sizeof(*tree));

	if (!tree)
		return -1;
	tree_make(tree);
	*state = tree;
	return 0;
}

static inline int tree_teardown(void **state)
{
	tree_done(*state);
	free(*state);
	return 0;
}

#define tree_test(function) cmocka_unit_test_setup_teardown(function, tree_setup, tree_teardown)

/* ---- machines */

#define TREE_BOOT_ID "11111111-2222-3333-4444-555555555555"

static inline void tree_boot(const struct tree *tree, const char *boot_id)
{
	tree_file(tree, "proc/sys/kernel/random/boot_id", "%s\n", boot_id);
}

static inline void tree_config(const struct tree *tree, unsigned vmid, const char *content)
{
	char path[PATH_MAX];

	tree_format(path, "etc/pve/qemu-server/%u.conf", vmid);
	tree_file(tree, path, "%s", content);
}

static inline void tree_attribute(const struct tree *tree, const char *address, const char *name,
				  const char *value)
{
	char path[PATH_MAX];

	tree_format(path, "sys/devices/pci0000:00/%s/%s", address, name);
	tree_file(tree, path, "%s\n", value);
}

/* The driver's folder, with a module unless that is "". */
static inline void tree_driver(const struct tree *tree, const char *driver, const char *module)
{
	char path[PATH_MAX], target[PATH_MAX];

	tree_format(path, "sys/bus/pci/drivers/%s/unbind", driver);
	tree_bytes(tree, path, "", 0);
	if (!*module)
		return;
	tree_format(target, "../../../../module/%s", module);
	tree_format(path, "sys/bus/pci/drivers/%s/module", driver);
	tree_link(tree, path, target);
	tree_format(path, "sys/module/%s", module);
	tree_folder(tree, path);
}

/* Links a device and its driver with each other, as sysfs does. */
static inline void tree_bind(const struct tree *tree, const char *address, const char *driver)
{
	char path[PATH_MAX], target[PATH_MAX];

	tree_format(path, "sys/devices/pci0000:00/%s/driver", address);
	tree_format(target, "../../../bus/pci/drivers/%s", driver);
	tree_link(tree, path, target);
	tree_format(path, "sys/bus/pci/drivers/%s/%s", driver, address);
	tree_format(target, "../../../../devices/pci0000:00/%s", address);
	tree_link(tree, path, target);
}

static inline void tree_group(const struct tree *tree, const char *address, int group)
{
	char path[PATH_MAX], target[PATH_MAX];

	tree_format(path, "sys/kernel/iommu_groups/%d/devices/%s", group, address);
	tree_format(target, "../../../../devices/pci0000:00/%s", address);
	tree_link(tree, path, target);
	tree_format(path, "sys/devices/pci0000:00/%s/iommu_group", address);
	tree_format(target, "../../../kernel/iommu_groups/%d", group);
	tree_link(tree, path, target);
}

static inline void tree_add_device(const struct tree *tree, const struct tree_device *device)
{
	unsigned char header[64] = { 0 };
	char path[PATH_MAX], target[PATH_MAX], value[16];

	snprintf(value, sizeof(value), "0x%04x", device->vendor ? device->vendor : 0x8086);
	tree_attribute(tree, device->address, "vendor", value);
	snprintf(value, sizeof(value), "0x%04x", device->device ? device->device : 0x10d3);
	tree_attribute(tree, device->address, "device", value);
	snprintf(value, sizeof(value), "0x%06x",
		 device->class_code ? device->class_code : (device->bridge ? 0x060400 : 0x020000));
	tree_attribute(tree, device->address, "class", value);
	tree_attribute(tree, device->address, "driver_override",
		       device->override ? device->override : "(null)");
	header[0x0e] = device->bridge ? 1 : 0;
	tree_format(path, "sys/devices/pci0000:00/%s/config", device->address);
	if (!device->no_config)
		tree_bytes(tree, path, header, sizeof(header));

	tree_format(path, "sys/bus/pci/devices/%s", device->address);
	tree_format(target, "../../../devices/pci0000:00/%s", device->address);
	tree_link(tree, path, target);
	if (device->driver) {
		tree_driver(tree, device->driver, device->module ? device->module : device->driver);
		tree_bind(tree, device->address, device->driver);
	}
	if (device->group)
		tree_group(tree, device->address, device->group);
}

/*
 * A process with its name, started 100000 + pid ticks after boot; for a `vmid` other than 0 with
 * QEMU's command line and pid file.
 */
static inline void tree_process(const struct tree *tree, int pid, const char *name, unsigned vmid)
{
	char path[PATH_MAX], line[256];
	int size;

	tree_format(path, "proc/%d/comm", pid);
	tree_file(tree, path, "%s\n", name);
	tree_format(path, "proc/%d/stat", pid);
	tree_file(tree, path,
		  "%d (%s) S 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 %d 23 24\n", pid, name,
		  100000 + pid);
	tree_format(path, "proc/%d/fd", pid);
	tree_folder(tree, path);
	size = vmid ? snprintf(line, sizeof(line),
			       "/usr/bin/kvm%c-id%c%u%c-pidfile%c/var/run/qemu-server/%u.pid%c-S",
			       0, 0, vmid, 0, 0, vmid, 0)
		    : snprintf(line, sizeof(line), "%s", name);
	tree_format(path, "proc/%d/cmdline", pid);
	tree_bytes(tree, path, line, (size_t)size + 1);
	if (!vmid)
		return;
	tree_format(path, "run/qemu-server/%u.pid", vmid);
	tree_file(tree, path, "%d\n", pid);
}

/* The process has `target` open as descriptor `number`. */
static inline void tree_process_opens(const struct tree *tree, int pid, int number,
				      const char *target)
{
	char path[PATH_MAX];

	tree_format(path, "proc/%d/fd/%d", pid, number);
	tree_link(tree, path, target);
}

/* A process of that control group that has a node open. */
static inline void tree_member_opens(const struct tree *tree, int pid, const char *name,
				     const char *cgroup, const char *node)
{
	char path[PATH_MAX];

	tree_process(tree, pid, name, 0);
	tree_format(path, "proc/%d/cgroup", pid);
	tree_file(tree, path, "%s\n", cgroup);
	tree_process_opens(tree, pid, 3, node);
}
