/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The firmware's framebuffer in a device's memory. */
#include "test.h"
#include "tree.h"
#include "use/framebuffer.h"

#define ADDRESS "0000:01:00.0"
#define NO_BAR	"0x0000000000000000 0x0000000000000000 0x0000000000000000\n"

/* A card whose BAR 0 is a0000000-afffffff and whose ROM is at b0000000. */
static void build(const struct tree *tree, const char *iomem)
{
	tree_add_device(tree, &(struct tree_device){ .address = ADDRESS, .class_code = 0x030000 });
	tree_attribute(tree, ADDRESS, "resource",
		       "0x00000000a0000000 0x00000000afffffff 0x000000000014220c\n" NO_BAR
		       "0x0000000000001000 0x000000000000107f 0x0000000000040101\n" NO_BAR NO_BAR
			       NO_BAR "0x00000000b0000000 0x00000000b007ffff 0x0000000000046200");
	tree_file(tree, "proc/iomem", "%s", iomem);
}

static void the_innermost_name_is_told(void **state)
{
	static const struct {
		const char *name, *iomem, *held;
	} rows[] = {
		{ "simpledrm within BOOTFB",
		  "a0000000-bfffffff : PCI Bus 0000:01\n  a0000000-afffffff : 0000:01:00.0\n"
		  "    a0000000-a02fffff : BOOTFB\n      a0000000-a02fffff : simpledrm\n",
		  "simpledrm" },
		{ "efifb", "a0000000-afffffff : 0000:01:00.0\n  a0000000-a02fffff : efifb\n",
		  "efifb" },
		{ "the driver has it",
		  "a0000000-afffffff : 0000:01:00.0\n  a0000000-afffffff : nvidia\n", NULL },
		{ "another card's", "c0000000-c02fffff : BOOTFB\n", NULL },
		{ "in its ROM", "b0000000-b000ffff : BOOTFB\n", NULL },
		{ "at its ports", "00001000-0000107f : BOOTFB\n", NULL },
		{ "the last byte", "affffff0-b00fffff : vesafb\n", "vesafb" },
		{ "nothing", "", NULL },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct tree *tree = *state;
		struct framebuffer framebuffer;
		bool held;

		build(tree, rows[i].iomem);
		assert_row(rows[i].name,
			   framebuffer_find(&tree->root, ADDRESS, &held, &framebuffer, NULL) == 0);
		assert_row(rows[i].name, held == !!rows[i].held);
		if (held)
			assert_string_equal(framebuffer.name, rows[i].held);
	}
}

static void hidden_addresses_are_an_error(void **state)
{
	struct tree *tree = *state;
	struct framebuffer framebuffer;
	struct error err = { 0 };
	bool held;

	build(tree, "00000000-00000000 : 0000:01:00.0\n  00000000-00000000 : BOOTFB\n");
	assert_int_equal(framebuffer_find(&tree->root, ADDRESS, &held, &framebuffer, &err),
			 -EACCES);
	tree_remove(tree, "proc/iomem");
	assert_int_equal(framebuffer_find(&tree->root, ADDRESS, &held, &framebuffer, &err),
			 -ENOENT);
}

static void a_device_without_memory_needs_no_iomem(void **state)
{
	struct tree *tree = *state;
	struct framebuffer framebuffer;
	bool held = true;

	tree_add_device(tree, &(struct tree_device){ .address = ADDRESS });
	assert_int_equal(framebuffer_find(&tree->root, ADDRESS, &held, &framebuffer, NULL), 0);
	assert_false(held);
}

#define PLATFORM "sys/bus/platform/"

/* A platform device, with its driver or without one for NULL. */
static void add_platform(const struct tree *tree, const char *device, const char *driver)
{
	char path[PATH_MAX], target[PATH_MAX];

	tree_format(path, "sys/devices/platform/%s", device);
	tree_folder(tree, path);
	tree_format(path, PLATFORM "devices/%s", device);
	tree_format(target, "../../../devices/platform/%s", device);
	tree_link(tree, path, target);
	tree_format(path, "sys/devices/platform/%s/driver", device);
	tree_remove(tree, path);
	if (!driver)
		return;
	tree_format(target, "../../../bus/platform/drivers/%s", driver);
	tree_link(tree, path, target);
	tree_format(path, PLATFORM "drivers/%s/bind", driver);
	tree_bytes(tree, path, "", 0);
	tree_format(path, PLATFORM "drivers/%s/unbind", driver);
	tree_bytes(tree, path, "", 0);
}

static void the_platform_device_is_found(void **state)
{
	static const struct {
		const char *device, *driver;
		bool found;
	} rows[] = {
		{ "simple-framebuffer.0", "simple-framebuffer", true },
		{ "efi-framebuffer.0", "efi-framebuffer", true },
		{ "vesa-framebuffer.0", "vesafb", true },
		{ "vga-framebuffer.0", "vga16fb", true },
		{ "ega-framebuffer.0", "vga16fb", true },
		{ "platform-framebuffer.0", "x", true },
		{ "efi-framebuffer.0", NULL, false },
		{ "efi-framebuffer", "x", false },
		{ "serial8250", "serial8250", false },
	};
	struct tree *tree = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		cleanup_free char *device = NULL, *driver = NULL;
		char path[PATH_MAX];

		assert_int_equal(framebuffer_device(&tree->root, &device, &driver, NULL), 0);
		assert_null(device);
		assert_null(driver);
		add_platform(tree, rows[i].device, rows[i].driver);
		assert_int_equal(framebuffer_device(&tree->root, &device, &driver, NULL), 0);
		assert_row(rows[i].device, !!device == rows[i].found && !!driver == !!device);
		if (rows[i].found) {
			assert_string_equal(device, rows[i].device);
			assert_string_equal(driver, rows[i].driver);
		}
		tree_format(path, PLATFORM "devices/%s", rows[i].device);
		tree_remove(tree, path);
	}
}

static void a_folder_that_cannot_be_read_is_an_error(void **state)
{
	struct tree *tree = *state;
	char *device = NULL, *driver = NULL;
	struct error err = { 0 };

	tree_file(tree, PLATFORM "devices", "%s", "");
	assert_int_equal(framebuffer_device(&tree->root, &device, &driver, &err), -ENOTDIR);
	assert_string_equal(err.message, "cannot list /sys/bus/platform/devices: Not a directory");
	assert_null(device);
}

/* A kernel that does what is written to bind and unbind. */
static int bind_as_told(const struct sysroot *root, const char *path, const char *value)
{
	struct tree tree = { .root = *root };
	bool unbind = strcmp(path, PLATFORM "drivers/efi-framebuffer/unbind") == 0;

	snprintf(tree.path, sizeof(tree.path), "%s", root->path);
	assert_string_equal(value, "efi-framebuffer.0");
	if (!unbind)
		assert_string_equal(path, PLATFORM "drivers/efi-framebuffer/bind");
	add_platform(&tree, value, unbind ? NULL : "efi-framebuffer");
	return 0;
}

static int take_no_notice(const struct sysroot *root, const char *path, const char *value)
{
	(void)root, (void)path, (void)value;
	return 0;
}

static int refuse_write(const struct sysroot *root, const char *path, const char *value)
{
	(void)root, (void)path, (void)value;
	return -ENOMEM;
}

static int fail_the_test(const struct sysroot *root, const char *path, const char *value)
{
	(void)root;
	fail_msg("'%s' was written to %s", value, path);
	return 0;
}

static void it_is_unbound_and_bound(void **state)
{
	struct tree *tree = *state;
	struct error err = { 0 };

	add_platform(tree, "efi-framebuffer.0", "efi-framebuffer");
	tree->root.fake_write = bind_as_told;
	assert_int_equal(framebuffer_unbind(&tree->root, "efi-framebuffer.0", &err), 0);
	assert_false(tree_has(tree, "sys/devices/platform/efi-framebuffer.0/driver"));
	tree->root.fake_write = fail_the_test; /* once more */
	assert_int_equal(framebuffer_unbind(&tree->root, "efi-framebuffer.0", &err), 0);

	tree->root.fake_write = bind_as_told;
	assert_int_equal(framebuffer_bind(&tree->root, "efi-framebuffer.0", "efi-framebuffer",
					  &err),
			 0);
	assert_true(tree_has(tree, "sys/devices/platform/efi-framebuffer.0/driver"));
	tree->root.fake_write = fail_the_test;
	assert_int_equal(framebuffer_bind(&tree->root, "efi-framebuffer.0", "efi-framebuffer",
					  &err),
			 0);

	/* the kernel has dropped it */
	tree_remove(tree, PLATFORM "devices/efi-framebuffer.0");
	assert_int_equal(framebuffer_unbind(&tree->root, "efi-framebuffer.0", &err), 0);
	assert_int_equal(framebuffer_bind(&tree->root, "efi-framebuffer.0", "efi-framebuffer",
					  &err),
			 -ENODEV);
}

static void no_write_is_believed(void **state)
{
	struct tree *tree = *state;
	struct error err = { 0 };

	add_platform(tree, "efi-framebuffer.0", "efi-framebuffer");
	tree->root.fake_write = take_no_notice;
	assert_int_equal(framebuffer_unbind(&tree->root, "efi-framebuffer.0", &err), -EIO);
	assert_string_equal(err.message, "'efi-framebuffer' does not let it go");
	tree->root.fake_write = refuse_write;
	err = (struct error){ 0 };
	assert_int_equal(framebuffer_unbind(&tree->root, "efi-framebuffer.0", &err), -ENOMEM);
	assert_string_equal(err.message, "cannot unbind 'efi-framebuffer': Cannot allocate memory");

	add_platform(tree, "efi-framebuffer.0", NULL);
	tree->root.fake_write = take_no_notice;
	err = (struct error){ 0 };
	assert_int_equal(framebuffer_bind(&tree->root, "efi-framebuffer.0", "efi-framebuffer",
					  &err),
			 -EIO);
	assert_string_equal(err.message, "'efi-framebuffer' does not take it");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(the_innermost_name_is_told),
		tree_test(hidden_addresses_are_an_error),
		tree_test(a_device_without_memory_needs_no_iomem),
		tree_test(the_platform_device_is_found),
		tree_test(a_folder_that_cannot_be_read_is_an_error),
		tree_test(it_is_unbound_and_bound),
		tree_test(no_write_is_believed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
