/* SPDX-License-Identifier: GPL-2.0-or-later */
/* use: device nodes. Opens none but with O_PATH. */
#include "use/node.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/array.h"
#include "base/directory.h"
#include "base/number.h"
#include "use/child.h"
#include "use/sriov.h"

#define NVIDIA_MINOR "Device Minor:"
#define VFIO_FOLDER  "/dev/vfio/"
#define VFIO_DEVICES "/dev/vfio/devices/"

/* Documentation/admin-guide/devices.txt */
#define MAJOR_INPUT	   13
#define MAJOR_USB	   189
#define MAJOR_NVIDIA	   195

#define USB_MAXBUS_DEVICES 128 /* of one bus: drivers/usb/core/usb.c */

/* No device is that deep in sysfs: a USB stick at five hubs is at 20. */
#define DEPTH_MAX 32

/* To look through more folders costs more than to look at all numbers of the machine. */
#define FOLDERS_MOST 48

/* While the nodes of one function are looked for. */
struct finding_nodes {
	const struct sysroot *root;
	const char *address;
	struct device_nodes *nodes;
	bool virtual;	  /* it is a virtual function: its maker's driver may do VFIO itself */
	unsigned *walked; /* folders that were looked through, of all functions with that memory */
};

static bool is_same(const struct device_node *node, const struct node_id *id, const char *path)
{
	if (node->any)
		return false;
	if (node->id.type && id->type)
		return node->id.type == id->type && node->id.major == id->major &&
		       node->id.minor == id->minor;
	return strcmp(node->path, path) == 0;
}

/* The first device of each bus is the controller's own, which nobody uses for itself. */
static bool is_root_hub(const struct node_id *id)
{
	return id->major == MAJOR_USB && id->minor % USB_MAXBUS_DEVICES == 0;
}

static int add(const struct finding_nodes *finding, enum node_kind kind, struct node_id id,
	       const char *path)
{
	struct device_nodes *nodes = finding->nodes;
	struct device_node *added;

	if (id.type == 'c' && (id.major == MAJOR_INPUT || is_root_hub(&id)))
		return 0;
	for (size_t i = 0; i < nodes->count; i++)
		if (is_same(&nodes->items[i], &id, path) &&
		    strcmp(nodes->items[i].address, finding->address) == 0)
			return 0;
	if (array_reserve(&nodes->items, nodes->count, sizeof(*added)) < 0)
		return -ENOMEM;
	added = &nodes->items[nodes->count];
	*added = (struct device_node){ .kind = kind, .id = id, .path = strdup(path) };
	if (!added->path)
		return -ENOMEM;
	snprintf(added->address, sizeof(added->address), "%s", finding->address);
	nodes->count++;
	return 0;
}

/* Of nodes that only their major, or what their paths begin with, tells. */
static int add_any(const struct finding_nodes *finding, enum node_kind kind, struct node_id id,
		   const char *path)
{
	size_t before = finding->nodes->count;
	int r = add(finding, kind, id, path);

	if (r == 0 && finding->nodes->count > before)
		finding->nodes->items[before].any = true;
	return r;
}

/* "226:128" */
static bool parse_number_pair(const char *text, char type, struct node_id *ret)
{
	size_t size = strcspn(text, ":");
	uint64_t major, minor;

	if (!text[size] || parse_number(text, size, 10, UINT32_MAX, &major) < 0 ||
	    parse_number(text + size + 1, strlen(text + size + 1), 10, UINT32_MAX, &minor) < 0)
		return false;
	*ret = (struct node_id){ type, (unsigned)major, (unsigned)minor };
	return true;
}

static int add_path(const struct finding_nodes *finding, struct node_id id, const char *path)
{
	bool vfio = text_starts_with(path, VFIO_FOLDER);

	return add(finding, vfio ? NODE_VFIO : NODE_OWN, id, path);
}

/* `folder` is /sys/dev/char or /sys/dev/block: links named "226:128". */
static int add_numbers(const struct finding_nodes *finding, const char *folder, char type)
{
	cleanup_strings struct strings numbers = { 0 };
	int r = child_list(finding->root, folder, finding->address, &numbers);

	for (size_t i = 0; i < numbers.count && r == 0; i++) {
		cleanup_free char *node = NULL, *path = NULL;
		char link[SYSROOT_PATH_MAX];
		struct node_id id;

		if (!parse_number_pair(numbers.items[i], type, &id))
			continue;
		snprintf(link, sizeof(link), "%s/%s", folder, numbers.items[i]);
		if (!finding->root->live && child_node(finding->root, link, &node) == 0)
			path = text_format("/%s", node);
		else
			path = strdup("");
		r = path ? add_path(finding, id, path) : -ENOMEM;
	}
	return r;
}

/* ---- what is below the function's folder */

/*
 * Groups of attributes and other folders in which there is no device: of each device (dpm_sysfs_add(),
 * MSI), network interface (net-sysfs.c), disk (genhd.c, blk-mq-sysfs.c) and codec (hdac_sysfs.c).
 */
static const char *const barren[] = { "power",	 "msi_irqs", "statistics", "queues", "queue",  "mq",
				      "holders", "slaves",   "integrity",  "trace",  "widgets" };

/* What the kernel calls the node of a folder without DEVNAME: device_get_devnode(). */
static char *default_path(const char *name)
{
	char *path = text_format("/dev/%s", name);

	for (char *at = path ? strchr(path, '!') : NULL; at; at = strchr(at, '!'))
		*at = '/';
	return path;
}

/* A disk; all that is not has a character device. */
static char type_of(const struct sysroot *root, int folder, const char *name)
{
	char path[SYSROOT_PATH_MAX];
	ssize_t size = readlinkat(folder, "subsystem", path, sizeof(path) - 1);

	if (size >= 0) {
		path[size] = '\0';
		return text_equal(strrchr(path, '/'), "/block") ? 'b' : 'c';
	}
	sysroot_path(path, "sys/class/block", name, "");
	return sysroot_exists(root, path) ? 'b' : 'c';
}

/* A namespace has a second, generic node: nvme_add_ns_cdev() in drivers/nvme/host/multipath.c. */
static int add_generic(const struct finding_nodes *finding, const char *name)
{
	cleanup_free char *path = NULL;
	size_t size = strlen("nvme");

	if (!text_starts_with(name, "nvme") || !strchr(name + size, 'n') || strchr(name, 'p'))
		return 0;
	path = text_format("/dev/ng%s", name + size);
	return path ? add_path(finding, (struct node_id){ 0 }, path) : -ENOMEM;
}

/* In a tree not all has a number, and what is open has a path. */
static int add_named(const struct finding_nodes *finding, struct node_id id, const char *folder,
		     const char *parent)
{
	const char *name = strrchr(folder, '/') + 1;
	bool vfio = strcmp(parent, "vfio-dev") == 0;
	cleanup_free char *node = NULL, *path = NULL;
	int r = child_node(finding->root, folder, &node);

	if (r == 0)
		path = text_format("/%s", node);
	else
		path = vfio ? text_format(VFIO_DEVICES "%s", name) : default_path(name);
	if (!path)
		return -ENOMEM;
	if (r == 0 || id.type || vfio || strcmp(parent, "nvme") == 0) {
		r = add_path(finding, id, path);
		if (r < 0)
			return r;
	}
	return add_generic(finding, name);
}

/*
 * A folder below the function's. On the machine the number is all that counts, and reading `uevent`
 * would wait for the lock of a device that is just probed (uevent_show() in drivers/base/core.c since
 * 6.11, and in stable kernels).
 */
static int add_folder(const struct finding_nodes *finding, int fd, bool numbered,
		      const char *folder, const char *parent)
{
	const char *name = strrchr(folder, '/') + 1;
	cleanup_free char *number = NULL;
	struct node_id id = { 0 };
	int r = numbered ? sysroot_read_attribute_in(finding->root, fd, "dev", &number) : 0;

	if (r < 0 && r != -ENOENT && r != -ENODEV)
		return r;
	if (number)
		(void)parse_number_pair(number, type_of(finding->root, fd, name), &id);
	if (!finding->root->live)
		return add_named(finding, id, folder, parent);
	return id.type ? add_path(finding, id, "") : 0;
}

/* The folders in one that is open, in order of name; `ret_numbered`: it has a number, too. */
static int list_folders(int fd, struct strings *folders, bool *ret_numbered)
{
	struct directory directory;
	unsigned char type;
	const char *name;
	int r;

	*ret_numbered = false;
	directory_begin(&directory, fd);
	while ((r = directory_next(&directory, &name, &type)) > 0) {
		*ret_numbered |= strcmp(name, "dev") == 0;
		if ((type == DT_DIR || type == DT_UNKNOWN) && TABLE_FIND(barren, name) < 0 &&
		    strings_add(folders, name) < 0)
			return -ENOMEM;
	}
	strings_sort(folders);
	return r;
}

/* `fd`: the folder, -errno where it is gone; `parent`: the name of the one above, NULL: the function's. */
static int add_folders(const struct finding_nodes *finding, int fd, const char *folder,
		       const char *parent, unsigned depth)
{
	cleanup_strings struct strings folders = { 0 };
	bool numbered;
	int r;

	if (fd < 0)
		return fd == -ENOENT || fd == -ENOTDIR ? 0 : fd;
	if (finding->root->live && (*finding->walked)++ >= FOLDERS_MOST)
		return -E2BIG;
	r = list_folders(fd, &folders, &numbered);
	if (r == 0 && parent)
		r = add_folder(finding, fd, numbered, folder, parent);
	for (size_t i = 0; i < folders.count && r == 0 && depth < DEPTH_MAX; i++) {
		char path[SYSROOT_PATH_MAX];
		cleanup_close int below = -1;

		if (snprintf(path, sizeof(path), "%s/%s", folder, folders.items[i]) >=
		    (int)sizeof(path))
			continue;
		below = sysroot_openat_in(finding->root, fd, folders.items[i],
					  O_RDONLY | O_DIRECTORY);
		r = add_folders(finding, below, path, strrchr(folder, '/') + 1, depth + 1);
	}
	return r;
}

static int add_all_numbers(const struct finding_nodes *finding)
{
	int r = add_numbers(finding, "sys/dev/char", 'c');

	return r < 0 ? r : add_numbers(finding, "sys/dev/block", 'b');
}

/*
 * The folders of a few functions are fewer than the numbers of a machine. Where it is the other way round,
 * as with a disk controller, the numbers tell all there is; in a tree either may be missing.
 */
static int add_devices(const struct finding_nodes *finding, const struct pci_device *device)
{
	bool live = finding->root->live;
	cleanup_close int fd = -1;
	char folder[SYSROOT_PATH_MAX];
	int r = live ? 0 : add_all_numbers(finding);

	if (r == 0 && !device->bridge) {
		pci_attribute_path(folder, device->name, "");
		fd = sysroot_openat(finding->root, folder, O_RDONLY | O_DIRECTORY);
		r = add_folders(finding, fd, folder, NULL, 0);
	}
	return live && (device->bridge || r == -E2BIG) ? add_all_numbers(finding) : r;
}

/* ---- what sysfs does not have */

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

static int add_nvidia(const struct finding_nodes *finding)
{
	cleanup_free char *path = NULL;
	unsigned minor;
	int r = nodes_nvidia_minor(finding->root, finding->address, &minor);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	path = text_format("/dev/nvidia%u", minor);
	if (!path)
		return -ENOMEM;
	return add(finding, NODE_OWN, (struct node_id){ 'c', MAJOR_NVIDIA, minor }, path);
}

/* The number of a character driver that has no folder in sysfs: "511 nvidia-caps" in /proc/devices. */
static struct node_id find_major(const struct sysroot *root, const char *driver)
{
	cleanup_free char *devices = NULL;
	struct node_id id = { 0 };
	char *rest, *line;

	if (sysroot_read_attribute(root, "proc/devices", &devices) < 0)
		return id;
	rest = devices;
	while ((line = strsep(&rest, "\n")) && strcmp(line, "Block devices:") != 0) {
		size_t blanks = strspn(line, " "), digits = strspn(line + blanks, "0123456789");
		uint64_t major;

		if (line[blanks + digits] == ' ' &&
		    strcmp(line + blanks + digits + 1, driver) == 0 &&
		    parse_number(line + blanks, digits, 10, UINT32_MAX, &major) == 0)
			return (struct node_id){ 'c', (unsigned)major, 0 };
	}
	return id;
}

/* With which driver which nodes are shared; those of a switch are its own as much. */
static const struct {
	const char *driver, *path, *name;
	int minor; /* of NVIDIA's major; -1: all of the major that has that name */
} shared[] = {
	{ "nvidia", "/dev/nvidiactl", NULL, 255 },
	{ "nvidia", "/dev/nvidia-modeset", NULL, 254 },
	{ "nvidia", "/dev/nvidia-uvm", "nvidia-uvm", -1 },
	{ "nvidia", "/dev/nvidia-caps/", "nvidia-caps", -1 },
	{ "nvidia", "/dev/nvidia-caps-imex-channels/", "nvidia-caps-imex-channels", -1 },
	{ "nvidia", "/dev/nvidia-vgpu", NULL, -1 },
	{ "nvidia-nvswitch", "/dev/nvidia-nvswitch", "nvidia-nvswitch", -1 },
};

static int add_shared(const struct finding_nodes *finding, const char *driver, enum node_kind kind)
{
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(shared) && r == 0; i++) {
		struct node_id id = { 0 };

		if (strcmp(shared[i].driver, driver) != 0)
			continue;
		if (shared[i].minor >= 0)
			r = add(finding, kind,
				(struct node_id){ 'c', MAJOR_NVIDIA, (unsigned)shared[i].minor },
				shared[i].path);
		else {
			if (shared[i].name)
				id = find_major(finding->root, shared[i].name);
			r = add_any(finding, kind, id, shared[i].path);
		}
	}
	return r;
}

/* AMD's compute node, one for all its GPUs: drivers/gpu/drm/amd/amdkfd/kfd_chardev.c. */
static int add_kfd(const struct finding_nodes *finding)
{
	cleanup_free char *number = NULL;
	struct node_id id = { 0 };

	if (sysroot_read_attribute(finding->root, "sys/class/kfd/kfd/dev", &number) == 0)
		(void)parse_number_pair(number, 'c', &id);
	return add(finding, NODE_SHARED, id, "/dev/kfd");
}

int nodes_find_shared(const struct sysroot *root, const char *driver, const char *address,
		      struct device_nodes *nodes, struct error *err)
{
	const struct finding_nodes finding = { .root = root, .address = address, .nodes = nodes };
	int r = strcmp(driver, "amdgpu") == 0 ? add_kfd(&finding)
					      : add_shared(&finding, driver, NODE_SHARED);

	return r < 0 ? error_set_memory(err) : 0;
}

/* ---- VFIO */

static int add_group(const struct finding_nodes *finding, enum node_kind kind, int group)
{
	cleanup_free char *number = NULL, *path = NULL;
	char attribute[SYSROOT_PATH_MAX];
	struct node_id id = { 0 };

	snprintf(attribute, sizeof(attribute), "sys/class/vfio/%d/dev", group);
	if (sysroot_read_attribute(finding->root, attribute, &number) == 0)
		(void)parse_number_pair(number, 'c', &id);
	path = text_format(VFIO_FOLDER "%d", group);
	return path ? add(finding, kind, id, path) : -ENOMEM;
}

/* `folder` is one of "vfio-dev"; *ret_any: it has something in it. */
static int add_vfio_devices(const struct finding_nodes *finding, enum node_kind kind,
			    const char *folder, bool *ret_any)
{
	cleanup_strings struct strings names = { 0 };
	int r = sysroot_list(finding->root, folder, &names);

	*ret_any = r == 0 && names.count > 0;
	if (r < 0)
		return r == -ENOENT || r == -ENOTDIR ? 0 : r;
	for (size_t i = 0; i < names.count && r == 0; i++) {
		cleanup_free char *number = NULL;
		cleanup_free char *path = text_format(VFIO_DEVICES "%s", names.items[i]);
		char attribute[SYSROOT_PATH_MAX];
		struct node_id id = { 0 };

		snprintf(attribute, sizeof(attribute), "%s/%s/dev", folder, names.items[i]);
		if (sysroot_read_attribute(finding->root, attribute, &number) == 0)
			(void)parse_number_pair(number, 'c', &id);
		r = path ? add(finding, kind, id, path) : -ENOMEM;
	}
	return r;
}

/*
 * A group can be open only while each of its devices has a VFIO driver or none
 * (Documentation/driver-api/vfio.rst); all VFIO drivers have it in their name. Which VFIO device is
 * that of a function without the folder vfio-dev cannot be determined, so it may be any.
 */
static int add_vfio(const struct finding_nodes *finding, const struct pci_device *device)
{
	bool vfio = device->driver && strstr(device->driver, "vfio");
	char folder[SYSROOT_PATH_MAX];
	bool known;
	int r = 0;

	if (device->iommu_group == IOMMU_GROUP_NONE)
		return 0;
	if (vfio || !device->driver || finding->virtual)
		r = add_group(finding, NODE_VFIO, device->iommu_group);
	if (r < 0 || (!vfio && !finding->virtual))
		return r;
	pci_attribute_path(folder, finding->address, "vfio-dev");
	r = add_vfio_devices(finding, NODE_VFIO, folder, &known);
	if (r == 0 && !known && vfio)
		r = add_any(finding, NODE_VFIO, (struct node_id){ 0 }, VFIO_DEVICES);
	return r;
}

static int add_mdev(const struct finding_nodes *finding, const char *uuid)
{
	size_t before = finding->nodes->count;
	cleanup_free char *group = NULL;
	char path[SYSROOT_PATH_MAX];
	uint32_t number;
	bool known;
	int r = 0;

	snprintf(path, sizeof(path), "sys/bus/mdev/devices/%s/iommu_group", uuid);
	if (sysroot_link_name(finding->root, path, &group) == 0 && parse_u32(group, &number) == 0 &&
	    number <= INT32_MAX)
		r = add_group(finding, NODE_MDEV, (int)number);
	snprintf(path, sizeof(path), "sys/bus/mdev/devices/%s/vfio-dev", uuid);
	if (r == 0)
		r = add_vfio_devices(finding, NODE_MDEV, path, &known);
	for (size_t i = before; i < finding->nodes->count; i++)
		snprintf(finding->nodes->items[i].part, sizeof(finding->nodes->items[i].part), "%s",
			 uuid);
	return r;
}

static int add_mdevs(const struct finding_nodes *finding)
{
	cleanup_strings struct strings uuids = { 0 };
	int r = child_list(finding->root, "sys/bus/mdev/devices", finding->address, &uuids);

	for (size_t i = 0; i < uuids.count && r == 0; i++)
		r = add_mdev(finding, uuids.items[i]);
	return r;
}

static int find_nodes(const struct sysroot *root, const struct pci_device *device, bool virtual,
		      struct device_nodes *nodes, struct error *err)
{
	unsigned walked = 0;
	const struct finding_nodes finding = {
		.root = root,
		.address = device->name,
		.nodes = nodes,
		.virtual = virtual,
		.walked = root->children ? &root->children->walked : &walked,
	};
	int r = add_mdevs(&finding);

	if (r == 0)
		r = add_vfio(&finding, device);
	/* With a VFIO driver it has no other nodes. */
	if (device->driver && strstr(device->driver, "vfio"))
		return r < 0 ? error_set_memory(err) : 0;
	if (r == 0)
		r = add_devices(&finding, device);
	if (r == 0 && text_equal(device->driver, "nvidia"))
		r = add_nvidia(&finding);
	if (r == 0 && text_equal(device->driver, "nvidia-nvswitch"))
		r = add_shared(&finding, device->driver, NODE_OWN);
	if (r < 0)
		return error_set(err, r, "cannot list the nodes of %s: %s", device->name,
				 strerror(-r));
	return 0;
}

int nodes_find(const struct sysroot *root, const struct pci_device *device,
	       struct device_nodes *nodes, struct error *err)
{
	return find_nodes(root, device, false, nodes, err);
}

int nodes_find_functions(const struct sysroot *root, const struct pci_device *device,
			 struct device_nodes *nodes, struct error *err)
{
	cleanup_pci_addresses struct pci_addresses functions = { 0 };
	int r = sriov_functions_find(root, device->name, &functions, err);

	for (size_t i = 0; i < functions.count && r == 0; i++) {
		cleanup_pci_device struct pci_device function = { 0 };
		size_t before = nodes->count;

		r = pci_device_read(root, functions.items[i], &function, err);
		if (r == -ENODEV) {
			r = 0;
			continue;
		}
		if (r == 0)
			r = find_nodes(root, &function, true, nodes, err);
		for (size_t k = before; k < nodes->count; k++) {
			struct device_node *node = &nodes->items[k];

			node->kind = NODE_FUNCTION;
			snprintf(node->part, sizeof(node->part), "%s", function.name);
			snprintf(node->address, sizeof(node->address), "%s", device->name);
		}
	}
	return r;
}

int node_look(const struct sysroot *root, const char *path, struct node_id *ret, char **ret_path)
{
	cleanup_close int fd = sysroot_openat(root, path, O_PATH);
	struct node_id id = { 0 };
	struct stat status;
	int r;

	if (fd < 0 && fd != -ENOENT)
		return fd;
	r = sysroot_resolve(root, path, ret_path);
	if (r < 0)
		return r;
	if (fd >= 0 && fstat(fd, &status) == 0 &&
	    (S_ISCHR(status.st_mode) || S_ISBLK(status.st_mode)))
		id = (struct node_id){ S_ISCHR(status.st_mode) ? 'c' : 'b', major(status.st_rdev),
				       minor(status.st_rdev) };
	*ret = id;
	return 0;
}

bool node_is(const struct device_node *node, const struct node_id *id, const char *path)
{
	if (node->id.type && id->type)
		return node->id.type == id->type && node->id.major == id->major &&
		       (node->any || node->id.minor == id->minor);
	return node->any ? text_starts_with(path, node->path) : strcmp(path, node->path) == 0;
}

void nodes_done(struct device_nodes *nodes)
{
	for (size_t i = 0; i < nodes->count; i++)
		free(nodes->items[i].path);
	free(nodes->items);
	*nodes = (struct device_nodes){ 0 };
}
