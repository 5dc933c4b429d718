/* SPDX-License-Identifier: GPL-2.0-or-later */
/* use: what is built on disks and not used. Brings nothing up. */
#include "use/stack.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "use/child.h"
#include "use/mapper.h"

#define LVM_UUID   "LVM-"
#define CRYPT_UUID "CRYPT-"

#define MD_WORD	   "md:"

/* "LVM-", then the group's own id without dashes, then the volume's: build_dm_uuid() in LVM2. */
#define LVM_GROUP_SIZE (strlen(LVM_UUID) + 32)
#define LVM_SIZE       (LVM_GROUP_SIZE + 32) /* behind it: what the volume is to another one */

static void block_path(char path[SYSROOT_PATH_MAX], const char *name, const char *attribute)
{
	sysroot_path(path, BLOCK_CLASS, name, attribute);
}

static bool has(const struct sysroot *root, const char *name, const char *attribute)
{
	char path[SYSROOT_PATH_MAX];

	block_path(path, name, attribute);
	return sysroot_exists(root, path);
}

/* The names in a folder of a block device; none where it is not there. */
static int list(const struct sysroot *root, const char *name, const char *folder,
		struct strings *names)
{
	char path[SYSROOT_PATH_MAX];
	int r;

	block_path(path, name, folder);
	r = sysroot_list(root, path, names);
	return r == -ENOENT || r == -ENODEV ? 0 : r;
}

static bool attribute_starts_with(const struct sysroot *root, const char *name,
				  const char *attribute, const char *start)
{
	cleanup_free char *value = NULL;
	char path[SYSROOT_PATH_MAX];

	block_path(path, name, attribute);
	return sysroot_read_attribute(root, path, &value) == 0 && text_starts_with(value, start);
}

/*
 * The group in a volume's name, whose own dashes are doubled: "ubuntu--vg-root" is of ubuntu-vg
 * (lvm(8), "device-mapper names"). NULL for another name, or without memory.
 */
static char *group_of(const char *mapper)
{
	cleanup_free char *group = strdup(mapper);
	const char *at = mapper;
	size_t size = 0;

	if (!group)
		return NULL;
	for (; *at && !(at[0] == '-' && at[1] != '-'); at++) {
		at += at[0] == '-';
		group[size++] = *at;
	}
	if (!*at || size == 0)
		return NULL;
	group[size] = '\0';
	return TAKE_PTR(group);
}

/* Somebody else's metadata (Intel's, DDF) has a process of its own, mdmon(8), which is not asked. */
static bool is_array(const struct sysroot *root, const char *name)
{
	return has(root, name, "md") &&
	       !attribute_starts_with(root, name, "md/metadata_version", "external:");
}

/* One that is being rearranged may need a backup file to go on: mdadm(8), "Grow mode". */
static bool is_reshaped(const struct sysroot *root, const char *name)
{
	return attribute_starts_with(root, name, "md/sync_action", "reshape");
}

bool stack_is_bcache(const struct sysroot *root, const struct block *block)
{
	return !block->uuid && has(root, block->name, "bcache");
}

static bool is_volume(const struct block *block)
{
	return block->mapper && block->uuid && text_starts_with(block->uuid, LVM_UUID);
}

static const char *mapper_name(const struct block *block)
{
	return block->mapper + strlen("/dev/mapper/");
}

char *stack_group(const struct block *block)
{
	return is_volume(block) ? group_of(mapper_name(block)) : NULL;
}

int stack_word(const struct sysroot *root, const struct block *block, char **ret)
{
	cleanup_free char *word = NULL;

	if (is_volume(block))
		word = text_format("lv:%s", mapper_name(block));
	else if (block->mapper && block->uuid && text_starts_with(block->uuid, CRYPT_UUID))
		word = text_format("crypt:%s", mapper_name(block));
	else if (block->base && is_array(root, block->name) && !is_reshaped(root, block->name))
		word = text_format(MD_WORD "%s", block->name);
	else if (stack_is_bcache(root, block))
		word = strdup("bcache");
	/* the words of a list have blanks between them */
	*ret = word && !strchr(word, ' ') ? TAKE_PTR(word) : NULL;
	return 0;
}

int stack_words(const struct sysroot *root, const char *address, struct strings *words)
{
	cleanup_blocks struct blocks blocks = { 0 };
	int r = blocks_find(root, address, &blocks);

	for (size_t i = 0; r == 0 && i < blocks.count; i++) {
		cleanup_free char *word = NULL;

		if (is_volume(&blocks.items[i]) && strlen(blocks.items[i].uuid) > LVM_SIZE)
			continue;
		r = stack_word(root, &blocks.items[i], &word);
		if (r == 0 && word && !strings_has(words, word))
			r = strings_add(words, word);
	}
	return r;
}

bool stack_has_word(const struct strings *words, const char *word)
{
	bool array = text_starts_with(word, MD_WORD);

	for (size_t i = 0; i < words->count; i++)
		if (strcmp(words->items[i], word) == 0 ||
		    (array && text_starts_with(words->items[i], MD_WORD)))
			return true;
	return false;
}

char *stack_title(const char *word)
{
	static const struct {
		const char *prefix, *title;
	} kinds[] = {
		{ "lv:", "the LVM volume " },
		{ "crypt:", "the encrypted volume " },
		{ MD_WORD, "the RAID array " },
	};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (text_starts_with(word, kinds[i].prefix))
			return text_format("%s%s", kinds[i].title, word + strlen(kinds[i].prefix));
	return strdup(word);
}

bool stack_is_held(const struct sysroot *root, const struct block *block)
{
	cleanup_strings struct strings holders = { 0 };

	return list(root, block->name, "holders", &holders) == 0 && holders.count > 0;
}

/* ---- where a layer lies */

/* "../../devices/virtual/block/md127/md127p1": the name of what it is a partition of, or "". */
static void parent_of(const struct sysroot *root, const char *name, char parent[SYSROOT_PATH_MAX])
{
	cleanup_close int fd = -1;
	char path[SYSROOT_PATH_MAX], *end, *start;
	ssize_t size;

	parent[0] = '\0';
	if (!has(root, name, "partition"))
		return;
	snprintf(path, sizeof(path), "%s/%s", BLOCK_CLASS, name);
	fd = sysroot_openat(root, path, O_PATH | O_NOFOLLOW);
	size = fd < 0 ? -1 : readlinkat(fd, "", path, sizeof(path) - 1);
	if (size < 0)
		return;
	path[size] = '\0';
	end = strrchr(path, '/');
	if (!end)
		return;
	*end = '\0';
	start = strrchr(path, '/');
	snprintf(parent, SYSROOT_PATH_MAX, "%s", start ? start + 1 : path);
}

/* What it is built on; a partition is built on what its whole is built on. */
static int below(const struct sysroot *root, const char *name, struct strings *names)
{
	char parent[SYSROOT_PATH_MAX];
	int r = list(root, name, "slaves", names);

	if (r < 0 || names->count > 0)
		return r;
	parent_of(root, name, parent);
	return *parent ? list(root, parent, "slaves", names) : 0;
}

/* The disks and partitions at the bottom: the list is walked while it grows. */
static int find_bottom(const struct sysroot *root, const char *name, struct strings *bottom)
{
	cleanup_strings struct strings seen = { 0 };
	int r = strings_add(&seen, name);

	for (size_t i = 0; r == 0 && i < seen.count; i++) {
		cleanup_strings struct strings names = { 0 };

		r = below(root, seen.items[i], &names);
		if (r == 0 && names.count == 0 && !strings_has(bottom, seen.items[i]))
			r = strings_add(bottom, seen.items[i]);
		for (size_t k = 0; r == 0 && k < names.count; k++)
			if (!strings_has(&seen, names.items[k]))
				r = strings_add(&seen, names.items[k]);
	}
	return r;
}

static int is_own(const struct sysroot *root, const char *name, const struct strings *functions,
		  bool *ret)
{
	*ret = false;
	for (size_t i = 0; !*ret && i < functions->count; i++) {
		cleanup_blocks struct blocks blocks = { 0 };
		int r = blocks_find(root, functions->items[i], &blocks);

		if (r < 0)
			return r;
		for (size_t k = 0; k < blocks.count; k++)
			*ret |= !blocks.items[k].base && strcmp(blocks.items[k].name, name) == 0;
	}
	return 0;
}

/* The first disk or partition below `name` that is of no function given. */
static int find_elsewhere(const struct sysroot *root, const char *name,
			  const struct strings *functions, char **ret)
{
	cleanup_strings struct strings bottom = { 0 };
	int r = find_bottom(root, name, &bottom);

	for (size_t i = 0; r == 0 && !*ret && i < bottom.count; i++) {
		bool own;

		/* At the bottom there is a disk; a layer that ends in itself shows not all there is. */
		if (strcmp(bottom.items[i], name) == 0) {
			*ret = strdup("disks that cannot be determined");
			return *ret ? 0 : -ENOMEM;
		}
		r = is_own(root, bottom.items[i], functions, &own);
		if (r == 0 && !own) {
			*ret = strdup(bottom.items[i]);
			r = *ret ? 0 : -ENOMEM;
		}
	}
	return r;
}

/* An active volume of the same group. A record has no ids, but the names. */
static bool same_group(const struct sysroot *root, const struct block *block, const char *name)
{
	cleanup_free char *uuid = NULL, *mapper = NULL, *group = NULL, *other = NULL;
	char path[SYSROOT_PATH_MAX];

	block_path(path, name, "dm/uuid");
	if (sysroot_read_attribute(root, path, &uuid) < 0 || !text_starts_with(uuid, LVM_UUID))
		return false;
	if (strlen(block->uuid) >= LVM_GROUP_SIZE && strlen(uuid) >= LVM_GROUP_SIZE)
		return strncmp(uuid, block->uuid, LVM_GROUP_SIZE) == 0;
	block_path(path, name, "dm/name");
	if (sysroot_read_attribute(root, path, &mapper) < 0)
		return false;
	group = stack_group(block);
	other = group_of(mapper);
	return text_equal(group, other);
}

int stack_elsewhere(const struct sysroot *root, const struct block *block,
		    const struct strings *functions, char **ret)
{
	cleanup_free char *elsewhere = NULL;
	cleanup_strings struct strings names = { 0 };
	int r = 0;

	/* What is registered for bcache lies on itself. */
	if (block->base)
		r = find_elsewhere(root, block->name, functions, &elsewhere);
	if (r == 0 && !elsewhere && is_volume(block))
		r = sysroot_list(root, BLOCK_CLASS, &names);
	for (size_t i = 0; r == 0 && !elsewhere && i < names.count; i++)
		if (text_starts_with(names.items[i], "dm-") &&
		    same_group(root, block, names.items[i]))
			r = find_elsewhere(root, names.items[i], functions, &elsewhere);
	if (r == 0)
		*ret = TAKE_PTR(elsewhere);
	return r;
}

/* ---- letting go */

bool stack_is_open(const struct sysroot *root, const struct block *block, struct deadline deadline)
{
	unsigned step = 0;

	if (!root->live || !block->uuid)
		return false;
	do {
		cleanup_strings struct strings holders = { 0 };
		unsigned opens;

		/* Who may not ask, as another user, learns it from the other signs. */
		if (list(root, block->name, "holders", &holders) < 0 ||
		    mapper_opens(root, block->uuid, &opens) < 0 || opens <= holders.count)
			return false;
	} while (deadline_wait_step(deadline, &step));
	return true;
}

/*
 * A cache set goes with its last device, and would take devices of others along. Its `unregister`
 * would write back all there is first: Documentation/admin-guide/bcache.rst.
 */
static int stop_bcache(const struct sysroot *root, const struct block *block)
{
	bool cache = has(root, block->name, "bcache/set") && !has(root, block->name, "bcache/stop");
	cleanup_strings struct strings names = { 0 };
	char path[SYSROOT_PATH_MAX];
	int r;

	if (cache) {
		r = list(root, block->name, "bcache/set", &names);
		for (size_t i = 0; i < names.count; i++)
			if (text_starts_with(names.items[i], "bdev"))
				return -EBUSY;
		if (r < 0)
			return r;
	} else if (root->live && block->base) {
		cleanup_close int fd = sysroot_openat(root, block->node + 1,
						      O_RDONLY | O_EXCL | O_NONBLOCK | O_NOCTTY);

		if (fd < 0)
			return fd;
	}
	block_path(path, block->name, cache ? "bcache/set/stop" : "bcache/stop");
	return sysroot_write_attribute(root, path, "1");
}

int stack_release(const struct sysroot *root, const struct block *block)
{
	char path[SYSROOT_PATH_MAX];

	if (block->uuid)
		return mapper_remove(root, block->uuid);
	if (stack_is_bcache(root, block))
		return stop_bcache(root, block);
	/* As the STOP_ARRAY of mdadm(8): array_state_store() in drivers/md/md.c. */
	block_path(path, block->name, "md/array_state");
	return sysroot_write_attribute(root, path, "clear");
}
