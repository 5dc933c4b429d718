/* SPDX-License-Identifier: GPL-2.0-or-later */
/* use: what the host does with disks. Writes to none. */
#include "use/storage.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "use/block.h"
#include "use/child.h"
#include "use/export.h"
#include "use/mount.h"
#include "use/stack.h"
#include "use/zfs.h"

#define SWAPS_MAX ((size_t)64 * 1024)

/* How long udev may take to look at a new device. */
#define LOOK_MS 2000

/* What the host says of its block devices, read once. */
struct storage {
	const struct sysroot *root;
	const struct strings *functions;
	struct deadline looked; /* when udev has had its time */
	struct blocks blocks;
	struct mounts mounts;
	char *swaps;
	struct strings file_systems; /* the kinds in /sys/fs */
	const struct openings *openings;
	struct openings looked_at; /* where the caller has not */
	struct exports exports;
	struct holders *holders;
	bool *runs_host;
};

static void storage_done(struct storage *storage)
{
	openings_done(&storage->looked_at);
	exports_done(&storage->exports);
	strings_done(&storage->file_systems);
	free(storage->swaps);
	mounts_done(&storage->mounts);
	blocks_done(&storage->blocks);
}

static int read_host(struct storage *storage, struct error *err)
{
	size_t size;
	int r;

	r = mounts_read(storage->root, &storage->mounts, err);
	if (r < 0)
		return r;
	r = sysroot_read(storage->root, "proc/swaps", SWAPS_MAX, &storage->swaps, &size);
	/* A kernel without swap has no such file. */
	if (r < 0 && r != -ENOENT)
		return error_set(err, r, "cannot read /proc/swaps: %s", strerror(-r));
	r = sysroot_list(storage->root, "sys/fs", &storage->file_systems);
	if (r == -ENOMEM || exports_read(storage->root, &storage->exports) < 0)
		return error_set_memory(err);
	if (!storage->openings) {
		openings_read(storage->root, &storage->looked_at);
		storage->openings = &storage->looked_at;
	}
	if (storage->openings->unseen < 0)
		return error_set(err, storage->openings->unseen, "%s",
				 storage->openings->why.message);
	return 0;
}

/* A line of /proc/swaps begins with the node. */
static bool is_swap(const struct storage *storage, const char *node)
{
	size_t length = node ? strlen(node) : 0;

	for (const char *line = storage->swaps; length > 0 && line && *line;) {
		const char *end = strchrnul(line, '\n');

		if (strncmp(line, node, length) == 0 && isspace((unsigned char)line[length]))
			return true;
		line = *end ? end + 1 : end;
	}
	return false;
}

/*
 * The mounted btrfs a block device is a member of; the folder is there while it is mounted. Here and in the
 * next two what cannot be determined is taken for a use.
 */
static char *find_btrfs(const struct storage *storage, const char *name)
{
	cleanup_strings struct strings names = { 0 };

	if (sysroot_list(storage->root, "sys/fs/btrfs", &names) < 0)
		return NULL;
	for (size_t i = 0; i < names.count; i++) {
		char path[SYSROOT_PATH_MAX];

		snprintf(path, sizeof(path), "sys/fs/btrfs/%s/devices/%s", names.items[i], name);
		if (sysroot_find(storage->root, path) != 0)
			return strdup(names.items[i]);
	}
	return NULL;
}

/*
 * A file system that the kernel has mounted and the host's table of mounts does not have: in another
 * namespace, or taken off with umount -l. Its kind; NULL: there is none. Kinds name the disk in /sys/fs
 * (ext4_register_sysfs() in fs/ext4/sysfs.c; xfs, f2fs, nilfs2 and erofs alike). bcachefs has a link in
 * the disk's folder, bch2_dev_sysfs_online() in fs/bcachefs/super.c.
 */
static const char *find_file_system(const struct storage *storage, const char *name)
{
	char path[SYSROOT_PATH_MAX];

	for (size_t i = 0; i < storage->file_systems.count; i++) {
		snprintf(path, sizeof(path), "sys/fs/%s/%s", storage->file_systems.items[i], name);
		if (sysroot_find(storage->root, path) != 0)
			return storage->file_systems.items[i];
	}
	sysroot_path(path, BLOCK_CLASS, name, "bcachefs");
	return sysroot_find(storage->root, path) != 0 ? "bcachefs" : NULL;
}

/* An ext4's journal on a disk of its own: jbd2_journal_init_dev() in fs/jbd2/journal.c. */
static bool is_journal(const struct storage *storage, const char *name)
{
	char path[SYSROOT_PATH_MAX];

	snprintf(path, sizeof(path), "proc/fs/jbd2/%s", name);
	return sysroot_find(storage->root, path) != 0;
}

static void add_use(struct text *uses, const char *words)
{
	text_add(uses, "%s%s", uses->size ? " and " : "", words);
}

/* The node of the block device, or that which is only there without udev. */
static bool is_open(const struct opening *opening, const struct block *block)
{
	unsigned major, minor;

	if (opening->id.type && block_number(block, &major, &minor))
		return opening->id.type == 'b' && opening->id.major == major &&
		       opening->id.minor == minor;
	return text_equal(opening->path, block->node) || text_equal(opening->path, block->mapper);
}

static int describe_openers(const struct storage *storage, const struct block *block,
			    struct text *uses)
{
	for (size_t i = 0; i < storage->openings->count; i++) {
		const struct opening *opening = &storage->openings->items[i];
		cleanup_holder struct holder holder = { 0 };
		cleanup_free char *who = NULL, *words = NULL;

		if (!is_open(opening, block))
			continue;
		if (holder_read(storage->root, opening->pid, &holder) < 0)
			return -ENOMEM;
		if (holder_only_looks(&holder))
			continue;
		who = holder_words(&holder);
		words = who ? text_format("open in %s", who) : NULL;
		if (!words || (storage->holders && holders_add(storage->holders, &holder) < 0))
			return -ENOMEM;
		add_use(uses, words);
	}
	return 0;
}

/* What the host does with one block device itself: "mounted on / and open in process 7 (dd)". */
static int describe_uses(const struct storage *storage, const struct block *block, char **ret)
{
	const struct mount *mount =
		mount_find(&storage->mounts, block->number ? block->number : "", block->node);
	cleanup_text struct text uses = { 0 };
	const struct export *export;
	struct node_id id = { 0 };

	if (mount) {
		text_add(&uses, "mounted on %s", mount->point);
		if (storage->runs_host && mount_runs_host(mount))
			*storage->runs_host = true;
	} else {
		cleanup_free char *btrfs = find_btrfs(storage, block->name);
		const char *other = btrfs ? NULL : find_file_system(storage, block->name);

		if (btrfs)
			text_add(&uses, "a member of the mounted btrfs %s", btrfs);
		else if (other)
			text_add(&uses, "mounted (%s), but not in the host's own mounts", other);
	}
	if (is_journal(storage, block->name))
		add_use(&uses, "the journal of a mounted file system");
	if (is_swap(storage, block->node) || is_swap(storage, block->mapper))
		add_use(&uses, "swap space");
	if (block_number(block, &id.major, &id.minor))
		id.type = 'b';
	export = export_find(&storage->exports, &id, block->node, block->name);
	if (export)
		add_use(&uses, export->words);
	if (describe_openers(storage, block, &uses) < 0)
		return -ENOMEM;
	*ret = text_take(&uses);
	return *ret ? 0 : -ENOMEM;
}

static int add_sentence(struct strings *uses, char *sentence)
{
	int r = sentence ? strings_add(uses, sentence) : -ENOMEM;

	free(sentence);
	return r;
}

/* Why a layer that nobody is seen to use stays as it is; NULL: it can be let go of. */
static int find_obstacle(const struct storage *storage, const struct block *block, char **ret)
{
	cleanup_free char *elsewhere = NULL;
	int r = stack_elsewhere(storage->root, block, storage->functions, &elsewhere);

	if (r < 0)
		return r;
	if (elsewhere)
		*ret = text_format("which lies on %s too", elsewhere);
	else if (stack_is_open(storage->root, block, storage->looked))
		*ret = strdup("which is open");
	else
		return 0;
	return *ret ? 0 : -ENOMEM;
}

/* A partition of a layer is not a layer: it goes with its whole. */
static bool is_partition(const struct storage *storage, const struct block *block)
{
	char path[SYSROOT_PATH_MAX];

	sysroot_path(path, BLOCK_CLASS, block->name, "partition");
	return sysroot_exists(storage->root, path);
}

static int tell_layer(const struct storage *storage, const struct block *block, const char *words,
		      struct strings *uses, struct strings *idle)
{
	cleanup_free char *word = NULL, *obstacle = NULL;
	int r = stack_word(storage->root, block, &word);

	if (r == 0 && word && !*words && storage->functions) {
		r = find_obstacle(storage, block, &obstacle);
		if (r == 0 && !obstacle)
			return strings_has(idle, word) ? 0 : strings_add(idle, word);
		words = obstacle ? obstacle : words;
	}
	if (r < 0)
		return r;
	if (!block->base)
		return add_sentence(uses, text_format("%s is registered for bcache%s%s",
						      block->title, *words ? ", " : "", words));
	return add_sentence(uses, text_format("%s belongs to %s%s%s", block->base, block->title,
					      *words ? ", " : "", words));
}

static int tell_uses(const struct storage *storage, const struct block *block, struct strings *uses,
		     struct strings *idle)
{
	cleanup_free char *words = NULL;
	int r = describe_uses(storage, block, &words);

	if (r < 0)
		return r;
	if (block->base)
		return !*words && is_partition(storage, block)
			       ? 0
			       : tell_layer(storage, block, words, uses, idle);
	if (*words)
		return add_sentence(uses, text_format("%s is %s", block->title, words));
	return stack_is_bcache(storage->root, block) ? tell_layer(storage, block, words, uses, idle)
						     : 0;
}

/* -EBUSY when somebody has claimed it; 0 also for a drive without a medium, and one that is gone. */
static int ask_for_exclusive_use(const struct sysroot *root, const struct block *block)
{
	cleanup_close int fd =
		sysroot_openat(root, block->node + 1, O_RDONLY | O_EXCL | O_NONBLOCK | O_NOCTTY);

	if (fd >= 0 || fd == -ENOMEDIUM || fd == -ENXIO || fd == -ENODEV)
		return 0;
	return fd;
}

/* The pool, where the label names one that is imported here; else "". */
static void find_pool(const struct sysroot *root, const struct block *block,
		      char ret_pool[ZFS_POOL_NAME_MAX])
{
	char pool[ZFS_POOL_NAME_MAX];
	bool imported;

	ret_pool[0] = '\0';
	if (zfs_is_loaded(root) && zfs_pool_find(root, block->node + 1, pool, &imported) == 0 &&
	    imported)
		memcpy(ret_pool, pool, sizeof(pool));
}

/* A disk cannot be had exclusively while one of its partitions is claimed, so those are asked. */
static bool has_partitions(const struct sysroot *root, const struct block *block)
{
	cleanup_strings struct strings partitions = { 0 };

	return child_list(root, BLOCK_CLASS, block->name, &partitions) == 0 && partitions.count > 0;
}

/* Users in the kernel that show in no file. Who only looks does not ask for the disk: storage.h. */
static int tell_claimed(const struct sysroot *root, const struct block *block, struct strings *uses,
			struct error *err)
{
	bool asks = root->live && !root->anew;
	char pool[ZFS_POOL_NAME_MAX];
	int r = 0;

	if (block->hidden || (root->live && has_partitions(root, block)))
		return 0;
	if (asks) {
		r = ask_for_exclusive_use(root, block);
		if (r == 0)
			return 0;
		if (r != -EBUSY)
			return error_set(err, r, "cannot open %s: %s", block->node, strerror(-r));
	}
	find_pool(root, block, pool);
	if (*pool)
		r = add_sentence(uses, text_format("%s is part of the imported ZFS pool '%s'",
						   block->title, pool));
	else if (asks)
		r = add_sentence(uses, text_format("%s is claimed by something in the kernel (it "
						   "cannot be opened for exclusive use)",
						   block->title));
	return r < 0 ? error_set_memory(err) : 0;
}

int storage_look(const struct sysroot *root, const struct storage_question *question,
		 struct strings *uses, struct strings *idle, struct error *err)
{
	cleanup(storage_done) struct storage storage = {
		.root = root,
		.functions = question->functions,
		.openings = question->openings,
		.holders = question->holders,
		.runs_host = question->runs_host,
		.looked = deadline_in_ms(LOOK_MS),
	};
	size_t before = uses->count + idle->count;
	bool found;
	int r;

	r = blocks_find(root, question->address, &storage.blocks);
	if (r < 0)
		return error_set(err, r, "cannot read the block devices in /%s: %s", BLOCK_CLASS,
				 strerror(-r));
	if (storage.blocks.count == 0)
		return 0;
	r = read_host(&storage, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < storage.blocks.count; i++) {
		r = tell_uses(&storage, &storage.blocks.items[i], uses, idle);
		if (r < 0)
			return error_set(err, r, "cannot read what is built on its disks: %s",
					 strerror(-r));
	}
	found = uses->count + idle->count > before;
	for (size_t i = 0; r == 0 && !found && i < storage.blocks.count; i++)
		r = tell_claimed(root, &storage.blocks.items[i], uses, err);
	return r;
}

int storage_uses_find(const struct sysroot *root, const char *address,
		      const struct openings *openings, struct strings *uses,
		      struct holders *holders, struct error *err)
{
	const struct storage_question question = { address, NULL, openings, holders, NULL };
	cleanup_strings struct strings none = { 0 };

	return storage_look(root, &question, uses, &none, err);
}
