/* SPDX-License-Identifier: GPL-2.0-or-later */
/* use: device nodes. Opens none. */
#include "use/node.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "use/child.h"

#define NVIDIA_MINOR "Device Minor:"

/* Classes whose nodes a process holds while it uses the device. */
static const char *const folders[] = {
	"sys/class/drm",
	"sys/class/sound",
	"sys/class/graphics",
	"sys/class/accel",
};

static int add_node(const struct sysroot *root, const char *folder, const char *name,
		    struct strings *nodes)
{
	cleanup_free char *node = NULL, *full = NULL;
	char path[SYSROOT_PATH_MAX];
	int r;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	if (child_is_behind_usb(root, path))
		return 0;
	r = child_node(root, path, &node);
	/* A sound card or a connector has no node of its own; and a child may go meanwhile. */
	if (r == -ENOENT || r == -ENODEV)
		return 0;
	if (r < 0)
		return r;
	full = text_format("/%s", node);
	return full ? strings_add(nodes, full) : -ENOMEM;
}

int nodes_nvidia_minor(const struct sysroot *root, const char *address, unsigned *ret)
{
	cleanup_free char *information = NULL;
	char path[SYSROOT_PATH_MAX];
	const char *number;
	uint64_t minor;
	int r;

	snprintf(path, sizeof(path), "proc/driver/nvidia/gpus/%s/information", address);
	r = sysroot_read_attribute(root, path, &information);
	if (r < 0)
		return r;
	number = strstr(information, NVIDIA_MINOR);
	if (!number)
		return -ENOENT;
	number += strlen(NVIDIA_MINOR);
	number += strspn(number, " \t");
	if (parse_number(number, strspn(number, "0123456789"), 10, UINT8_MAX, &minor) < 0)
		return -ENOENT;
	*ret = (unsigned)minor;
	return 0;
}

static int add_nvidia(const struct sysroot *root, const char *address, struct strings *nodes)
{
	cleanup_free char *node = NULL;
	unsigned minor;
	int r = nodes_nvidia_minor(root, address, &minor);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	node = text_format("/dev/nvidia%u", minor);
	return node ? strings_add(nodes, node) : -ENOMEM;
}

int nodes_find(const struct sysroot *root, const char *address, struct strings *nodes,
	       struct error *err)
{
	int r = 0;

	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders) && r == 0; i++) {
		cleanup_strings struct strings names = { 0 };

		r = child_list(root, folders[i], address, &names);
		for (size_t k = 0; k < names.count && r == 0; k++)
			r = add_node(root, folders[i], names.items[k], nodes);
	}
	if (r == 0)
		r = add_nvidia(root, address, nodes);
	if (r < 0)
		return error_set(err, r, "cannot list the nodes of %s: %s", address, strerror(-r));
	return 0;
}

int nodes_nvidia_shared(struct strings *nodes)
{
	static const char *const names[] = {
		"/dev/nvidiactl",
		"/dev/nvidia-modeset",
		"/dev/nvidia-uvm",
		"/dev/nvidia-uvm-tools",
	};
	int r = 0;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names) && r == 0; i++)
		r = strings_add(nodes, names[i]);
	return r;
}
