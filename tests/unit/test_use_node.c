/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The device nodes by which processes use a function. */
#include <errno.h>

#include "test.h"
#include "tree.h"
#include "use/node.h"

#define GPU	    "0000:01:00.0"
#define INFORMATION "proc/driver/nvidia/gpus/" GPU "/information"

/* A link of a class to what is at `below` the device, with its node, or without one for NULL. */
static void add(const struct tree *tree, const char *class, const char *name, const char *below,
		const char *node)
{
	char path[PATH_MAX], target[PATH_MAX];

	tree_format(path, "sys/devices/pci0000:00/%s/uevent", below);
	if (node)
		tree_file(tree, path, "MAJOR=1\nMINOR=2\nDEVNAME=%s\n", node);
	else
		tree_file(tree, path, "MODALIAS=x\n");
	tree_format(path, "sys/class/%s/%s", class, name);
	tree_format(target, "../../devices/pci0000:00/%s", below);
	tree_link(tree, path, target);
}

/* All nodes of the GPU, in order, with blanks between. */
static void assert_nodes(const struct tree *tree, const char *expected)
{
	cleanup_strings struct strings nodes = { 0 };
	struct error err = { 0 };
	struct text text = { 0 };
	char *found;

	if (nodes_find(&tree->root, GPU, &nodes, &err) != 0)
		fail_msg("%s", err.message);
	for (size_t i = 0; i < nodes.count; i++)
		text_add(&text, "%s%s", i > 0 ? " " : "", nodes.items[i]);
	found = text_take(&text);
	assert_string_equal(found, expected);
	free(found);
}

static void nodes_of_each_class_are_found(void **state)
{
	const struct tree *tree = *state;

	assert_nodes(tree, "");
	add(tree, "drm", "card0", GPU "/drm/card0", "dri/card0");
	add(tree, "drm", "card0-HDMI-A-1", GPU "/drm/card0/card0-HDMI-A-1", NULL);
	add(tree, "drm", "renderD128", GPU "/drm/renderD128", "dri/renderD128");
	add(tree, "sound", "card1", GPU "/sound/card1", NULL);
	add(tree, "sound", "controlC1", GPU "/sound/card1/controlC1", "snd/controlC1");
	add(tree, "graphics", "fb0", GPU "/graphics/fb0", "fb0");
	add(tree, "accel", "accel0", GPU "/accel/accel0", "accel/accel0");
	/* another device's, and no device's */
	add(tree, "drm", "card1", "0000:02:00.0/drm/card1", "dri/card1");
	add(tree, "graphics", "fbcon", "virtual/graphics/fbcon", NULL);
	tree_file(tree, "sys/class/drm/version", "drm 1.1.0 20060810\n");
	assert_nodes(tree, "/dev/dri/card0 /dev/dri/renderD128 /dev/snd/controlC1 /dev/fb0 "
			   "/dev/accel/accel0");
}

/* A headset at a controller that goes: its driver takes a pulled device as it comes. */
static void what_hangs_on_usb_is_left_out(void **state)
{
	const struct tree *tree = *state;

	add(tree, "sound", "controlC2", GPU "/usb3/3-1/3-1:1.0/sound/card2/controlC2",
	    "snd/controlC2");
	assert_nodes(tree, "");
	add(tree, "sound", "controlC1", GPU "/sound/card1/controlC1", "snd/controlC1");
	assert_nodes(tree, "/dev/snd/controlC1");
}

/* The file is NVIDIA's own: blanks and tabs before the value, and other lines around it. */
static void nvidia_tells_the_minor(void **state)
{
	static const struct {
		const char *information, *nodes;
	} rows[] = {
		{ "Model: \t\t NVIDIA GeForce RTX 3070\nIRQ:   \t\t 42\nDevice Minor: \t 3\n"
		  "GPU Excluded:\t No\n",
		  "/dev/nvidia3" },
		{ "Device Minor:0", "/dev/nvidia0" },
		{ "Device Minor: \t 255\n", "/dev/nvidia255" },
		{ "Device Minor: \t 256\n", "" },
		{ "Device Minor: \t \n", "" },
		{ "Device Minor: \t x\n", "" },
		{ "Device Minor: \t -1\n", "" },
		{ "Model: x\n", "" },
		{ "", "" },
	};
	const struct tree *tree = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		tree_file(tree, INFORMATION, "%s", rows[i].information);
		assert_nodes(tree, rows[i].nodes);
	}
	/* a card whose file is another's */
	tree_remove(tree, INFORMATION);
	tree_file(tree, "proc/driver/nvidia/gpus/0000:02:00.0/information", "Device Minor: 1\n");
	assert_nodes(tree, "");
}

static void what_cannot_be_read_is_an_error(void **state)
{
	const struct tree *tree = *state;
	cleanup_strings struct strings nodes = { 0 };
	struct error err = { 0 };

	tree_folder(tree, INFORMATION);
	assert_int_equal(nodes_find(&tree->root, GPU, &nodes, &err), -EISDIR);
	assert_string_equal(err.message, "cannot list the nodes of " GPU ": Is a directory");
	tree_remove(tree, INFORMATION);
	tree_file(tree, "sys/class/sound", "%s", "");
	err = (struct error){ 0 };
	assert_int_equal(nodes_find(&tree->root, GPU, &nodes, &err), -ENOTDIR);
	assert_string_equal(err.message, "cannot list the nodes of " GPU ": Not a directory");
}

static void nvidia_shares_nodes(void **state)
{
	cleanup_strings struct strings nodes = { 0 };

	(void)state;
	assert_int_equal(nodes_nvidia_shared(&nodes), 0);
	assert_int_equal(nodes.count, 4);
	assert_true(strings_has(&nodes, "/dev/nvidiactl"));
	assert_true(strings_has(&nodes, "/dev/nvidia-modeset"));
	assert_true(strings_has(&nodes, "/dev/nvidia-uvm"));
	assert_true(strings_has(&nodes, "/dev/nvidia-uvm-tools"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(nodes_of_each_class_are_found),
		tree_test(what_hangs_on_usb_is_left_out),
		tree_test(nvidia_tells_the_minor),
		tree_test(what_cannot_be_read_is_an_error),
		cmocka_unit_test(nvidia_shares_nodes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
