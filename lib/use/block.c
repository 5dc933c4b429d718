/* SPDX-License-Identifier: GPL-2.0-or-later */
/* use: block devices. Opens none. */
#include "use/block.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/number.h"
#include "use/child.h"

/* The list that grows, and what it is made from. */
struct tower {
	const struct sysroot *root;
	struct strings loops; /* all loop devices there are */
	struct blocks blocks;
};

static void block_done(struct block *block)
{
	free(block->name);
	free(block->title);
	free(block->number);
	free(block->node);
	free(block->mapper);
	free(block->uuid);
	free(block->base);
}

void blocks_done(struct blocks *blocks)
{
	for (size_t i = 0; i < blocks->count; i++)
		block_done(&blocks->items[i]);
	free(blocks->items);
	*blocks = (struct blocks){ 0 };
}

bool block_number(const struct block *block, unsigned *ret_major, unsigned *ret_minor)
{
	size_t size = block->number ? strcspn(block->number, ":") : 0;
	uint64_t major, minor;

	if (size == 0 || !block->number[size] ||
	    parse_number(block->number, size, 10, UINT32_MAX, &major) < 0 ||
	    parse_number(block->number + size + 1, strlen(block->number + size + 1), 10, UINT32_MAX,
			 &minor) < 0)
		return false;
	*ret_major = (unsigned)major;
	*ret_minor = (unsigned)minor;
	return true;
}

static void block_path(char path[SYSROOT_PATH_MAX], const char *name, const char *attribute)
{
	sysroot_path(path, BLOCK_CLASS, name, attribute);
}

/* An attribute that only some block devices have: NULL where it is not there. */
static int read_optional(const struct sysroot *root, const char *name, const char *attribute,
			 char **ret)
{
	char path[SYSROOT_PATH_MAX];
	int r;

	block_path(path, name, attribute);
	r = sysroot_read_attribute(root, path, ret);
	return r == -ENOENT || r == -ENODEV ? 0 : r;
}

/* What dm/uuid begins with tells who made the device: dmsetup(8), "UUID". */
static const char *mapper_kind(const char *uuid)
{
	if (text_starts_with(uuid, "LVM-"))
		return "LVM volume";
	if (text_starts_with(uuid, "CRYPT-"))
		return "encrypted volume";
	if (text_starts_with(uuid, "mpath-"))
		return "multipath device";
	return "device-mapper device";
}

static int set_title(const struct sysroot *root, struct block *block)
{
	cleanup_free char *mapper = NULL;
	char path[SYSROOT_PATH_MAX];
	int r;

	r = read_optional(root, block->name, "dm/name", &mapper);
	if (r == 0)
		r = read_optional(root, block->name, "dm/uuid", &block->uuid);
	if (r < 0)
		return r;
	block_path(path, block->name, "md");
	if (mapper) {
		block->title = text_format("the %s %s", mapper_kind(block->uuid ? block->uuid : ""),
					   mapper);
		block->mapper = text_format("/dev/mapper/%s", mapper);
		if (!block->mapper)
			return -ENOMEM;
	} else if (!block->base) {
		block->title = strdup(block->name);
	} else if (sysroot_exists(root, path)) {
		block->title = text_format("the RAID array %s", block->name);
	} else {
		block->title = text_format("the device %s", block->name);
	}
	return block->title ? 0 : -ENOMEM;
}

/* A '!' in a name of sysfs is a '/' in the node's: device_get_devnode() in drivers/base/core.c. */
static int set_node(struct block *block)
{
	block->node = text_format("/dev/%s", block->name);
	if (!block->node)
		return -ENOMEM;
	for (char *at = block->node; (at = strchr(at, '!'));)
		*at = '/';
	return 0;
}

static int block_read(const struct sysroot *root, const char *name, const char *base,
		      struct block *block)
{
	cleanup_free char *hidden = NULL;
	int r;

	block->name = strdup(name);
	block->base = base ? strdup(base) : NULL;
	if (!block->name || (base && !block->base))
		return -ENOMEM;
	r = set_node(block);
	if (r == 0)
		r = set_title(root, block);
	if (r == 0)
		r = read_optional(root, name, "dev", &block->number);
	if (r == 0)
		r = read_optional(root, name, "hidden", &hidden);
	block->hidden = text_equal(hidden, "1");
	return r;
}

static int add_block(struct tower *tower, const char *name, const char *base)
{
	struct block block = { 0 };
	int r;

	for (size_t i = 0; i < tower->blocks.count; i++)
		if (strcmp(tower->blocks.items[i].name, name) == 0)
			return 0;
	r = array_reserve(&tower->blocks.items, tower->blocks.count, sizeof(block));
	if (r == 0)
		r = block_read(tower->root, name, base, &block);
	if (r < 0) {
		block_done(&block);
		return r;
	}
	tower->blocks.items[tower->blocks.count++] = block;
	return 0;
}

/* Partitions of what is not a disk are held and mounted as those of a disk. */
static int add_partitions(struct tower *tower, const char *name, const char *base)
{
	cleanup_strings struct strings partitions = { 0 };
	int r = child_list(tower->root, BLOCK_CLASS, name, &partitions);

	for (size_t i = 0; r == 0 && i < partitions.count; i++)
		r = add_block(tower, partitions.items[i], base);
	return r;
}

/*
 * A path of a multipath NVMe namespace, nvme0c1n2, is hidden and has no node; the namespace is used
 * by its head, the virtual nvme0n2: nvme_mpath_set_disk_name() in drivers/nvme/host/multipath.c.
 */
static char *head_of_path(const char *path)
{
	size_t subsystem = strcspn(path, "c");
	const char *controller = path + subsystem;

	if (*controller == 'c')
		controller += 1 + strspn(controller + 1, "0123456789");
	return text_format("%.*s%s", (int)subsystem, path, controller);
}

static int add_head(struct tower *tower, const char *path)
{
	cleanup_free char *head = head_of_path(path);
	char folder[SYSROOT_PATH_MAX];
	int r;

	if (!head)
		return -ENOMEM;
	block_path(folder, head, "");
	r = sysroot_find(tower->root, folder);
	if (r <= 0)
		return r;
	r = add_block(tower, head, NULL);
	return r < 0 ? r : add_partitions(tower, head, NULL);
}

static int add_own(struct tower *tower, const char *address)
{
	cleanup_strings struct strings names = { 0 };
	size_t count;
	int r;

	r = child_list(tower->root, BLOCK_CLASS, address, &names);
	for (size_t i = 0; r == 0 && i < names.count; i++)
		r = add_block(tower, names.items[i], NULL);
	if (r < 0 || tower->blocks.count == 0)
		return r;

	r = child_names(tower->root, BLOCK_CLASS, "loop", &tower->loops);
	count = tower->blocks.count;
	for (size_t i = 0; r == 0 && i < count; i++)
		if (tower->blocks.items[i].hidden)
			r = add_head(tower, tower->blocks.items[i].name);
	return r;
}

/* A loop device over a block device claims nothing and is not a holder. */
static int add_loops(struct tower *tower, const char *node, const char *base)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < tower->loops.count; i++) {
		const char *name = tower->loops.items[i];
		cleanup_free char *file = NULL;

		r = read_optional(tower->root, name, "loop/backing_file", &file);
		if (r == 0 && text_equal(file, node))
			r = add_block(tower, name, base);
	}
	return r;
}

/* What is built on them, and on that in turn: the list grows while it is walked. */
static int add_built_on(struct tower *tower)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < tower->blocks.count; i++) {
		const char *name = tower->blocks.items[i].name;
		const char *base = tower->blocks.items[i].base ? tower->blocks.items[i].base : name;
		cleanup_strings struct strings holders = { 0 };
		char path[SYSROOT_PATH_MAX];

		block_path(path, name, "holders");
		r = sysroot_list(tower->root, path, &holders);
		if (r == -ENOENT)
			r = 0;
		for (size_t j = 0; r == 0 && j < holders.count; j++)
			r = add_block(tower, holders.items[j], base);
		if (r == 0 && tower->blocks.items[i].base && !tower->blocks.items[i].uuid)
			r = add_partitions(tower, name, base);
		if (r == 0)
			r = add_loops(tower, tower->blocks.items[i].node, base);
	}
	return r;
}

int blocks_find(const struct sysroot *root, const char *address, struct blocks *ret)
{
	cleanup_child_memory struct child_memory children = { 0 };
	struct sysroot once = *root;
	struct tower tower = { .root = &once };
	int r;

	/* The class is read once, for the disks, their partitions and those of what is built on them. */
	if (!once.children)
		once.children = &children;
	r = add_own(&tower, address);
	if (r == 0)
		r = add_built_on(&tower);
	if (r == 0) {
		*ret = tower.blocks;
		tower.blocks = (struct blocks){ 0 };
	}
	blocks_done(&tower.blocks);
	strings_done(&tower.loops);
	return r;
}
