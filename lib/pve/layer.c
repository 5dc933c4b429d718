/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pve: who is to use what is built on a disk. Opens no device. */
#include "pve/layer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "pve/config.h"
#include "use/stack.h"

#define STORAGES   "etc/pve/storage.cfg"
#define CONFIG_MAX ((size_t)1 << 20)

static int read_file(const struct sysroot *root, const char *path, char **ret, struct error *err)
{
	size_t size;
	int r = sysroot_read(root, path, CONFIG_MAX, ret, &size);

	if (r == -ENOENT)
		return 0;
	return r < 0 ? error_set(err, r, "cannot read /%s: %s", path, strerror(-r)) : 0;
}

static int add_owner(struct strings *owners, char *owner)
{
	int r = owner ? 0 : -ENOMEM;

	if (owner && !strings_has(owners, owner))
		r = strings_add(owners, owner);
	free(owner);
	return r;
}

/* ---- storages */

/* One section of storage.cfg, as far as it matters. */
struct section {
	char *name;
	bool lvm, elsewhere;
	bool named; /* its volume group is one of those */
};

/* A list of nodes has commas between. */
static bool has_node(const char *list, const char *node)
{
	size_t length = strlen(node);

	for (const char *at = list; *at; at += strcspn(at, ","), at += *at == ',')
		if (strcspn(at, ",") == length && strncmp(at, node, length) == 0)
			return true;
	return false;
}

static int end_section(struct section *section, struct strings *owners)
{
	int r = 0;

	if (section->name && section->lvm && section->named && !section->elsewhere)
		r = add_owner(owners, text_format("storage '%s'", section->name));
	free(section->name);
	*section = (struct section){ 0 };
	return r;
}

static bool has_group(const struct blocks *blocks, const char *name)
{
	for (size_t i = 0; i < blocks->count; i++) {
		cleanup_free char *group = stack_group(&blocks->items[i]);

		if (text_equal(group, name))
			return true;
	}
	return false;
}

/* "lvmthin: fast" begins a section, whose lines are indented: SectionConfig.pm in pve-common. */
static int read_storages(char *text, const char *node, const struct blocks *blocks,
			 struct strings *owners)
{
	struct section section = { 0 };
	char *rest = text, *line;
	int r = 0, ended;

	while (r == 0 && (line = strsep(&rest, "\n"))) {
		char *key = line + strspn(line, " \t"), *value = key + strcspn(key, " \t");

		if (*value)
			*value++ = '\0';
		value += strspn(value, " \t");
		value[strcspn(value, " \t\r")] = '\0';
		if (key == line) {
			r = end_section(&section, owners);
			section.lvm = strcmp(key, "lvm:") == 0 || strcmp(key, "lvmthin:") == 0;
			section.name = strdup(value);
			if (!section.name)
				r = -ENOMEM;
		} else if (strcmp(key, "nodes") == 0) {
			section.elsewhere = !has_node(value, node);
		} else if (strcmp(key, "vgname") == 0) {
			section.named |= has_group(blocks, value);
		}
	}
	ended = end_section(&section, owners);
	return r < 0 ? r : ended;
}

/* ---- configurations of VMs and containers */

/* By whatever link it is named. A tree has no device nodes. */
static bool has_number(const struct sysroot *root, const char *path, const char *number)
{
	cleanup_close int fd = sysroot_openat(root, path + 1, O_PATH);
	struct stat status;
	char text[32];

	if (fd < 0 || fstat(fd, &status) < 0 || !S_ISBLK(status.st_mode))
		return false;
	snprintf(text, sizeof(text), "%u:%u", major(status.st_rdev), minor(status.st_rdev));
	return text_equal(text, number);
}

/* "/dev/data/vol" is the name that LVM gives to /dev/mapper/data-vol, with the dashes doubled there. */
static bool is_volume_path(const char *path, const char *mapper)
{
	cleanup_text struct text name = { 0 };

	text_add(&name, "/dev/mapper/");
	for (const char *at = path + strlen("/dev/"); *at; at++)
		text_add(&name, "%s%c", *at == '-' ? "-" : "", *at == '/' ? '-' : *at);
	return !name.failed && strcmp(name.data, mapper) == 0;
}

static bool names_layer(const struct sysroot *root, const char *path, const struct blocks *blocks)
{
	for (size_t i = 0; i < blocks->count; i++) {
		const struct block *block = &blocks->items[i];

		if (!block->base)
			continue;
		if (strcmp(path, block->node) == 0 ||
		    (block->mapper &&
		     (strcmp(path, block->mapper) == 0 || is_volume_path(path, block->mapper))) ||
		    has_number(root, path, block->number))
			return true;
	}
	return false;
}

/* Every path below /dev in the text, wherever it is. */
static bool text_names_layer(const struct sysroot *root, char *text, const struct blocks *blocks)
{
	for (char *at = text; (at = strstr(at, "/dev/"));) {
		size_t size = strcspn(at, " \t\r\n,;:'\"");
		char end = at[size];
		bool named;

		at[size] = '\0';
		named = names_layer(root, at, blocks);
		at[size] = end;
		if (named)
			return true;
		at += size;
	}
	return false;
}

static int read_guests(const struct sysroot *root, const char *folder, const char *kind,
		       const struct blocks *blocks, struct strings *owners, struct error *err)
{
	cleanup_strings struct strings names = { 0 };
	int r = sysroot_list(root, folder, &names);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return error_set(err, r, "cannot read /%s: %s", folder, strerror(-r));
	for (size_t i = 0; r == 0 && i < names.count; i++) {
		cleanup_free char *path = text_format("%s/%s", folder, names.items[i]);
		cleanup_free char *text = NULL;
		uint32_t vmid;

		if (!path)
			return error_set_memory(err);
		if (!vm_config_vmid(names.items[i], &vmid))
			continue;
		r = read_file(root, path, &text, err);
		if (r == 0 && text && text_names_layer(root, text, blocks) &&
		    add_owner(owners, text_format("%s %u", kind, vmid)) < 0)
			r = error_set_memory(err);
	}
	return r;
}

int layer_owners(const struct sysroot *root, const char *node, const struct blocks *blocks,
		 struct strings *owners, struct error *err)
{
	cleanup_free char *storages = NULL;
	int r = read_file(root, STORAGES, &storages, err);

	if (r == 0 && storages && read_storages(storages, node, blocks, owners) < 0)
		r = error_set_memory(err);
	if (r == 0)
		r = read_guests(root, "etc/pve/qemu-server", "VM", blocks, owners, err);
	return r < 0 ? r : read_guests(root, "etc/pve/lxc", "container", blocks, owners, err);
}
