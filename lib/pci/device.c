/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pci: functions and IOMMU groups as sysfs shows them. Changes nothing. */
#include "pci/device.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/directory.h"
#include "base/number.h"

/* Configuration space, first 64 bytes: PCI Local Bus Specification 3.0, 6.1. */
#define CONFIG_HEADER_SIZE	  64
#define CONFIG_HEADER_TYPE	  0x0e
#define HEADER_TYPE_MASK	  0x7f /* bit 7: the device has several functions */
#define HEADER_TYPE_NORMAL	  0
#define CLASS_BASE_SUB_PCI_TO_PCI 0x0604

void pci_attribute_path(char path[SYSROOT_PATH_MAX], const char *address, const char *name)
{
	sysroot_path(path, PCI_DEVICES, address, name);
}

/* An attribute that is one number. Relative to the function's folder: its path is walked once. */
static int read_id(const struct sysroot *root, int folder, const char *name, unsigned *ret)
{
	cleanup_free char *value = NULL;
	int r = sysroot_read_attribute_in(root, folder, name, &value);

	return r < 0 ? r : parse_hex_u32(value, ret);
}

/* The last part of what a link points to; -ENOENT where there is none. */
static int read_link(int folder, const char *name, char target[PATH_MAX], const char **ret)
{
	ssize_t size = readlinkat(folder, name, target, PATH_MAX - 1);
	const char *slash;

	if (size < 0)
		return -errno;
	target[size] = '\0';
	slash = strrchr(target, '/');
	*ret = slash ? slash + 1 : target;
	return 0;
}

/*
 * The header type is in configuration space. A device that is asleep or dead reads all ones
 * there, and a recorded tree may have no such file: then the class tells, which the kernel keeps.
 */
static void read_header(const struct sysroot *root, int folder, struct pci_device *device)
{
	cleanup_close int fd = sysroot_openat_in(root, folder, "config", O_RDONLY);
	unsigned char header[CONFIG_HEADER_SIZE];
	size_t ones = 0;

	if (fd < 0 || pread(fd, header, sizeof(header), 0) != (ssize_t)sizeof(header))
		return;
	while (ones < sizeof(header) && header[ones] == 0xff)
		ones++;
	device->dead = ones == sizeof(header);
	if (header[CONFIG_HEADER_TYPE] != 0xff)
		device->bridge =
			(header[CONFIG_HEADER_TYPE] & HEADER_TYPE_MASK) != HEADER_TYPE_NORMAL;
}

static int read_group(int folder, int *ret)
{
	char target[PATH_MAX];
	const char *name;
	uint32_t group;
	int r = read_link(folder, "iommu_group", target, &name);

	if (r == -ENOENT) {
		*ret = IOMMU_GROUP_NONE;
		return 0;
	}
	if (r < 0)
		return r;
	r = parse_u32(name, &group);
	if (r < 0 || group > INT_MAX)
		return -EBADMSG;
	*ret = (int)group;
	return 0;
}

static int read_driver(int folder, char **ret)
{
	char target[PATH_MAX];
	const char *name;
	int r = read_link(folder, "driver", target, &name);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	*ret = strdup(name);
	return *ret ? 0 : -ENOMEM;
}

/*
 * One attribute has all of its ids, as modalias_show() in drivers/pci/pci-sysfs.c writes them:
 * "pci:v00008086d000010D3sv00008086sd0000A01Fbc02sc00i00".
 */
static bool parse_modalias(const char *text, struct pci_device *device)
{
	static const struct {
		const char *name;
		size_t digits;
	} fields[] = { { "pci:v", 8 }, { "d", 8 },  { "sv", 8 }, { "sd", 8 },
		       { "bc", 2 },    { "sc", 2 }, { "i", 2 } };
	uint64_t values[ARRAY_SIZE(fields)];
	const char *at = text;

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		size_t size = strlen(fields[i].name);

		if (!text_starts_with(at, fields[i].name) ||
		    parse_number(at + size, fields[i].digits, 16, UINT16_MAX, &values[i]) < 0)
			return false;
		at += size + fields[i].digits;
	}
	if (*at)
		return false;
	device->vendor = (uint16_t)values[0];
	device->device = (uint16_t)values[1];
	device->subsystem_vendor = (uint16_t)values[2];
	device->subsystem_device = (uint16_t)values[3];
	device->class_code = (uint32_t)(values[4] << 16 | values[5] << 8 | values[6]);
	return true;
}

/* Each from its own attribute, for trees that have no modalias. Bridges have no subsystem ids. */
static int read_ids(const struct sysroot *root, int folder, struct pci_device *device)
{
	unsigned vendor = 0, id = 0, subsystem_vendor = 0, subsystem_id = 0;
	int r;

	r = read_id(root, folder, "vendor", &vendor);
	if (r == 0)
		r = read_id(root, folder, "device", &id);
	if (r == 0)
		r = read_id(root, folder, "class", &device->class_code);
	if (r < 0)
		return r;
	read_id(root, folder, "subsystem_vendor", &subsystem_vendor);
	read_id(root, folder, "subsystem_device", &subsystem_id);
	device->vendor = (uint16_t)vendor;
	device->device = (uint16_t)id;
	device->subsystem_vendor = (uint16_t)subsystem_vendor;
	device->subsystem_device = (uint16_t)subsystem_id;
	return 0;
}

int pci_folder_open(const struct sysroot *root, const char *address)
{
	char path[SYSROOT_PATH_MAX];

	pci_attribute_path(path, address, "");
	return sysroot_openat(root, path, O_PATH | O_DIRECTORY);
}

static int open_device(const struct sysroot *root, struct pci_device *device, struct error *err)
{
	int folder;

	pci_address_format(device->address, device->name);
	folder = pci_folder_open(root, device->name);
	if (folder == -ENOENT)
		return error_set(err, -ENODEV,
				 "there is no PCI device '%s'; 'pve-vfio devices' lists them",
				 device->name);
	if (folder < 0)
		return error_set(err, folder, "cannot open '/" PCI_DEVICES "/%s': %s", device->name,
				 strerror(-folder));
	return folder;
}

static int identify(const struct sysroot *root, int folder, struct pci_device *device)
{
	cleanup_free char *modalias = NULL;

	if (sysroot_read_attribute_in(root, folder, "modalias", &modalias) == 0 &&
	    parse_modalias(modalias, device))
		return 0;
	return read_ids(root, folder, device);
}

int pci_device_identify(const struct sysroot *root, struct pci_address address,
			struct pci_device *ret)
{
	struct pci_device device = { .address = address, .iommu_group = IOMMU_GROUP_NONE };
	cleanup_free char *modalias = NULL;
	cleanup_close int folder = -1;
	char path[SYSROOT_PATH_MAX];
	int r = 0;

	/* One attribute is all that is needed, but in a tree that has none. */
	pci_address_format(address, device.name);
	pci_attribute_path(path, device.name, "modalias");
	if (sysroot_read_attribute(root, path, &modalias) < 0 ||
	    !parse_modalias(modalias, &device)) {
		folder = open_device(root, &device, NULL);
		r = folder < 0 ? folder : read_ids(root, folder, &device);
	}
	if (r == 0)
		*ret = device;
	return r;
}

static int read_device(const struct sysroot *root, struct pci_address address, bool header,
		       struct pci_device *ret, struct error *err)
{
	cleanup_pci_device struct pci_device device = { .address = address };
	cleanup_close int folder = open_device(root, &device, err);
	int r;

	if (folder < 0)
		return folder;
	r = identify(root, folder, &device);
	if (r == 0)
		r = read_group(folder, &device.iommu_group);
	if (r < 0)
		return error_set(err, r, "%s: cannot read its identity from sysfs: %s", device.name,
				 strerror(-r));
	device.bridge = device.class_code >> 8 == CLASS_BASE_SUB_PCI_TO_PCI;
	if (header)
		read_header(root, folder, &device);

	r = read_driver(folder, &device.driver);
	if (r < 0)
		return error_set(err, r, "%s: cannot read its driver: %s", device.name,
				 strerror(-r));
	*ret = device;
	device.driver = NULL;
	return 0;
}

int pci_device_read(const struct sysroot *root, struct pci_address address, struct pci_device *ret,
		    struct error *err)
{
	return read_device(root, address, true, ret, err);
}

int pci_device_glance(const struct sysroot *root, struct pci_address address,
		      struct pci_device *ret, struct error *err)
{
	return read_device(root, address, false, ret, err);
}

void pci_device_done(struct pci_device *device)
{
	free(device->driver);
	*device = (struct pci_device){ 0 };
}

int pci_addresses_add(struct pci_addresses *addresses, struct pci_address address)
{
	if (array_reserve(&addresses->items, addresses->count, sizeof(address)) < 0)
		return -ENOMEM;
	addresses->items[addresses->count++] = address;
	return 0;
}

bool pci_addresses_has(const struct pci_addresses *addresses, struct pci_address address)
{
	for (size_t i = 0; i < addresses->count; i++)
		if (pci_address_equal(addresses->items[i], address))
			return true;
	return false;
}

void pci_addresses_done(struct pci_addresses *addresses)
{
	free(addresses->items);
	*addresses = (struct pci_addresses){ 0 };
}

static int compare_addresses(const void *a, const void *b)
{
	return pci_address_compare(*(const struct pci_address *)a, *(const struct pci_address *)b);
}

bool pci_addresses_sorted_has(const struct pci_addresses *addresses, struct pci_address address)
{
	return addresses->count > 0 && bsearch(&address, addresses->items, addresses->count,
					       sizeof(address), compare_addresses);
}

void pci_addresses_sort(struct pci_addresses *addresses, size_t first)
{
	if (addresses->count > first + 1)
		qsort(addresses->items + first, addresses->count - first, sizeof(*addresses->items),
		      compare_addresses);
}

static int list_addresses(const struct sysroot *root, const char *path, struct pci_addresses *ret)
{
	cleanup_pci_addresses struct pci_addresses addresses = { 0 };
	cleanup_close int fd = sysroot_openat(root, path, O_RDONLY | O_DIRECTORY);
	struct directory directory;
	const char *name;
	int r;

	if (fd < 0)
		return fd;
	directory_begin(&directory, fd);
	while ((r = directory_next(&directory, &name, NULL)) > 0) {
		struct pci_address address;

		/* An IOMMU group can hold devices of other buses; they are none of ours. */
		if (pci_address_parse(name, &address) == 0 &&
		    pci_addresses_add(&addresses, address) < 0)
			return -ENOMEM;
	}
	if (r < 0)
		return r;
	pci_addresses_sort(&addresses, 0);
	*ret = TAKE_STRUCT(addresses);
	return 0;
}

int pci_devices_list(const struct sysroot *root, struct pci_addresses *ret, struct error *err)
{
	int r = list_addresses(root, PCI_DEVICES, ret);

	if (r < 0)
		return error_set(err, r, "cannot list the PCI devices in /" PCI_DEVICES ": %s",
				 strerror(-r));
	return 0;
}

int iommu_group_members(const struct sysroot *root, int group, struct pci_addresses *ret,
			struct error *err)
{
	char path[SYSROOT_PATH_MAX];
	int r;

	snprintf(path, sizeof(path), "sys/kernel/iommu_groups/%d/devices", group);
	r = list_addresses(root, path, ret);
	if (r < 0)
		return error_set(err, r, "cannot list the members of IOMMU group %d in /%s: %s",
				 group, path, strerror(-r));
	return 0;
}
