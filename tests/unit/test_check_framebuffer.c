/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The warning about the firmware's framebuffer. */
#include "test_check_topic.h"

#define ADDRESS "0000:01:00.0"

static void build(const struct tree *tree, struct check_case *check, unsigned class_code,
		  const char *release)
{
	tree_add_device(tree,
			&(struct tree_device){ .address = ADDRESS, .class_code = class_code });
	tree_attribute(tree, ADDRESS, "resource",
		       "0x00000000a0000000 0x00000000afffffff 0x000000000014220c");
	tree_file(tree, "proc/iomem",
		  "a0000000-afffffff : 0000:01:00.0\n"
		  "  a0000000-a02fffff : BOOTFB\n");
	tree_file(tree, "proc/sys/kernel/osrelease", "%s\n", release);
	check_add(tree, check, ADDRESS);
}

static void vfio_removes_it_from_a_vga_device(void **state)
{
	static const struct {
		const char *name, *release;
		unsigned class_code;
		size_t findings;
	} rows[] = {
		{ "PVE 7", "5.15.158-2-pve", 0x030000, 1 },
		{ "PVE 8", "6.8.12-9-pve", 0x030000, 0 },
		{ "3D controller", "6.8.12-9-pve", 0x030200, 1 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct check_case check = { 0 };

		build(*state, &check, rows[i].class_code, rows[i].release);
		check_run(*state, &check, check_framebuffer);
		assert_row(rows[i].name, check.findings.count == rows[i].findings);
		if (rows[i].findings > 0)
			check_expect(&check, 0, "framebuffer-held", LEVEL_WARNING, ADDRESS,
				     "/proc/iomem has BOOTFB at a0000000-a02fffff, in its memory.");
		check_over(&check);
	}
}

/* There is a warning for a server's remote console, and none for a GPU or for what only comes along. */
static void the_display_of_a_management_controller_is_told(void **state)
{
	static const struct {
		const char *address;
		unsigned vendor, class_code;
		bool sibling, told;
	} rows[] = {
		{ "0000:03:00.0", 0x1a03, 0x030000, false, true },
		{ "0000:04:00.0", 0x102b, 0x030000, false, true },
		{ "0000:05:00.0", 0x1a03, 0x030000, true, false },
		{ "0000:06:00.0", 0x1a03, 0x060400, false, false },
		{ "0000:07:00.0", 0x10de, 0x030000, false, false },
	};

	tree_file(*state, "proc/iomem", "a0000000-afffffff : 0000:01:00.0\n");
	tree_file(*state, "proc/sys/kernel/osrelease", "6.8.12-9-pve\n");
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct check_case check = { 0 };

		tree_add_device(*state, &(struct tree_device){ .address = rows[i].address,
							       .vendor = rows[i].vendor,
							       .class_code = rows[i].class_code });
		check_add(*state, &check, rows[i].address);
		check.start.plan.devices[0].sibling = rows[i].sibling;
		check_run(*state, &check, check_framebuffer);
		assert_row(rows[i].address, check.findings.count == rows[i].told);
		if (rows[i].told)
			check_expect(
				&check, 0, "console-chip", LEVEL_WARNING, rows[i].address,
				"It is the display of the node's management controller (remote console), not a GPU.");
		check_over(&check);
	}
}

static void what_cannot_be_told_is_a_warning(void **state)
{
	struct check_case check = { 0 };

	build(*state, &check, 0x030000, "6.8.12-9-pve");
	tree_remove(*state, "proc/iomem");
	check_run(*state, &check, check_framebuffer);
	assert_int_equal(check.findings.count, 1);
	assert_int_equal(findings_count(&check.findings, LEVEL_ERROR), 0);
	check_over(&check);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(vfio_removes_it_from_a_vga_device),
		tree_test(the_display_of_a_management_controller_is_told),
		tree_test(what_cannot_be_told_is_a_warning),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
