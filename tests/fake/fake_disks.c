/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: disks of the fake kernel's functions, what is built on them, and a udev that does so. */
#include "fake_write.h"

#include "use/block.h"

#define DISKS	".fake/disks/"
#define LAYERS	".fake/layers"
#define VIRTUAL "devices/virtual/block"

static void show_block(const struct tree *tree, const char *folder, const char *name)
{
	char path[PATH_MAX], target[PATH_MAX];

	tree_format(path, "sys/%s/%s/dev", folder, name);
	tree_file(tree, path, "250:%u\n", (unsigned)strlen(name));
	tree_format(path, "sys/%s/%s/uevent", folder, name);
	tree_bytes(tree, path, "", 0);
	tree_format(path, "sys/%s/%s/holders", folder, name);
	tree_folder(tree, path);
	tree_format(path, "sys/%s/%s/slaves", folder, name);
	tree_folder(tree, path);
	tree_format(path, BLOCK_CLASS "/%s", name);
	tree_format(target, "../../%s/%s", folder, name);
	tree_link(tree, path, target);
}

static bool is_there(const struct tree *tree, const char *name)
{
	char path[PATH_MAX];

	tree_format(path, BLOCK_CLASS "/%s", name);
	return tree_has(tree, path);
}

static void link_layer(const struct tree *tree, const char *below, const char *name)
{
	char path[PATH_MAX], target[PATH_MAX];

	tree_format(path, BLOCK_CLASS "/%s/holders/%s", below, name);
	tree_format(target, "/sys/" VIRTUAL "/%s", name);
	tree_link(tree, path, target);
	tree_format(path, BLOCK_CLASS "/%s/slaves/%s", name, below);
	tree_format(target, "/sys/class/block/%s", below);
	tree_link(tree, path, target);
}

/* "dm-0 nvme0n1 lvm guest-root": builds it where what it is built on is there. */
static void build(const struct tree *tree, const char *description)
{
	cleanup_free char *copy = strdup(description);
	char *rest = copy, *name = strsep(&rest, " "), *on = strsep(&rest, " ");
	char *kind = strsep(&rest, " "), *below, path[PATH_MAX];

	for (char *at = on; *at; at += strcspn(at, ","), at += *at == ',') {
		cleanup_free char *one = strndup(at, strcspn(at, ","));

		if (!is_there(tree, one))
			return;
	}
	if (is_there(tree, name))
		return;
	show_block(tree, VIRTUAL, name);
	if (strcmp(kind, "md") == 0) {
		tree_format(path, BLOCK_CLASS "/%s/md/array_state", name);
		tree_file(tree, path, "clean\n");
	} else {
		tree_format(path, BLOCK_CLASS "/%s/dm/name", name);
		tree_file(tree, path, "%s\n", rest);
		tree_format(path, BLOCK_CLASS "/%s/dm/uuid", name);
		tree_file(tree, path, "%s-%s\n", strcmp(kind, "lvm") == 0 ? "LVM" : "CRYPT", name);
	}
	while ((below = strsep(&on, ",")))
		link_layer(tree, below, name);
}

static void build_all(const struct tree *tree)
{
	struct strings layers = { 0 };

	sysroot_list(&tree->root, LAYERS, &layers);
	for (size_t i = 0; i < layers.count; i++) {
		char *description, path[PATH_MAX];

		tree_format(path, LAYERS "/%s", layers.items[i]);
		description = tree_read(tree, path);
		build(tree, description);
		free(description);
	}
	strings_done(&layers);
}

/* The host's driver has the function: its disks are there, and udev builds what is to come again. */
static void show_disks(const struct tree *tree, const char *address)
{
	struct strings disks = { 0 };
	char path[PATH_MAX], folder[PATH_MAX];
	bool new = false;

	tree_format(path, DISKS "%s", address);
	sysroot_list(&tree->root, path, &disks);
	tree_format(folder, "devices/pci0000:00/%s/nvme", address);
	for (size_t i = 0; i < disks.count; i++) {
		if (is_there(tree, disks.items[i]))
			continue;
		show_block(tree, folder, disks.items[i]);
		new = true;
	}
	if (new)
		build_all(tree);
	strings_done(&disks);
}

static void hide_disks(const struct tree *tree, const char *address)
{
	struct strings disks = { 0 };
	char path[PATH_MAX];

	tree_format(path, DISKS "%s", address);
	sysroot_list(&tree->root, path, &disks);
	for (size_t i = 0; i < disks.count; i++) {
		tree_format(path, "sys/devices/pci0000:00/%s/nvme/%s", address, disks.items[i]);
		tree_remove(tree, path);
		tree_format(path, BLOCK_CLASS "/%s", disks.items[i]);
		tree_remove(tree, path);
	}
	strings_done(&disks);
}

void update_disks(const struct tree *tree, const char *address, const char *driver)
{
	if (driver && !strstr(driver, "vfio"))
		show_disks(tree, address);
	else
		hide_disks(tree, address);
}

void fake_disk(const struct fake_kernel *kernel, const char *address, const char *name)
{
	char path[PATH_MAX], driver[NAME_SIZE];

	tree_bytes(&kernel->tree, "dev/mapper/control", "", 0);
	tree_file(&kernel->tree, "proc/1/mountinfo", "22 1 8:0 / / rw - ext4 /dev/sda rw\n");
	tree_format(path, DISKS "%s/%s", address, name);
	tree_bytes(&kernel->tree, path, "", 0);
	bound_driver(&kernel->tree, address, driver);
	update_disks(&kernel->tree, address, *driver ? driver : NULL);
}

void fake_layer(const struct fake_kernel *kernel, const char *description, bool again)
{
	struct strings layers = { 0 };
	char path[PATH_MAX];

	build(&kernel->tree, description);
	if (!again)
		return;
	sysroot_list(&kernel->tree.root, LAYERS, &layers);
	tree_format(path, LAYERS "/%02zu", layers.count);
	tree_file(&kernel->tree, path, "%s", description);
	strings_done(&layers);
}

bool fake_has_layer(const struct fake_kernel *kernel, const char *name)
{
	return is_there(&kernel->tree, name);
}

bool find_mapper(const struct tree *tree, const char *uuid, char name[NAME_SIZE])
{
	struct strings names = { 0 };
	bool found = false;

	sysroot_list(&tree->root, BLOCK_CLASS, &names);
	for (size_t i = 0; !found && i < names.count; i++) {
		cleanup_free char *value = NULL;
		char path[PATH_MAX];

		tree_format(path, BLOCK_CLASS "/%s/dm/uuid", names.items[i]);
		found = sysroot_read_attribute(&tree->root, path, &value) == 0 &&
			strcmp(value, uuid) == 0;
		if (found)
			snprintf(name, NAME_SIZE, "%s", names.items[i]);
	}
	strings_done(&names);
	return found;
}

static int remove_layer(const struct tree *tree, const char *name)
{
	struct strings holders = { 0 }, below = { 0 };
	char path[PATH_MAX];
	int r = 0;

	tree_format(path, BLOCK_CLASS "/%s/holders", name);
	sysroot_list(&tree->root, path, &holders);
	if (holders.count > 0)
		r = -EBUSY;
	tree_format(path, BLOCK_CLASS "/%s/slaves", name);
	sysroot_list(&tree->root, path, &below);
	for (size_t i = 0; r == 0 && i < below.count; i++) {
		tree_format(path, BLOCK_CLASS "/%s/holders/%s", below.items[i], name);
		if (is_there(tree, below.items[i]))
			tree_remove(tree, path);
	}
	if (r == 0) {
		tree_format(path, "sys/" VIRTUAL "/%s", name);
		tree_remove(tree, path);
		tree_format(path, BLOCK_CLASS "/%s", name);
		tree_remove(tree, path);
	}
	strings_done(&holders);
	strings_done(&below);
	return r;
}

/* Two disks of one layer are announced, and let go of, by two processes. */
int change_layer(const struct fake_write *write)
{
	int lock = take_lock(write->tree, ".fake/lock"), r = 0;

	if (strcmp(write->name, "uevent") == 0)
		build_all(write->tree);
	else
		r = remove_layer(write->tree, write->address);
	close(lock);
	return r;
}
