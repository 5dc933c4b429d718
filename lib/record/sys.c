/* SPDX-License-Identifier: GPL-2.0-or-later */
/* record: what is recorded of sysfs. */
#include "record/sys.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/bytes.h"
#include "pci/driver.h"
#include "pci/override.h"
#include "use/mdev.h"

#define CONFIG_MAX	  4096
#define EXTENDED_START	  0x100
#define CAPABILITY_SERIAL 0x0003
#define MDEV_DEADLINE_MS  2000

/* Attributes of a function. None of them wakes it. */
static const char *const attributes[] = {
	"vendor",
	"device",
	"subsystem_vendor",
	"subsystem_device",
	"class",
	"power_state",
	"d3cold_allowed",
	"reset_method",
	"boot_vga",
	"resource",
	"sriov_numvfs",
	"sriov_totalvfs",
	"current_link_speed",
	"current_link_width",
	"max_link_speed",
	"max_link_width",
	"numa_node",
	"power/control",
	"power/runtime_status",
	"aer_dev_correctable",
	"aer_dev_nonfatal",
	"aer_dev_fatal",
	"irq",
	"modalias",
	"sriov_drivers_autoprobe",
	"sriov_offset",
	"sriov_stride",
};

static const char *const links[] = { "driver", "iommu_group", "physfn" };

/*
 * The serial number's capability is made an unknown one (pci/identity.c reads on past it), so that
 * the rest of the chain is kept.
 */
static void take_serial_out(unsigned char *config, size_t size)
{
	struct bytes bytes = { config, size };
	unsigned offset = EXTENDED_START;

	for (unsigned left = CONFIG_MAX / 8; left > 0 && offset >= EXTENDED_START; left--) {
		uint32_t header = bytes_u32(bytes, offset);

		if (offset + 12 > size || header == 0 || header == UINT32_MAX)
			return;
		if ((header & 0xffff) == CAPABILITY_SERIAL) {
			memset(config + offset, 0, 2);
			memset(config + offset + 4, 0, 8);
		}
		offset = header >> 20 & 0xffc;
	}
}

/* What the capability Vital Product Data last read is in its registers; the others say nothing. */
static void record_config(struct recorder *recorder, const struct pci_entry *entry,
			  const char *folder)
{
	unsigned char config[CONFIG_MAX];
	cleanup_free char *path = text_format("%s/config", folder);
	cleanup_close int fd = -1;
	ssize_t size;

	if (!path || text_equal(entry->facts.power, "D3cold"))
		return;
	fd = sysroot_openat(recorder->root, path, O_RDONLY);
	size = fd < 0 ? -1 : pread(fd, config, sizeof(config), 0);
	if (size <= 0)
		return;
	take_serial_out(config, (size_t)size);
	recorder_bytes(recorder, path, config, (size_t)size, 0644);
}

static void record_numbered(struct recorder *recorder, const struct pci_entry *entry,
			    const char *folder)
{
	char path[SYSROOT_PATH_MAX];

	for (unsigned i = 0; i < entry->facts.functions; i++) {
		snprintf(path, sizeof(path), "%s/virtfn%u", folder, i);
		recorder_link(recorder, path, NULL);
	}
	for (unsigned i = 0; i < PCI_REGION_ROM; i++) {
		snprintf(path, sizeof(path), "%s/resource%u_resize", folder, i);
		if (!entry->facts.power || strcmp(entry->facts.power, "D0") == 0)
			recorder_file(recorder, path);
	}
}

static bool keep_minor(char *line)
{
	return text_starts_with(line, "Device Minor:");
}

/* As they are read for devices: what the driver says can take its time. */
static void record_mdev_types(struct recorder *recorder, const struct pci_entry *entry,
			      const char *folder)
{
	cleanup_mdev_types struct mdev_types types = { 0 };
	enum mdev_support support = mdev_support(recorder->root, entry->device.name);
	cleanup_text struct text list = { 0 };
	char path[SYSROOT_PATH_MAX];

	if (support == MDEV_NONE)
		return;
	snprintf(path, sizeof(path), "%s/%s", folder,
		 support == MDEV_TYPES ? "mdev_supported_types" : "nvidia");
	recorder_folder(recorder, path, 0755);
	if (mdev_types_read_bounded(recorder->root, entry->device.name, MDEV_DEADLINE_MS, &types) <
	    0)
		return;
	for (size_t i = 0; i < types.count; i++) {
		const struct mdev_type *type = &types.items[i];
		cleanup_free char *available = text_format("%u\n", type->available);

		if (support == MDEV_NVIDIA) {
			text_add(&list, "%s : %s\n", mdev_nvidia_number(type->id), type->name);
			continue;
		}
		snprintf(path, sizeof(path), "%s/mdev_supported_types/%s/available_instances",
			 folder, type->id);
		recorder_text(recorder, path, available ? available : "");
		snprintf(path, sizeof(path), "%s/mdev_supported_types/%s/name", folder, type->id);
		if (type->name)
			recorder_text(recorder, path, type->name);
	}
	if (support == MDEV_NVIDIA) {
		snprintf(path, sizeof(path), "%s/nvidia/creatable_vgpu_types", folder);
		recorder_text(recorder, path, list.size ? list.data : "");
		snprintf(path, sizeof(path), "%s/nvidia/current_vgpu_type", folder);
		recorder_text(recorder, path,
			      types.current ? mdev_nvidia_number(types.current) : "0");
	}
	recorder->tar.failed |= list.failed;
}

/* Device nodes that are no disk's: of vfio-pci, and of NVIDIA's driver. */
static void record_nodes(struct recorder *recorder, const struct pci_entry *entry,
			 const char *folder)
{
	cleanup_strings struct strings names = { 0 };
	char path[SYSROOT_PATH_MAX];

	snprintf(path, sizeof(path), "%s/vfio-dev", folder);
	(void)sysroot_list(recorder->root, path, &names);
	for (size_t i = 0; i < names.count; i++) {
		snprintf(path, sizeof(path), "%s/vfio-dev/%s", folder, names.items[i]);
		recorder_folder(recorder, path, 0755);
		snprintf(path, sizeof(path), "%s/vfio-dev/%s/dev", folder, names.items[i]);
		recorder_file(recorder, path);
	}
	snprintf(path, sizeof(path), "proc/driver/nvidia/gpus/%s/information", entry->device.name);
	recorder_lines(recorder, path, keep_minor);
}

static void record_function(struct recorder *recorder, const struct pci_entry *entry)
{
	char folder[SYSROOT_PATH_MAX / 2], path[SYSROOT_PATH_MAX];

	if (!entry->facts.folder || strlen(entry->facts.folder) + 5 > sizeof(folder))
		return;
	snprintf(folder, sizeof(folder), "sys/%s", entry->facts.folder);
	for (size_t i = 0; i < ARRAY_SIZE(attributes); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, attributes[i]);
		recorder_file(recorder, path);
	}
	for (size_t i = 0; i < ARRAY_SIZE(links); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, links[i]);
		recorder_link(recorder, path, NULL);
	}
	snprintf(path, sizeof(path), "%s/reset", folder);
	recorder_presence(recorder, path);
	snprintf(path, sizeof(path), "%s/rom", folder);
	recorder_presence(recorder, path);
	record_config(recorder, entry, folder);
	record_numbered(recorder, entry, folder);
	record_mdev_types(recorder, entry, folder);
	record_nodes(recorder, entry, folder);
	pci_attribute_path(path, entry->device.name, "");
	recorder_link(recorder, path, NULL);
	if (entry->device.driver) {
		snprintf(path, sizeof(path), "sys/bus/pci/drivers/%s", entry->device.driver);
		recorder_folder(recorder, path, 0755);
		snprintf(path, sizeof(path), "sys/bus/pci/drivers/%s/module", entry->device.driver);
		recorder_link(recorder, path, NULL);
	}
}

static void record_overrides(struct recorder *recorder, const struct pve_node *node)
{
	const struct pci_inventory *inventory = &node->inventory;
	cleanup_free struct override_reading *readings =
		calloc(inventory->count + 1, sizeof(*readings));

	if (!readings) {
		recorder->tar.failed = true;
		return;
	}
	for (size_t i = 0; i < inventory->count; i++)
		readings[i].address = inventory->items[i].device.name;
	pci_overrides_read(recorder->root, readings, inventory->count);
	for (size_t i = 0; i < inventory->count; i++) {
		const char *folder = inventory->items[i].facts.folder;
		const char *override = readings[i].override;
		cleanup_free char *path =
			text_format("sys/%s/driver_override", folder ? folder : "lost");

		if (path && readings[i].result == 0)
			recorder_text(recorder, path,
				      override ? override : DRIVER_OVERRIDE_UNSET "\n");
	}
	pci_overrides_done(readings, inventory->count);
}

static void record_groups(struct recorder *recorder)
{
	cleanup_strings struct strings names = { 0 };
	char path[SYSROOT_PATH_MAX];

	recorder_folder(recorder, "sys/kernel/iommu_groups", 0755);
	(void)sysroot_list(recorder->root, "sys/kernel/iommu_groups", &names);
	for (size_t i = 0; i < names.count; i++) {
		snprintf(path, sizeof(path), "sys/kernel/iommu_groups/%s/type", names.items[i]);
		recorder_file(recorder, path);
		snprintf(path, sizeof(path), "sys/kernel/iommu_groups/%s/reserved_regions",
			 names.items[i]);
		recorder_file(recorder, path);
		snprintf(path, sizeof(path), "sys/kernel/iommu_groups/%s/devices", names.items[i]);
		recorder_links(recorder, path);
	}
}

/*
 * Mediated devices. The UUID that Proxmox VE makes says whose one is (use/mdev.h); those of others are
 * one and the same without it, and so the first of them is there for all.
 */
static void record_mdevs(struct recorder *recorder)
{
	static const char folder[] = "sys/bus/mdev/devices";
	cleanup_strings struct strings names = { 0 };
	bool other = false;

	(void)sysroot_list(recorder->root, folder, &names);
	for (size_t i = 0; i < names.count; i++) {
		cleanup_free char *path = text_format("%s/%s", folder, names.items[i]);
		cleanup_free char *real = NULL, *type = NULL, *group = NULL;
		uint32_t vmid, number;

		if (!mdev_uuid_parse(names.items[i], &vmid, &number)) {
			if (other)
				continue;
			other = true;
		}
		if (path)
			recorder_link(recorder, path, &real);
		type = real ? text_format("%s/mdev_type", real) : NULL;
		group = real ? text_format("%s/iommu_group", real) : NULL;
		if (!type || !group)
			continue;
		recorder_folder(recorder, real, 0755);
		recorder_link(recorder, type, NULL);
		recorder_link(recorder, group, NULL);
	}
}

void recorder_pci(struct recorder *recorder, const struct pve_node *node)
{
	recorder_folder(recorder, "sys/bus/pci/drivers/vfio-pci", 0755);
	for (size_t i = 0; i < node->inventory.count; i++)
		record_function(recorder, &node->inventory.items[i]);
	record_overrides(recorder, node);
	record_groups(recorder);
	record_mdevs(recorder);
}

/* ---- classes */

static bool keep_node(char *line)
{
	return text_starts_with(line, "DEVNAME=");
}

/* "LVM-" tells what it is; the rest is an id of its own. */
static bool cut_uuid(char *line)
{
	char *end = strchr(line, '-');

	if (end)
		end[1] = '\0';
	return true;
}

static void record_below(struct recorder *recorder, const char *folder, const char *name,
			 recorder_keep *keep)
{
	cleanup_free char *path = text_format("%s/%s", folder, name);

	if (!path)
		recorder->tar.failed = true;
	else if (keep)
		recorder_lines(recorder, path, keep);
	else
		recorder_file(recorder, path);
}

static void record_block(struct recorder *recorder, const char *folder)
{
	cleanup_free char *holders = text_format("%s/holders", folder);
	cleanup_free char *slaves = text_format("%s/slaves", folder);
	static const char *const kinds[] = { "md", "bcache" };

	record_below(recorder, folder, "dev", NULL);
	record_below(recorder, folder, "partition", NULL);
	record_below(recorder, folder, "size", NULL);
	record_below(recorder, folder, "hidden", NULL);
	record_below(recorder, folder, "uevent", keep_node);
	record_below(recorder, folder, "dm/name", NULL);
	record_below(recorder, folder, "dm/uuid", cut_uuid);
	record_below(recorder, folder, "loop/backing_file", NULL);
	if (holders)
		recorder_links(recorder, holders);
	record_below(recorder, folder, "md/metadata_version", NULL);
	record_below(recorder, folder, "md/sync_action", NULL);
	if (slaves)
		recorder_links(recorder, slaves);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		cleanup_free char *path = text_format("%s/%s", folder, kinds[i]);

		if (path && sysroot_exists(recorder->root, path))
			recorder_folder(recorder, path, 0755);
	}
}

static void record_interface(struct recorder *recorder, const char *folder)
{
	static const char *const kinds[] = { "bridge", "bonding" };
	cleanup_strings struct strings names = { 0 };

	record_below(recorder, folder, "flags", NULL);
	record_below(recorder, folder, "ifindex", NULL);
	record_below(recorder, folder, "operstate", NULL);
	record_below(recorder, folder, "phys_port_name", NULL);
	(void)sysroot_list(recorder->root, folder, &names);
	for (size_t i = 0; i < names.count; i++) {
		cleanup_free char *path = text_format("%s/%s", folder, names.items[i]);

		if (path && (strcmp(names.items[i], "master") == 0 ||
			     text_starts_with(names.items[i], "upper_")))
			recorder_link(recorder, path, NULL);
	}
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		cleanup_free char *path = text_format("%s/%s", folder, kinds[i]);

		if (path && sysroot_exists(recorder->root, path))
			recorder_folder(recorder, path, 0755);
	}
}

static void record_display(struct recorder *recorder, const char *folder)
{
	record_below(recorder, folder, "uevent", keep_node);
	record_below(recorder, folder, "dev", NULL);
}

static void record_console(struct recorder *recorder, const char *folder)
{
	record_below(recorder, folder, "name", NULL);
	record_below(recorder, folder, "bind", NULL);
}

/* The device of the firmware's framebuffer, and its driver. */
static void record_platform(struct recorder *recorder)
{
	static const char folder[] = "sys/bus/platform/devices";
	cleanup_strings struct strings names = { 0 };

	(void)sysroot_list(recorder->root, folder, &names);
	for (size_t i = 0; i < names.count; i++) {
		cleanup_free char *path = text_format("%s/%s", folder, names.items[i]);
		cleanup_free char *real = NULL, *driver = NULL;

		if (path && strstr(names.items[i], "-framebuffer."))
			recorder_link(recorder, path, &real);
		driver = real ? text_format("%s/driver", real) : NULL;
		if (!driver)
			continue;
		recorder_folder(recorder, real, 0755);
		recorder_link(recorder, driver, NULL);
	}
}

/* Which disks are members of a btrfs that is mounted. */
static void record_btrfs(struct recorder *recorder)
{
	static const char folder[] = "sys/fs/btrfs";
	cleanup_strings struct strings names = { 0 };

	(void)sysroot_list(recorder->root, folder, &names);
	for (size_t i = 0; i < names.count; i++) {
		cleanup_free char *path = text_format("%s/%s/devices", folder, names.items[i]);

		if (path)
			recorder_links(recorder, path);
	}
}

void recorder_classes(struct recorder *recorder)
{
	static const struct {
		const char *folder;
		void (*record)(struct recorder *recorder, const char *folder);
	} classes[] = {
		{ "sys/class/block", record_block },	   { "sys/class/net", record_interface },
		{ "sys/class/drm", record_display },	   { "sys/class/graphics", record_display },
		{ "sys/class/vtconsole", record_console },
	};

	for (size_t i = 0; i < ARRAY_SIZE(classes); i++) {
		cleanup_strings struct strings names = { 0 };

		recorder_folder(recorder, classes[i].folder, 0755);
		(void)sysroot_list(recorder->root, classes[i].folder, &names);
		for (size_t k = 0; k < names.count; k++) {
			cleanup_free char *path =
				text_format("%s/%s", classes[i].folder, names.items[k]);
			cleanup_free char *real = NULL;

			if (path)
				recorder_link(recorder, path, &real);
			if (real)
				classes[i].record(recorder, real);
		}
	}
	record_platform(recorder);
	record_btrfs(recorder);
}
