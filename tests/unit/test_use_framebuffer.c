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

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(the_innermost_name_is_told),
		tree_test(hidden_addresses_are_an_error),
		tree_test(a_device_without_memory_needs_no_iomem),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
