/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The pool's name in a ZFS label. */
#include <errno.h>

#include "test.h"
#include "tree.h"
#include "use/zfs.h"

/* How a real label begins: that of util-linux' tests/ts/blkid/images-fs/zfs.img, a pool of 8. */
static const unsigned char real[] = {
	0x01, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00,
	0x24, 0x00, 0x00, 0x00, 0x20, 0x00, 0x00, 0x00, 0x07, 'v',  'e',  'r',	's',  'i',  'o',
	'n',  0x00, 0x00, 0x00, 0x00, 0x08, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x08, 0x00, 0x00, 0x00, 0x20, 0x00, 0x00, 0x00, 0x20, 0x00, 0x00, 0x00, 0x04,
	'n',  'a',  'm',  'e',	0x00, 0x00, 0x00, 0x09, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00,
	0x04, 't',  'a',  'n',	'k',  0x00, 0x00, 0x00, 0x24, 0x00, 0x00, 0x00, 0x20, 0x00, 0x00,
	0x00, 0x05, 's',  't',	'a',  't',  'e',  0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x08, 0x00,
	0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01,
};

/* Where in it: the first pair's size, the type of the name, the length of its text, its text. */
enum { FIRST_SIZE = 12, NAME_TYPE = 64, TEXT_LENGTH = 72, TEXT = 76 };

static int parse(const unsigned char *data, size_t size, char pool[ZFS_POOL_NAME_MAX])
{
	unsigned char *exact = malloc(size + 1);
	int r;

	/* In memory of its own, so that the sanitizer sees a read behind the end. */
	assert_non_null(exact);
	exact = realloc(exact, size ? size : 1);
	memcpy(exact, data, size);
	r = zfs_label_parse((struct bytes){ exact, size }, pool);
	free(exact);
	return r;
}

static void a_real_label_names_its_pool(void **state)
{
	char pool[ZFS_POOL_NAME_MAX];

	(void)state;
	assert_int_equal(parse(real, sizeof(real), pool), 0);
	assert_string_equal(pool, "tank");
}

static void a_cut_label_has_a_name_or_none(void **state)
{
	char pool[ZFS_POOL_NAME_MAX];

	(void)state;
	for (size_t size = 0; size <= sizeof(real); size++)
		assert_int_equal(parse(real, size, pool), size < TEXT + 4 ? -ENOENT : 0);
}

static void a_broken_label_has_none(void **state)
{
	static const struct {
		const char *name;
		size_t offset;
		unsigned char value;
	} rows[] = {
		{ "not XDR", 0, 0 },
		{ "a pair larger than the list", FIRST_SIZE, 0xff },
		{ "a pair without room for its head", FIRST_SIZE + 3, 8 },
		{ "a pair that ends within its name", FIRST_SIZE + 3, 16 },
		{ "a name that is a number", NAME_TYPE + 3, 8 },
		{ "a text longer than its pair", TEXT_LENGTH + 3, 5 },
		{ "a text of 4 GiB", TEXT_LENGTH, 0xff },
		{ "an empty text", TEXT_LENGTH + 3, 0 },
		{ "a path", TEXT, '/' },
		{ "a folder", TEXT, '.' },
		{ "a control character", TEXT + 1, '\033' },
		{ "a NUL", TEXT + 1, '\0' },
	};
	char pool[ZFS_POOL_NAME_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		unsigned char data[sizeof(real)];

		memcpy(data, real, sizeof(real));
		data[rows[i].offset] = rows[i].value;
		assert_row(rows[i].name, parse(data, sizeof(data), pool) == -ENOENT);
	}
}

/* On a disk of 512 KiB. */
static void write_disk(const struct tree *tree, size_t label)
{
	unsigned char *disk = calloc(2, ZFS_LABEL_SIZE);

	assert_non_null(disk);
	memcpy(disk + label * ZFS_LABEL_SIZE + ZFS_LABEL_NVLIST_START, real, sizeof(real));
	tree_bytes(tree, "dev/sda1", disk, 2 * ZFS_LABEL_SIZE);
	free(disk);
}

static void the_second_label_serves_as_well(void **state)
{
	struct tree *tree = *state;
	char pool[ZFS_POOL_NAME_MAX];
	bool imported;

	for (size_t label = 0; label < 2; label++) {
		write_disk(tree, label);
		assert_int_equal(zfs_pool_find(&tree->root, "dev/sda1", pool, &imported), 0);
		assert_string_equal(pool, "tank");
		assert_false(imported);
	}
	tree_folder(tree, "proc/spl/kstat/zfs/tank");
	assert_int_equal(zfs_pool_find(&tree->root, "dev/sda1", pool, &imported), 0);
	assert_true(imported);
	tree_file(tree, "dev/sda1", "short\n");
	assert_int_equal(zfs_pool_find(&tree->root, "dev/sda1", pool, &imported), -ENOENT);
	assert_int_equal(zfs_pool_find(&tree->root, "dev/sda2", pool, &imported), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_real_label_names_its_pool),
		cmocka_unit_test(a_cut_label_has_a_name_or_none),
		cmocka_unit_test(a_broken_label_has_none),
		tree_test(the_second_label_serves_as_well),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
