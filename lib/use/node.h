/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * use: the device nodes by which processes use a PCI function. While one is open, the driver's
 * remove can wait for ever, or take the host down. A node is known by its number, since a container
 * or mknod(1) can give it any path; paths are for people, and for trees, which have no devices.
 */
#pragma once

#include "pci/device.h"

/* What stat(2) says of a node. */
struct node_id {
	char type; /* 'c' or 'b'; 0: not known, as in a recorded tree */
	unsigned major, minor;
};

enum node_kind {
	NODE_OWN,      /* of the function or of what hangs on it: GPU, disk, tuner, USB stick */
	NODE_SHARED,   /* all functions with its driver share it, and all of them go */
	NODE_VFIO,     /* a process that has it has the function: group or VFIO device */
	NODE_MDEV,     /* of the mediated device `part` of the function */
	NODE_FUNCTION, /* of its virtual function `part` */
};

struct device_node {
	enum node_kind kind;
	struct node_id id;
	bool any;			/* each of that major; or each whose path begins so */
	char *path;			/* "/dev/dri/card0"; "" where the number tells */
	char address[PCI_ADDRESS_TEXT]; /* the function */
	char part[40];			/* a UUID, an address, or "" */
};

/* Started as { 0 }. */
struct device_nodes {
	struct device_node *items;
	size_t count;
};

/*
 * Adds the nodes of a function:
 *
 * - of all that is below it in sysfs and has a number, at any depth: the links in /sys/dev
 *   (Documentation/ABI/stable/sysfs-dev), and the folders themselves in a tree, which need not have
 *   these. Left out are input devices, since the host listens to them and a keyboard may be pulled, and
 *   the root hubs of USB;
 * - /dev/nvidiaN and those of NVIDIA's switches, which are not there: proc/driver/nvidia/gpus, and
 *   the majors in /proc/devices;
 * - of VFIO, where it has a VFIO driver or none (Documentation/driver-api/vfio.rst): the group's
 *   node, and /dev/vfio/devices/vfioN of its folder vfio-dev (Documentation/ABI/testing/sysfs-devices-vfio-dev);
 * - of VFIO for its mediated devices (Documentation/driver-api/vfio-mediated-device.rst).
 *
 * 0 or -errno; does not block.
 */
int nodes_find(const struct sysroot *root, const struct pci_device *device,
	       struct device_nodes *nodes, struct error *err) must_check;

/* Adds the nodes of a function's virtual functions, as nodes of the function. */
int nodes_find_functions(const struct sysroot *root, const struct pci_device *device,
			 struct device_nodes *nodes, struct error *err) must_check;

/*
 * Adds the nodes that all functions with this driver share: /dev/nvidiactl, /dev/nvidia-caps/…,
 * /dev/kfd. `address` is one of them.
 */
int nodes_find_shared(const struct sysroot *root, const char *driver, const char *address,
		      struct device_nodes *nodes, struct error *err) must_check;

/* What the path ("dev/sda") leads to; `ret_path` with its links followed. 0 or -errno. */
int node_look(const struct sysroot *root, const char *path, struct node_id *ret, char **ret_path);

/* It is that node: by number where both have one, else by path. */
bool node_is(const struct device_node *node, const struct node_id *id, const char *path);

void nodes_done(struct device_nodes *nodes);
#define cleanup_nodes cleanup(nodes_done)

/*
 * The N of /dev/nvidiaN: NVIDIA's own driver makes no children in sysfs and writes it as "Device
 * Minor:" in /proc/driver/nvidia/gpus/ADDRESS/information. -ENOENT where it does not.
 */
int nodes_nvidia_minor(const struct sysroot *root, const char *address, unsigned *ret);
