/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is built on disks, and what of it lies elsewhere, on built trees. */
#include <errno.h>

#include "test.h"
#include "tree.h"
#include "use/stack.h"

#define ADDRESS "0000:01:00.0"
#define OTHER	"0000:02:00.0"
#define VIRTUAL "devices/virtual/block"

/* "LVM-", a group's id, a volume's. */
#define GROUP_A "LVM-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define GROUP_B "LVM-bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define VOLUME	"0123456789abcdefghijklmnopqrstuv"

static void add_block(const struct tree *tree, const char *folder, const char *name)
{
	char path[PATH_MAX], target[PATH_MAX];

	tree_format(path, "sys/%s/dev", folder);
	tree_file(tree, path, "259:%zu\n", strlen(folder));
	tree_format(path, "sys/%s/holders", folder);
	tree_folder(tree, path);
	tree_format(path, BLOCK_CLASS "/%s", name);
	tree_format(target, "../../%s", folder);
	tree_link(tree, path, target);
}

static void add_disk(const struct tree *tree, const char *address, const char *name)
{
	char folder[PATH_MAX];

	tree_add_device(tree, &(struct tree_device){ .address = address, .class_code = 0x010802 });
	tree_format(folder, "devices/pci0000:00/%s/nvme/%.5s/%s", address, name, name);
	add_block(tree, folder, name);
}

/* Builds `name` on others, with blanks between. */
static void add_layer(const struct tree *tree, const char *name, const char *below)
{
	cleanup_free char *copy = strdup(below);
	char path[PATH_MAX], target[PATH_MAX], *rest = copy, *one;

	tree_format(path, VIRTUAL "/%s", name);
	add_block(tree, path, name);
	while ((one = strsep(&rest, " "))) {
		tree_format(path, BLOCK_CLASS "/%s/holders/%s", one, name);
		tree_format(target, "/sys/" VIRTUAL "/%s", name);
		tree_link(tree, path, target);
		tree_format(path, BLOCK_CLASS "/%s/slaves/%s", name, one);
		tree_format(target, "/sys/class/block/%s", one);
		tree_link(tree, path, target);
	}
}

static void add_mapper(const struct tree *tree, const char *name, const char *below,
		       const char *mapper, const char *uuid)
{
	char path[PATH_MAX];

	add_layer(tree, name, below);
	tree_format(path, BLOCK_CLASS "/%s/dm/name", name);
	tree_file(tree, path, "%s\n", mapper);
	tree_format(path, BLOCK_CLASS "/%s/dm/uuid", name);
	tree_file(tree, path, "%s\n", uuid);
}

static void set(const struct tree *tree, const char *name, const char *attribute, const char *value)
{
	char path[PATH_MAX];

	tree_format(path, BLOCK_CLASS "/%s/%s", name, attribute);
	tree_file(tree, path, "%s\n", value);
}

static void expect_words(const struct tree *tree, const char *wanted)
{
	cleanup_strings struct strings words = { 0 };
	cleanup_text struct text joined = { 0 };

	text_add(&joined, "%s", "");
	assert_int_equal(stack_words(&tree->root, ADDRESS, &words), 0);
	for (size_t i = 0; i < words.count; i++)
		text_add(&joined, "%s%s", i > 0 ? " " : "", words.items[i]);
	assert_string_equal(joined.data, wanted);
}

/* Of the layer with that name on the disks of ADDRESS. */
static const struct block *find(const struct blocks *blocks, const char *name)
{
	for (size_t i = 0; i < blocks->count; i++)
		if (strcmp(blocks->items[i].name, name) == 0)
			return &blocks->items[i];
	fail_msg("no %s", name);
	return NULL;
}

static void expect_elsewhere(const struct tree *tree, const char *name, const char *functions,
			     const char *wanted)
{
	cleanup_blocks struct blocks blocks = { 0 };
	cleanup_strings struct strings list = { 0 };
	cleanup_free char *copy = strdup(functions), *elsewhere = NULL;
	char *rest = copy, *one;

	while ((one = strsep(&rest, " ")))
		assert_int_equal(strings_add(&list, one), 0);
	assert_int_equal(blocks_find(&tree->root, ADDRESS, &blocks), 0);
	assert_int_equal(stack_elsewhere(&tree->root, find(&blocks, name), &list, &elsewhere), 0);
	assert_text(elsewhere, wanted);
}

/* The kinds that can be let go of, and those that somebody has made on purpose. */
static void test_words(void **state)
{
	const struct tree *tree = *state;

	add_disk(tree, ADDRESS, "nvme0n1");
	expect_words(tree, "");
	add_mapper(tree, "dm-0", "nvme0n1", "my--data-vol", GROUP_A VOLUME);
	add_mapper(tree, "dm-1", "dm-0", "secret", "CRYPT-LUKS2-0123-secret");
	expect_words(tree, "lv:my--data-vol crypt:secret");
	/* a pool's metadata, which LVM keeps to itself; multipath; a table of dmsetup's */
	add_mapper(tree, "dm-2", "nvme0n1", "my--data-pool_tmeta", GROUP_A VOLUME "-tmeta");
	add_mapper(tree, "dm-3", "nvme0n1", "mpatha", "mpath-3600");
	add_mapper(tree, "dm-4", "nvme0n1", "by-hand", "");
	expect_words(tree, "lv:my--data-vol crypt:secret");
}

static void test_arrays(void **state)
{
	const struct tree *tree = *state;

	add_disk(tree, ADDRESS, "nvme0n1");
	add_layer(tree, "md127", "nvme0n1");
	set(tree, "md127", "md/metadata_version", "1.2");
	set(tree, "md127", "md/sync_action", "idle");
	expect_words(tree, "md:md127");
	/* that has a process of its own; and one that is being rearranged */
	set(tree, "md127", "md/metadata_version", "external:imsm");
	expect_words(tree, "");
	set(tree, "md127", "md/metadata_version", "1.2");
	set(tree, "md127", "md/sync_action", "reshape");
	expect_words(tree, "");
}

/* What is registered for it shows in no holders; both ends are one word. */
static void test_bcache(void **state)
{
	const struct tree *tree = *state;

	add_disk(tree, ADDRESS, "nvme0n1");
	set(tree, "nvme0n1", "bcache/stop", "");
	add_layer(tree, "bcache0", "nvme0n1");
	set(tree, "bcache0", "bcache/stop", "");
	expect_words(tree, "bcache");
}

static void test_names(void **state)
{
	static const struct {
		const char *mapper, *uuid, *group;
	} rows[] = {
		{ "/dev/mapper/pve-root", GROUP_A VOLUME, "pve" },
		{ "/dev/mapper/ubuntu--vg-root", GROUP_A VOLUME, "ubuntu-vg" },
		{ "/dev/mapper/a--b--c-d--e", GROUP_A VOLUME, "a-b-c" },
		{ "/dev/mapper/nodash", GROUP_A VOLUME, NULL },
		{ "/dev/mapper/-root", GROUP_A VOLUME, NULL },
		{ "/dev/mapper/pve-root", "CRYPT-LUKS2-pve-root", NULL },
	};
	cleanup_strings struct strings words = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char mapper[64], uuid[128];
		struct block block = { .mapper = mapper, .uuid = uuid };
		cleanup_free char *group = NULL;

		snprintf(mapper, sizeof(mapper), "%s", rows[i].mapper);
		snprintf(uuid, sizeof(uuid), "%s", rows[i].uuid);
		group = stack_group(&block);
		assert_row(rows[i].mapper, text_equal(group, rows[i].group));
	}
	for (size_t i = 0; i < 4; i++) {
		static const char *const titles[][2] = {
			{ "lv:pve-root", "the LVM volume pve-root" },
			{ "crypt:secret", "the encrypted volume secret" },
			{ "md:md127", "the RAID array md127" },
			{ "bcache", "bcache" },
		};
		cleanup_free char *title = stack_title(titles[i][0]);

		assert_string_equal(title, titles[i][1]);
	}
	assert_int_equal(strings_add(&words, "md:md127"), 0);
	assert_int_equal(strings_add(&words, "lv:pve-root"), 0);
	assert_true(stack_has_word(&words, "md:md5"));
	assert_true(stack_has_word(&words, "lv:pve-root"));
	assert_false(stack_has_word(&words, "lv:pve-data"));
	assert_false(stack_has_word(&words, "bcache"));
}

/* A member on a disk that stays; a volume of the same group on one; another group there. */
static void test_elsewhere(void **state)
{
	const struct tree *tree = *state;

	add_disk(tree, ADDRESS, "nvme0n1");
	add_disk(tree, OTHER, "nvme1n1");
	add_layer(tree, "md127", "nvme0n1 nvme1n1");
	expect_elsewhere(tree, "md127", ADDRESS, "nvme1n1");
	expect_elsewhere(tree, "md127", ADDRESS " " OTHER, NULL);

	add_mapper(tree, "dm-0", "nvme0n1", "a-vol", GROUP_A VOLUME);
	add_mapper(tree, "dm-1", "nvme1n1", "b-vol", GROUP_B VOLUME);
	expect_elsewhere(tree, "dm-0", ADDRESS, NULL);
	add_mapper(tree, "dm-2", "nvme1n1", "a-more", GROUP_A VOLUME);
	expect_elsewhere(tree, "dm-0", ADDRESS, "nvme1n1");
	expect_elsewhere(tree, "dm-0", ADDRESS " " OTHER, NULL);
	/* a record has no ids, but names */
	set(tree, "dm-2", "dm/uuid", "LVM-");
	set(tree, "dm-0", "dm/uuid", "LVM-");
	expect_elsewhere(tree, "dm-0", ADDRESS, "nvme1n1");
}

/* One without its slaves says nothing of where it lies. */
static void test_unknown(void **state)
{
	const struct tree *tree = *state;

	add_disk(tree, ADDRESS, "nvme0n1");
	add_layer(tree, "md127", "nvme0n1");
	tree_remove(tree, BLOCK_CLASS "/md127/slaves");
	expect_elsewhere(tree, "md127", ADDRESS, "disks that cannot be determined");
}

static void expect_written(const struct tree *tree, const char *name, const char *attribute,
			   const char *value)
{
	cleanup_free char *now = NULL;
	char path[PATH_MAX];

	tree_format(path, BLOCK_CLASS "/%s/%s", name, attribute);
	assert_int_equal(sysroot_read_attribute(&tree->root, path, &now), 0);
	assert_string_equal(now, value);
}

static void test_release(void **state)
{
	cleanup_blocks struct blocks blocks = { 0 };
	const struct tree *tree = *state;

	add_disk(tree, ADDRESS, "nvme0n1");
	add_layer(tree, "md127", "nvme0n1");
	set(tree, "md127", "md/array_state", "clean");
	set(tree, "nvme0n1", "bcache/set/stop", "0");
	assert_int_equal(blocks_find(&tree->root, ADDRESS, &blocks), 0);
	assert_true(stack_is_held(&tree->root, find(&blocks, "nvme0n1")));
	assert_false(stack_is_held(&tree->root, find(&blocks, "md127")));
	assert_int_equal(stack_release(&tree->root, find(&blocks, "md127")), 0);
	expect_written(tree, "md127", "md/array_state", "clear");
	/* a set goes with its devices alone: the backing ones are asked first */
	tree_folder(tree, BLOCK_CLASS "/nvme0n1/bcache/set/bdev0");
	assert_int_equal(stack_release(&tree->root, find(&blocks, "nvme0n1")), -EBUSY);
	expect_written(tree, "nvme0n1", "bcache/set/stop", "0");
	tree_remove(tree, BLOCK_CLASS "/nvme0n1/bcache/set/bdev0");
	assert_int_equal(stack_release(&tree->root, find(&blocks, "nvme0n1")), 0);
	expect_written(tree, "nvme0n1", "bcache/set/stop", "1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(test_words),	 tree_test(test_arrays),    tree_test(test_bcache),
		tree_test(test_names),	 tree_test(test_elsewhere), tree_test(test_unknown),
		tree_test(test_release),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
