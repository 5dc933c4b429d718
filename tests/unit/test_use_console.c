/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The drivers of the virtual terminals. */
#include <errno.h>

#include "test.h"
#include "tree.h"
#include "use/console.h"

#define FOLDER "sys/class/vtconsole/"

static void build(const struct tree *tree, const char *entry, const char *name, const char *bind)
{
	char path[PATH_MAX];

	tree_format(path, FOLDER "%s/name", entry);
	tree_file(tree, path, "%s\n", name);
	tree_format(path, FOLDER "%s/bind", entry);
	tree_file(tree, path, "%s\n", bind);
}

static void assert_found(const struct tree *tree, enum console_kind kind, const char *entry)
{
	cleanup_free char *found = NULL;

	assert_int_equal(console_find(&tree->root, kind, &found, NULL), 0);
	assert_text(found, entry);
}

static void the_one_that_draws_is_found(void **state)
{
	const struct tree *tree = *state;

	assert_found(tree, CONSOLE_FRAMEBUFFER, NULL);
	build(tree, "vtcon0", "(S) dummy device", "1");
	assert_found(tree, CONSOLE_FRAMEBUFFER, NULL);
	assert_found(tree, CONSOLE_VGA, NULL);
	build(tree, "vtcon0", "(S) VGA+", "1");
	assert_found(tree, CONSOLE_VGA, "vtcon0");
	assert_found(tree, CONSOLE_FRAMEBUFFER, NULL);
	build(tree, "vtcon1", "(M) frame buffer device", "0");
	assert_found(tree, CONSOLE_FRAMEBUFFER, NULL);
	build(tree, "vtcon1", "(M) frame buffer device", "1");
	build(tree, "vtcon0", "(S) VGA+", "0");
	assert_found(tree, CONSOLE_FRAMEBUFFER, "vtcon1");
	assert_found(tree, CONSOLE_VGA, NULL);
	/* it has gone while the folder was read */
	tree_remove(tree, FOLDER "vtcon1/bind");
	assert_found(tree, CONSOLE_FRAMEBUFFER, NULL);
}

static void a_folder_that_cannot_be_read_is_an_error(void **state)
{
	const struct tree *tree = *state;
	struct error err = { 0 };
	char *found = NULL;

	tree_file(tree, "sys/class/vtconsole", "%s", "");
	assert_int_equal(console_find(&tree->root, CONSOLE_VGA, &found, &err), -ENOTDIR);
	assert_string_equal(err.message, "cannot list /sys/class/vtconsole: Not a directory");
	assert_null(found);
}

static void whether_it_is_bound(void **state)
{
	const struct tree *tree = *state;
	bool bound = true;

	build(tree, "vtcon1", "(M) frame buffer device", "0");
	assert_int_equal(console_is_bound(&tree->root, "vtcon1", &bound), 0);
	assert_false(bound);
	build(tree, "vtcon1", "(M) frame buffer device", "1");
	assert_int_equal(console_is_bound(&tree->root, "vtcon1", &bound), 0);
	assert_true(bound);
	assert_int_equal(console_is_bound(&tree->root, "vtcon2", &bound), -ENOENT);
}

/* Takes the write, and stays as it is. */
static int write_to_no_effect(const struct sysroot *root, const char *path, const char *value)
{
	(void)root, (void)path, (void)value;
	return 0;
}

static int refuse_write(const struct sysroot *root, const char *path, const char *value)
{
	(void)root, (void)path, (void)value;
	return -EBUSY;
}

/* One byte over another, as sysfs takes it. */
static void it_is_released_and_taken_up(void **state)
{
	struct tree *tree = *state;
	struct error err = { 0 };
	bool bound;

	build(tree, "vtcon1", "(M) frame buffer device", "1");
	assert_int_equal(console_bind(&tree->root, "vtcon1", false, &err), 0);
	assert_int_equal(console_is_bound(&tree->root, "vtcon1", &bound), 0);
	assert_false(bound);
	assert_int_equal(console_bind(&tree->root, "vtcon1", false, &err), 0);
	assert_int_equal(console_bind(&tree->root, "vtcon1", true, &err), 0);
	assert_int_equal(console_is_bound(&tree->root, "vtcon1", &bound), 0);
	assert_true(bound);
}

static void no_write_is_believed(void **state)
{
	struct tree *tree = *state;
	struct error err = { 0 };

	build(tree, "vtcon1", "(M) frame buffer device", "1");
	tree->root.fake_write = write_to_no_effect;
	assert_int_equal(console_bind(&tree->root, "vtcon1", false, &err), -EBUSY);
	assert_string_equal(err.message, "the text console does not let go of it");
	build(tree, "vtcon1", "(M) frame buffer device", "0");
	err = (struct error){ 0 };
	assert_int_equal(console_bind(&tree->root, "vtcon1", true, &err), -EBUSY);
	assert_string_equal(err.message, "the text console does not take it up");
	tree->root.fake_write = refuse_write;
	err = (struct error){ 0 };
	assert_int_equal(console_bind(&tree->root, "vtcon1", true, &err), -EBUSY);
	assert_string_equal(err.message,
			    "cannot take up the text console: Device or resource busy");
	tree->root.fake_write = NULL;
	err = (struct error){ 0 };
	assert_int_equal(console_bind(&tree->root, "vtcon2", false, &err), -ENOENT);
	assert_string_equal(err.message,
			    "cannot release the text console: No such file or directory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(the_one_that_draws_is_found),
		tree_test(a_folder_that_cannot_be_read_is_an_error),
		tree_test(whether_it_is_bound),
		tree_test(it_is_released_and_taken_up),
		tree_test(no_write_is_believed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
