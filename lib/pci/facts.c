/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pci: further facts of a function. Changes nothing. */
#include "pci/facts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/number.h"

/* Flags in the third column of `resource`: linux/ioport.h. */
#define REGION_PREFETCHABLE 0x00002000u
#define REGION_WIDE	    0x00100000u

#define CLASS_DISPLAY	    0x03
#define CLASS_3D	    0x0302
#define CLASS_ACCELERATOR   0x12
#define VENDOR_AMD	    0x1002
#define VENDOR_NVIDIA	    0x10de
#define VENDOR_ASPEED	    0x1a03
#define VENDOR_MATROX	    0x102b

/* The value, or NULL. */
static char *read_value(const struct sysroot *root, int folder, const char *name)
{
	char *value;

	return sysroot_read_attribute_in(root, folder, name, &value) == 0 ? value : NULL;
}

static unsigned read_count(const struct sysroot *root, int folder, const char *name)
{
	cleanup_free char *value = read_value(root, folder, name);
	uint32_t count;

	return value && parse_u32(value, &count) == 0 ? count : 0;
}

/* What most lines are. */
#define NO_REGION "0x0000000000000000 0x0000000000000000 0x0000000000000000"

/* "0x00000000f6000000 0x00000000f6ffffff 0x0000000000040200": start, end, flags. */
static bool parse_region(const char *line, struct pci_region *ret)
{
	uint64_t numbers[3];

	if (strcmp(line, NO_REGION) == 0)
		return true;
	for (size_t i = 0; i < 3; i++) {
		size_t size = strcspn(line, " ");

		if (size <= 2 || parse_number(line + 2, size - 2, 16, UINT64_MAX, &numbers[i]) < 0)
			return false;
		line += size;
		line += strspn(line, " ");
	}
	if (numbers[1] < numbers[0] || (numbers[0] == 0 && numbers[1] == 0))
		return true;
	*ret = (struct pci_region){
		.start = numbers[0],
		.size = numbers[1] - numbers[0] + 1,
		.prefetchable = numbers[2] & REGION_PREFETCHABLE,
		.wide = numbers[2] & REGION_WIDE,
	};
	return true;
}

static void read_regions(const struct sysroot *root, int folder,
			 struct pci_region regions[PCI_REGION_COUNT])
{
	char data[ATTRIBUTE_MAX];
	cleanup_close int fd = sysroot_openat_in(root, folder, "resource", O_RDONLY);
	char *rest = data, *line;
	ssize_t size;

	size = fd < 0 ? -1 : read(fd, data, sizeof(data) - 1);
	if (size < 0)
		return;
	data[size] = '\0';
	for (size_t i = 0; i < PCI_REGION_COUNT && (line = strsep(&rest, "\n")); i++)
		if (!parse_region(line, &regions[i]))
			return;
}

void pci_regions_read(const struct sysroot *root, const char *address,
		      struct pci_region regions[PCI_REGION_COUNT])
{
	cleanup_close int folder = pci_folder_open(root, address);

	memset(regions, 0, PCI_REGION_COUNT * sizeof(*regions));
	if (folder >= 0)
		read_regions(root, folder, regions);
}

static char *link_end(int folder, const char *name)
{
	char target[PATH_MAX];
	ssize_t size = readlinkat(folder, name, target, sizeof(target) - 1);
	const char *slash;

	if (size < 0)
		return NULL;
	target[size] = '\0';
	slash = strrchr(target, '/');
	return strdup(slash ? slash + 1 : target);
}

/* The link "../../../devices/pci0000:00/…" names every bridge above the function. */
static int read_place(const struct sysroot *root, const char *address, struct pci_facts *facts)
{
	char path[SYSROOT_PATH_MAX], target[PATH_MAX];
	cleanup_close int fd = -1;
	struct pci_address parent;
	char *from, *slash;
	ssize_t size;

	pci_attribute_path(path, address, "");
	fd = sysroot_openat(root, path, O_PATH | O_NOFOLLOW);
	size = fd < 0 ? -1 : readlinkat(fd, "", target, sizeof(target) - 1);
	if (size < 0)
		return 0;
	target[size] = '\0';
	from = target;
	while (text_starts_with(from, "../"))
		from += 3;
	facts->folder = strdup(from);
	if (!facts->folder)
		return -ENOMEM;
	slash = strrchr(from, '/');
	if (!slash)
		return 0;
	*slash = '\0';
	slash = strrchr(from, '/');
	if (!slash || pci_address_parse(slash + 1, &parent) < 0)
		return 0;
	facts->parent = strdup(slash + 1);
	return facts->parent ? 0 : -ENOMEM;
}

/*
 * The links virtfn0, virtfn1… and not sriov_numvfs, which waits for the device's lock also for
 * reading (drivers/pci/iov.c, since Linux 5.11).
 */
static unsigned count_functions(const struct sysroot *root, const char *address)
{
	cleanup_strings struct strings names = { 0 };
	char path[SYSROOT_PATH_MAX];
	unsigned count = 0;

	pci_attribute_path(path, address, "");
	(void)sysroot_list(root, path, &names);
	for (size_t i = 0; i < names.count; i++)
		count += text_starts_with(names.items[i], "virtfn");
	return count;
}

int pci_facts_read(const struct sysroot *root, const char *address, struct pci_facts *ret)
{
	cleanup_pci_facts struct pci_facts facts = { 0 };
	cleanup_close int folder = pci_folder_open(root, address);
	cleanup_free char *boot = NULL;

	if (folder < 0)
		return folder;
	if (read_place(root, address, &facts) < 0)
		return -ENOMEM;
	facts.reset_methods = read_value(root, folder, "reset_method");
	facts.has_reset = faccessat(folder, "reset", F_OK, 0) == 0;
	facts.power = read_value(root, folder, "power_state");
	facts.module = link_end(folder, "driver/module");
	facts.physical = link_end(folder, "physfn");
	facts.functions_most = read_count(root, folder, "sriov_totalvfs");
	if (facts.functions_most > 0)
		facts.functions = count_functions(root, address);
	boot = read_value(root, folder, "boot_vga");
	facts.boot_display = text_equal(boot, "1");
	facts.has_rom = faccessat(folder, "rom", F_OK, 0) == 0;
	read_regions(root, folder, facts.regions);
	*ret = TAKE_STRUCT(facts);
	return 0;
}

void pci_facts_done(struct pci_facts *facts)
{
	free(facts->folder);
	free(facts->parent);
	free(facts->reset_methods);
	free(facts->power);
	free(facts->module);
	free(facts->physical);
	*facts = (struct pci_facts){ 0 };
}

static int add_entry(const struct sysroot *root, struct pci_address address,
		     struct pci_inventory *inventory, struct error *err)
{
	struct pci_entry entry = { 0 };
	struct error reason = { 0 };
	int r = pci_device_read(root, address, &entry.device, &reason);

	if (r == -ENODEV || r == -ENOENT)
		return 0;
	if (r == 0)
		r = pci_facts_read(root, entry.device.name, &entry.facts);
	if (r == 0)
		r = array_reserve(&inventory->items, inventory->count, sizeof(entry));
	if (r < 0) {
		pci_device_done(&entry.device);
		pci_facts_done(&entry.facts);
		return error_set(err, r, "%s",
				 *reason.message ? reason.message : "cannot read a PCI device");
	}
	inventory->items[inventory->count++] = entry;
	return 0;
}

struct membership {
	int group;
	size_t at;
};

/* By group, and within it by address. */
static int compare_memberships(const void *a, const void *b)
{
	const struct membership *x = a, *y = b;

	if (x->group != y->group)
		return x->group < y->group ? -1 : 1;
	return (x->at > y->at) - (x->at < y->at);
}

/* So that nobody has to go through all functions for those of one group. */
static int link_groups(struct pci_inventory *inventory)
{
	size_t count = inventory->count, first = 0;
	cleanup_free struct membership *members = calloc(count + 1, sizeof(*members));

	if (!members)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		members[i] = (struct membership){ inventory->items[i].device.iommu_group, i };
	qsort(members, count, sizeof(*members), compare_memberships);
	for (size_t i = 0; i < count; i++) {
		struct pci_entry *entry = &inventory->items[members[i].at];
		bool last = i + 1 == count || members[i + 1].group != members[i].group;

		if (members[i].group != members[first].group)
			first = i;
		entry->group_first = members[first].at;
		entry->group_next = last ? GROUP_END : members[i + 1].at;
	}
	return 0;
}

int pci_inventory_read(const struct sysroot *root, struct pci_inventory *ret, struct error *err)
{
	cleanup_pci_inventory struct pci_inventory inventory = { 0 };
	cleanup_pci_addresses struct pci_addresses addresses = { 0 };
	int r = pci_devices_list(root, &addresses, err);

	for (size_t i = 0; i < addresses.count && r == 0; i++)
		r = add_entry(root, addresses.items[i], &inventory, err);
	if (r < 0)
		return r;
	if (link_groups(&inventory) < 0)
		return error_set_memory(err);
	*ret = TAKE_STRUCT(inventory);
	return 0;
}

void pci_inventory_done(struct pci_inventory *inventory)
{
	for (size_t i = 0; i < inventory->count; i++) {
		pci_device_done(&inventory->items[i].device);
		pci_facts_done(&inventory->items[i].facts);
	}
	free(inventory->items);
	*inventory = (struct pci_inventory){ 0 };
}

const struct pci_entry *pci_inventory_find(const struct pci_inventory *inventory,
					   const char *address)
{
	for (size_t i = 0; i < inventory->count; i++)
		if (strcmp(inventory->items[i].device.name, address) == 0)
			return &inventory->items[i];
	return NULL;
}

bool pci_is_display(const struct pci_device *device)
{
	return device->class_code >> 16 == CLASS_DISPLAY;
}

bool pci_has_outputs(const struct pci_device *device)
{
	return pci_is_display(device) && device->class_code >> 8 != CLASS_3D;
}

bool pci_is_console_chip(const struct pci_device *device)
{
	return pci_is_display(device) &&
	       (device->vendor == VENDOR_ASPEED || device->vendor == VENDOR_MATROX);
}

bool pci_is_gpu(const struct pci_device *device)
{
	return pci_is_display(device) ||
	       (device->class_code >> 16 == CLASS_ACCELERATOR &&
		(device->vendor == VENDOR_AMD || device->vendor == VENDOR_NVIDIA));
}

bool pci_is_virtual(const struct sysroot *root, const char *address)
{
	cleanup_free char *physical = NULL;
	char path[SYSROOT_PATH_MAX];

	pci_attribute_path(path, address, "physfn");
	return sysroot_link_name(root, path, &physical) == 0;
}

bool pci_same_slot(struct pci_address a, struct pci_address b)
{
	return a.domain == b.domain && a.bus == b.bus && a.device == b.device;
}
