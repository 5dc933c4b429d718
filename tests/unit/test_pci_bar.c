/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: pci/bar.c: the regions of a function, and their size. */
#include <errno.h>

#include "test.h"
#include "tree.h"

#include "pci/bar.h"

#define GPU  "0000:01:00.0"
#define NONE "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"

static void test_regions(void **state)
{
	static const struct {
		const char *line;
		struct pci_bar bar;
	} rows[] = {
		{ "0x00000000a0000000 0x00000000afffffff 0x000000000014220c",
		  { 0xa0000000, 0xafffffff, 0x10000000 } },
		{ "0x0000380000000000 0x0000380fffffffff 0x000000000014220c",
		  { 0x380000000000, 0x380fffffffff, 0x1000000000 } },
		{ "0x00000000a0000000 0x00000000a0000fff 0x0000000000040200",
		  { 0xa0000000, 0xa0000fff, 0x1000 } },
		/* at 0, as the kernel shows what it has found no place for */
		{ "0x0000000000000000 0x00000000000fffff 0x0000000000140200",
		  { 0, 0xfffff, 0x100000 } },
		{ "0x0000000000001000 0x000000000000107f 0x0000000000040101", { 0 } }, /* ports */
		{ "0x0000000000000000 0x0000000000000000 0x0000000000000000", { 0 } },
		{ "0x0000000000000000 0x0000000000000000 0x0000000000000200", { 0 } },
		{ "0x00000000afffffff 0x00000000a0000000 0x0000000000000200", { 0 } },
		{ "0x00000000a0000000 0x00000000afffffff", { 0 } },
		{ "00000000a0000000 00000000afffffff 0000000000000200", { 0 } },
		{ "0xg 0xh 0x200", { 0 } },
		{ "0x 0x 0x", { 0 } },
		{ "", { 0 } },
	};
	const struct tree *tree = *state;

	tree_add_device(tree, &(struct tree_device){ .address = GPU });
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct pci_bar bars[PCI_BAR_COUNT];
		char text[256];

		snprintf(text, sizeof(text), "%s\n" NONE "%s", rows[i].line, rows[i].line);
		tree_attribute(tree, GPU, "resource", text);
		assert_int_equal(pci_bars_read(&tree->root, GPU, bars), 0);
		for (size_t k = 0; k <= 2; k += 2) {
			assert_row(rows[i].line, bars[k].start == rows[i].bar.start);
			assert_row(rows[i].line, bars[k].end == rows[i].bar.end);
			assert_row(rows[i].line, bars[k].size == rows[i].bar.size);
		}
		assert_int_equal(bars[1].size, 0);
		assert_int_equal(bars[5].size, 0);
	}
}

/* The seventh line is the ROM's, and a bridge has its windows behind. */
static void test_six_are_read(void **state)
{
	static const char line[] = "0x00000000b0000000 0x00000000b007ffff 0x0000000000046200\n";
	const struct tree *tree = *state;
	struct pci_bar bars[PCI_BAR_COUNT + 1] = { 0 };
	char text[16 * sizeof(line)] = "";

	for (int i = 0; i < 13; i++)
		strcat(text, line);
	tree_add_device(tree, &(struct tree_device){ .address = GPU });
	tree_attribute(tree, GPU, "resource", text);
	assert_int_equal(pci_bars_read(&tree->root, GPU, bars), 0);
	assert_int_equal(bars[PCI_BAR_COUNT - 1].size, 0x80000);
	assert_int_equal(bars[PCI_BAR_COUNT].size, 0);

	/* none, and one that cannot be read */
	tree_remove(tree, "sys/devices/pci0000:00/" GPU "/resource");
	assert_int_equal(pci_bars_read(&tree->root, GPU, bars), 0);
	assert_int_equal(bars[0].size, 0);
	tree_folder(tree, "sys/devices/pci0000:00/" GPU "/resource");
	assert_int_equal(pci_bars_read(&tree->root, GPU, bars), -EISDIR);
}

static void test_sizes(void **state)
{
	const struct tree *tree = *state;
	uint64_t sizes = 0;

	tree_add_device(tree, &(struct tree_device){ .address = GPU });
	assert_int_equal(pci_bar_sizes(&tree->root, GPU, 1, &sizes), -ENOENT);
	tree_attribute(tree, GPU, "resource1_resize", "0000000000007f00");
	assert_int_equal(pci_bar_sizes(&tree->root, GPU, 1, &sizes), 0);
	assert_int_equal(sizes, 0x7f00);
	assert_int_equal(pci_bar_sizes(&tree->root, GPU, 0, &sizes), -ENOENT);
	tree_attribute(tree, GPU, "resource1_resize", "x");
	assert_true(pci_bar_sizes(&tree->root, GPU, 1, &sizes) < 0);
	assert_int_equal(sizes, 0x7f00);
}

/* A kernel that gives BAR 1 the size of the number it is written, less one where it is told so. */
static int unwilling;

static int resize(const struct sysroot *root, const char *path, const char *value)
{
	struct tree tree = { .root = *root };
	uint64_t size = (uint64_t)1 << (20 + atoi(value) - unwilling);
	char text[128];

	snprintf(tree.path, sizeof(tree.path), "%s", root->path);
	assert_string_equal(path, "sys/bus/pci/devices/" GPU "/resource1_resize");
	snprintf(text, sizeof(text), NONE "0x%016jx 0x%016jx 0x000000000014220c",
		 (uintmax_t)0xa0000000, (uintmax_t)(0xa0000000 + size - 1));
	tree_attribute(&tree, GPU, "resource", text);
	return 0;
}

static int refuse(const struct sysroot *root, const char *path, const char *value)
{
	(void)root, (void)path, (void)value;
	return -ENOSPC;
}

static void test_resize(void **state)
{
	static const struct {
		uint64_t mib;
		int result;
		const char *message;
	} rows[] = {
		{ 256, 0, "" },
		{ 16384, 0, "" },
		{ 128, -EINVAL, "BAR 1 cannot have 128 MiB" },
		{ 32768, -EINVAL, "BAR 1 cannot have 32768 MiB" },
		{ 300, -EINVAL, "BAR 1 cannot have 300 MiB" },
		{ 0, -EINVAL, "BAR 1 cannot have 0 MiB" },
		{ UINT64_MAX, -EINVAL, "BAR 1 cannot have 18446744073709551615 MiB" },
	};
	struct tree *tree = *state;
	struct error err = { 0 };

	tree_add_device(tree, &(struct tree_device){ .address = GPU });
	tree->root.fake_write = resize;
	tree_attribute(tree, GPU, "resource1_resize", "0000000000007f00");
	unwilling = 0;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct pci_bar bars[PCI_BAR_COUNT];

		err = (struct error){ 0 };
		assert_int_equal(pci_bar_resize(&tree->root, GPU, 1, rows[i].mib, &err),
				 rows[i].result);
		assert_string_equal(err.message, rows[i].message);
		if (rows[i].result < 0)
			continue;
		assert_int_equal(pci_bars_read(&tree->root, GPU, bars), 0);
		assert_int_equal(bars[1].size, rows[i].mib << 20);
	}

	/* what it has is looked at */
	unwilling = 1;
	assert_int_equal(pci_bar_resize(&tree->root, GPU, 1, 1024, &err), -EIO);
	assert_string_equal(err.message, "BAR 1 was given 1024 MiB and has 512");
	tree->root.fake_write = refuse;
	err = (struct error){ 0 };
	assert_int_equal(pci_bar_resize(&tree->root, GPU, 1, 1024, &err), -ENOSPC);
	assert_string_equal(err.message, "BAR 1 cannot be given 1024 MiB: No space left on device");
	err = (struct error){ 0 };
	assert_int_equal(pci_bar_resize(&tree->root, GPU, 2, 1024, &err), -ENOENT);
	assert_string_equal(err.message,
			    "the size of BAR 2 cannot be changed: No such file or directory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(test_regions),
		tree_test(test_six_are_read),
		tree_test(test_sizes),
		tree_test(test_resize),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
