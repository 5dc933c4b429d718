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
	cleanup_pci_device struct pci_device device = { 0 };
	cleanup_nodes struct device_nodes nodes = { 0 };
	struct pci_address address;
	struct error err = { 0 };
	struct text text = { 0 };
	char *found;

	assert_int_equal(pci_address_parse(GPU, &address), 0);
	assert_int_equal(pci_device_read(&tree->root, address, &device, &err), 0);
	if (nodes_find(&tree->root, &device, &nodes, &err) != 0)
		fail_msg("%s", err.message);
	for (size_t i = 0; i < nodes.count; i++) {
		const struct node_id *id = &nodes.items[i].id;

		text_add(&text, "%s%s%s", i > 0 ? " " : "", nodes.items[i].path,
			 nodes.items[i].any ? "*" : "");
		if (id->type)
			text_add(&text, "(%c%u:%u)", id->type, id->major, id->minor);
	}
	found = text_take(&text);
	assert_string_equal(found, expected);
	free(found);
}

static void build(const struct tree *tree, const char *driver)
{
	tree_add_device(tree,
			&(struct tree_device){ GPU, .class_code = 0x030000, .driver = driver });
}

static void all_that_is_below_is_found(void **state)
{
	const struct tree *tree = *state;

	build(tree, "amdgpu");
	assert_nodes(tree, "");
	add(tree, "drm", "card0", GPU "/drm/card0", "dri/card0");
	add(tree, "drm", "card0-HDMI-A-1", GPU "/drm/card0/card0-HDMI-A-1", NULL);
	add(tree, "sound", "card1", GPU "/sound/card1", NULL);
	add(tree, "sound", "controlC1", GPU "/sound/card1/controlC1", "snd/controlC1");
	tree_file(tree, "sys/devices/pci0000:00/" GPU "/drm/card0/dev", "226:0\n");
	/* another device's, and no device's */
	add(tree, "drm", "card1", "0000:02:00.0/drm/card1", "dri/card1");
	add(tree, "graphics", "fbcon", "virtual/graphics/fbcon", NULL);
	assert_nodes(tree, "/dev/dri/card0(c226:0) /dev/snd/controlC1");
	/* the kernel's own list of numbers */
	tree_link(tree, "sys/dev/char/226:0", "../../devices/pci0000:00/" GPU "/drm/card0");
	tree_link(tree, "sys/dev/block/259:1",
		  "../../devices/pci0000:00/" GPU "/nvme/nvme0/nvme0n1");
	tree_file(tree, "sys/devices/pci0000:00/" GPU "/nvme/nvme0/nvme0n1/dev", "259:1\n");
	tree_link(tree, "sys/class/block/nvme0n1",
		  "../../devices/pci0000:00/" GPU "/nvme/nvme0/nvme0n1");
	assert_nodes(tree, "/dev/dri/card0(c226:0) (b259:1) /dev/nvme0 /dev/ng0n1 "
			   "/dev/snd/controlC1");
}

/* The host listens to keyboards, and a root hub is the controller itself. */
static void what_nobody_misses_is_left_out(void **state)
{
	const struct tree *tree = *state;
	const char *usb = "../../devices/pci0000:00/" GPU "/usb3";

	build(tree, "xhci_hcd");
	tree_folder(tree, "sys/devices/pci0000:00/" GPU "/usb3/3-1");
	tree_link(tree, "sys/dev/char/13:64", "../../devices/pci0000:00/" GPU "/usb3/3-1");
	tree_link(tree, "sys/dev/char/189:256", usb);
	assert_nodes(tree, "");
	tree_link(tree, "sys/dev/char/189:257", "../../devices/pci0000:00/" GPU "/usb3/3-1");
	assert_nodes(tree, "(c189:257)");
}

static void vfio_has_groups_and_devices(void **state)
{
	const struct tree *tree = *state;

	build(tree, "e1000e");
	tree_group(tree, GPU, 14);
	assert_nodes(tree, "");
	/* which VFIO device it is cannot be determined */
	tree_bind(tree, GPU, "vfio-pci");
	assert_nodes(tree, "/dev/vfio/14 /dev/vfio/devices/*");
	tree_folder(tree, "sys/devices/pci0000:00/" GPU "/vfio-dev/vfio3");
	assert_nodes(tree, "/dev/vfio/14 /dev/vfio/devices/vfio3");
	tree_file(tree, "sys/devices/pci0000:00/" GPU "/vfio-dev/vfio3/dev", "511:3\n");
	tree_file(tree, "sys/class/vfio/14/dev", "243:0\n");
	assert_nodes(tree, "/dev/vfio/14(c243:0) /dev/vfio/devices/vfio3(c511:3)");
	tree_remove(tree, "sys/devices/pci0000:00/" GPU "/driver");
	tree_remove(tree, "sys/devices/pci0000:00/" GPU "/vfio-dev");
	assert_nodes(tree, "/dev/vfio/14(c243:0)");
}

/* The file is NVIDIA's own: blanks and tabs before the value, and other lines around it. */
static void nvidia_tells_the_minor(void **state)
{
	static const struct {
		const char *information, *nodes;
	} rows[] = {
		{ "Model: \t\t NVIDIA GeForce RTX 3070\nIRQ:   \t\t 42\nDevice Minor: \t 3\n"
		  "GPU Excluded:\t No\n",
		  "/dev/nvidia3(c195:3)" },
		{ "Device Minor:0", "/dev/nvidia0(c195:0)" },
		{ "Device Minor: \t 255\n", "/dev/nvidia255(c195:255)" },
		{ "Device Minor: \t 256\n", "" },
		{ "Device Minor: \t \n", "" },
		{ "Device Minor: \t x\n", "" },
		{ "Device Minor: \t -1\n", "" },
		{ "Model: x\n", "" },
		{ "", "" },
	};
	const struct tree *tree = *state;

	build(tree, "nvidia");
	for (size_t i = 0; i < COUNT(rows); i++) {
		tree_file(tree, INFORMATION, "%s", rows[i].information);
		assert_nodes(tree, rows[i].nodes);
	}
	/* a card whose file is another's */
	tree_remove(tree, INFORMATION);
	tree_file(tree, "proc/driver/nvidia/gpus/0000:02:00.0/information", "Device Minor: 1\n");
	assert_nodes(tree, "");
}

static void nvidias_switches_have_a_major(void **state)
{
	const struct tree *tree = *state;

	build(tree, "nvidia-nvswitch");
	assert_nodes(tree, "/dev/nvidia-nvswitch*");
	tree_file(tree, "proc/devices",
		  "Character devices:\n  1 mem\n195 nvidia-frontend\n507 nvidia-nvswitch\n\n"
		  "Block devices:\n  8 sd\n");
	assert_nodes(tree, "/dev/nvidia-nvswitch*(c507:0)");
}

static void what_cannot_be_read_is_an_error(void **state)
{
	const struct tree *tree = *state;
	struct pci_device device = { .name = GPU, .driver = (char[]){ "nvidia" } };
	cleanup_nodes struct device_nodes nodes = { 0 };
	struct error err = { 0 };

	device.iommu_group = IOMMU_GROUP_NONE;
	tree_folder(tree, INFORMATION);
	assert_int_equal(nodes_find(&tree->root, &device, &nodes, &err), -EISDIR);
	assert_string_equal(err.message, "cannot list the nodes of " GPU ": Is a directory");
	tree_remove(tree, INFORMATION);
	tree_file(tree, "sys/dev/char", "%s", "");
	err = (struct error){ 0 };
	assert_int_equal(nodes_find(&tree->root, &device, &nodes, &err), -ENOTDIR);
	assert_string_equal(err.message, "cannot list the nodes of " GPU ": Not a directory");
}

/* By number where both have one, whatever the path; else by path, or how it begins. */
static void a_node_is_known_by_its_number(void **state)
{
	char render[] = "/dev/dri/renderD128", caps[] = "/dev/nvidia-caps/";
	const struct device_node node = { .id = { 'c', 226, 128 }, .path = render };
	const struct device_node any = { .id = { 'c', 507, 0 }, .any = true, .path = caps };

	(void)state;
	assert_true(node_is(&node, &(struct node_id){ 'c', 226, 128 }, "/srv/gpu"));
	assert_false(node_is(&node, &(struct node_id){ 'b', 226, 128 }, render));
	assert_false(node_is(&node, &(struct node_id){ 'c', 226, 129 }, render));
	assert_true(node_is(&node, &(struct node_id){ 0 }, render));
	assert_false(node_is(&node, &(struct node_id){ 0 }, "/dev/dri/renderD1280"));
	assert_true(node_is(&any, &(struct node_id){ 'c', 507, 9 }, "/x"));
	assert_false(
		node_is(&any, &(struct node_id){ 'c', 508, 9 }, "/dev/nvidia-caps/nvidia-cap1"));
	assert_true(node_is(&any, &(struct node_id){ 0 }, "/dev/nvidia-caps/nvidia-cap1"));
}

static void drivers_share_nodes(void **state)
{
	cleanup_nodes struct device_nodes nodes = { 0 };
	const struct tree *tree = *state;

	tree_file(tree, "sys/class/kfd/kfd/dev", "236:0\n");
	assert_int_equal(nodes_find_shared(&tree->root, "amdgpu", GPU, &nodes, NULL), 0);
	assert_int_equal(nodes.count, 1);
	assert_string_equal(nodes.items[0].path, "/dev/kfd");
	assert_int_equal(nodes.items[0].id.major, 236);
	assert_int_equal(nodes_find_shared(&tree->root, "nvidia", GPU, &nodes, NULL), 0);
	assert_int_equal(nodes.count, 7);
	assert_int_equal(nodes_find_shared(&tree->root, "e1000e", GPU, &nodes, NULL), 0);
	assert_int_equal(nodes.count, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(all_that_is_below_is_found),
		tree_test(what_nobody_misses_is_left_out),
		tree_test(vfio_has_groups_and_devices),
		tree_test(nvidia_tells_the_minor),
		tree_test(nvidias_switches_have_a_major),
		tree_test(what_cannot_be_read_is_an_error),
		cmocka_unit_test(a_node_is_known_by_its_number),
		tree_test(drivers_share_nodes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
