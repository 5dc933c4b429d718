/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: who has a VFIO device of the fake kernel open. */
#include "fake_write.h"

#include <fcntl.h>
#include <sys/stat.h>

/* ".fake/open/GROUP" */
static void open_file(const struct tree *tree, const char *address, char path[PATH_MAX])
{
	char link[PATH_MAX], group[NAME_SIZE];

	tree_format(link, DEVICES "%s/iommu_group", address);
	link_name(tree, link, group);
	tree_format(path, ".fake/open/%s", group);
}

bool is_group_open(const struct tree *tree, const char *address)
{
	char path[PATH_MAX];

	open_file(tree, address, path);
	return tree_has(tree, path);
}

int fake_open(const struct sysroot *root, const char *path)
{
	char file[PATH_MAX];
	struct stat status;

	if (!text_starts_with(path, "dev/vfio/"))
		return 0;
	snprintf(file, sizeof(file), "%s/.fake/open/%s", root->path, path + strlen("dev/vfio/"));
	/* a FIFO that nobody writes to */
	if (stat(file, &status) == 0 && S_ISFIFO(status.st_mode))
		close(open(file, O_RDONLY | O_CLOEXEC));
	return access(file, F_OK) == 0 ? -EBUSY : 0;
}

void fake_open_group(const struct fake_kernel *kernel, const char *address)
{
	char path[PATH_MAX];

	open_file(&kernel->tree, address, path);
	tree_bytes(&kernel->tree, path, "", 0);
}

void fake_silence_group(const struct fake_kernel *kernel, const char *address)
{
	char path[PATH_MAX];

	fake_open_group(kernel, address);
	fake_close(kernel, address);
	open_file(&kernel->tree, address, path);
	assert_int_equal(mkfifoat(kernel->tree.root.fd, path, 0600), 0);
}

void fake_open_device(const struct fake_kernel *kernel, const char *address, pid_t pid, bool groups)
{
	char path[PATH_MAX], group[NAME_SIZE];

	tree_format(path, DEVICES "%s/iommu_group", address);
	link_name(&kernel->tree, path, group);
	fake_open_group(kernel, address);
	if (!groups) {
		tree_format(path, "dev/vfio/%s", group);
		tree_remove(&kernel->tree, path);
		tree_format(path, ".fake/no-group-nodes");
		tree_bytes(&kernel->tree, path, "", 0);
	}
	/* any number but the group's */
	tree_format(path, DEVICES "%s/vfio-dev/vfio1%s/dev", address, group);
	tree_file(&kernel->tree, path, "510:1\n");
	tree_format(path, "dev/vfio/devices/vfio1%s", group);
	tree_bytes(&kernel->tree, path, "", 0);
	tree_process(&kernel->tree, pid, "kvm", 0);
	tree_process_opens(&kernel->tree, pid, 20, "/dev/iommu");
	tree_format(path, "/dev/vfio/devices/vfio1%s", group);
	tree_process_opens(&kernel->tree, pid, 21, path);
}

void fake_close(const struct fake_kernel *kernel, const char *address)
{
	struct strings names = { 0 };
	char path[PATH_MAX];

	open_file(&kernel->tree, address, path);
	tree_remove(&kernel->tree, path);
	sysroot_list(&kernel->tree.root, "proc", &names);
	for (size_t i = 0; i < names.count; i++) {
		tree_format(path, "proc/%s/fd/21", names.items[i]);
		if (tree_has(&kernel->tree, path))
			tree_remove(&kernel->tree, path);
	}
	strings_done(&names);
}
