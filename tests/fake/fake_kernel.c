/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: a kernel for sequences. Plays drivers/base, drivers/pci and vfio's group nodes. */
#include "fake_write.h"

#include "../block/fault.h"

#include <errno.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/prctl.h>

#include "base/clock.h"
#include "pci/bar.h"
#include "pci/driver.h"

void device_file(const char *address, const char *name, char path[PATH_MAX])
{
	tree_format(path, ".fake/%s/%s", address, name);
}

static bool is_vfio(const char *driver)
{
	return strstr(driver, "vfio") != NULL;
}

/* ---- what is bound where */

void link_name(const struct tree *tree, const char *path, char name[NAME_SIZE])
{
	char full[PATH_MAX], target[PATH_MAX];
	const char *slash;
	ssize_t size;

	name[0] = '\0';
	tree_path(tree, path, full);
	size = readlink(full, target, sizeof(target) - 1);
	if (size < 0)
		return;
	target[size] = '\0';
	slash = strrchr(target, '/');
	snprintf(name, NAME_SIZE, "%.63s", slash ? slash + 1 : target);
}

void bound_driver(const struct tree *tree, const char *address, char driver[NAME_SIZE])
{
	char path[PATH_MAX];

	tree_format(path, DEVICES "%s/driver", address);
	link_name(tree, path, driver);
}

static void read_override(const struct tree *tree, const char *address, char override[NAME_SIZE])
{
	char path[PATH_MAX];
	char *content;

	tree_format(path, DEVICES "%s/driver_override", address);
	content = tree_read(tree, path);
	snprintf(override, NAME_SIZE, "%.*s", content ? (int)strcspn(content, "\n") : 0,
		 content ? content : "");
	if (strcmp(override, DRIVER_OVERRIDE_UNSET) == 0)
		override[0] = '\0';
	free(content);
}

/* /dev/vfio/GROUP is there as long as a VFIO driver has one of the group. */
static void update_group_node(const struct tree *tree, const char *address)
{
	struct strings members = { 0 };
	char path[PATH_MAX], group[NAME_SIZE], driver[NAME_SIZE];
	bool open = false;

	tree_format(path, DEVICES "%s/iommu_group", address);
	link_name(tree, path, group);
	if (!*group)
		return;
	tree_format(path, "sys/kernel/iommu_groups/%s/devices", group);
	sysroot_list(&tree->root, path, &members);
	for (size_t i = 0; i < members.count; i++) {
		bound_driver(tree, members.items[i], driver);
		open |= is_vfio(driver);
	}
	strings_done(&members);
	tree_format(path, "dev/vfio/%s", group);
	if (open && !tree_has(tree, ".fake/no-group-nodes"))
		tree_bytes(tree, path, "", 0);
	else
		tree_remove(tree, path);
}

int take_lock(const struct tree *tree, const char *path)
{
	char full[PATH_MAX];
	int fd;

	tree_folder_of(tree, path);
	tree_path(tree, path, full);
	fd = open(full, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || flock(fd, LOCK_EX) < 0)
		tree_broken("lock", full);
	return fd;
}

void set_driver(const struct tree *tree, const char *address, const char *driver)
{
	char path[PATH_MAX], before[NAME_SIZE];
	int lock = take_lock(tree, ".fake/lock");

	bound_driver(tree, address, before);
	if (*before) {
		tree_format(path, DRIVERS "%s/%s", before, address);
		tree_remove(tree, path);
		tree_format(path, DEVICES "%s/driver", address);
		tree_remove(tree, path);
	}
	if (driver)
		tree_bind(tree, address, driver);
	update_group_node(tree, address);
	update_disks(tree, address, driver);
	update_card(tree, address, driver);
	close(lock);
}

void set_override(const struct tree *tree, const char *address, const char *override)
{
	char path[PATH_MAX];

	tree_format(path, DEVICES "%s/driver_override", address);
	tree_file(tree, path, "%s\n", override && *override ? override : DRIVER_OVERRIDE_UNSET);
}

void fake_vanish(const struct fake_kernel *kernel, const char *address)
{
	const struct tree *tree = &kernel->tree;
	char path[PATH_MAX], group[NAME_SIZE];

	set_driver(tree, address, NULL);
	tree_format(path, DEVICES "%s/iommu_group", address);
	link_name(tree, path, group);
	tree_format(path, "sys/kernel/iommu_groups/%s/devices/%s", group, address);
	tree_remove(tree, path);
	tree_format(path, DEVICES "%s", address);
	tree_remove(tree, path);
	tree_format(path, "sys/devices/pci0000:00/%s", address);
	tree_remove(tree, path);
}

/* ---- what the kernel does */

/* Whether "8086:10d3" stands in a driver's table, or was learned. */
static bool takes_id(const struct tree *tree, const char *address, const char *ids)
{
	unsigned vendor = 0, device = 0;
	char path[PATH_MAX], id[16];

	tree_format(path, DEVICES "%s/vendor", address);
	sysroot_read_hex(&tree->root, path, &vendor);
	tree_format(path, DEVICES "%s/device", address);
	sysroot_read_hex(&tree->root, path, &device);
	snprintf(id, sizeof(id), "%04x:%04x", vendor & 0xffff, device & 0xffff);
	return strstr(ids, id) != NULL;
}

static void set_attribute(const struct tree *tree, const char *path, const char *value)
{
	tree_file(tree, path, "%.*s\n", (int)strcspn(value, "\n"), value);
}

/* pm_runtime_allow() when vfio-pci gets it, pm_runtime_forbid() when it goes: vfio_pci_core.c. */
static void set_power(const struct tree *tree, const char *address, const char *value)
{
	char path[PATH_MAX];

	tree_format(path, DEVICES "%s/power/control", address);
	if (tree_has(tree, path))
		set_attribute(tree, path, value);
}

/* pci_match_device(): with an override the name alone counts, in order of registration. */
static void probe(const struct fake_write *write)
{
	struct strings drivers = { 0 };
	bool bound = false;

	if (*write->driver)
		return;
	sysroot_list(&write->tree->root, ".fake/drivers", &drivers);
	for (size_t i = 0; i < drivers.count && !bound; i++) {
		const char *name = strchr(drivers.items[i], '-') + 1;
		char path[PATH_MAX];
		char *ids;

		tree_format(path, ".fake/drivers/%s", drivers.items[i]);
		ids = tree_read(write->tree, path);
		bound = *write->override ? strcmp(write->override, name) == 0
					 : takes_id(write->tree, write->address, ids);
		if (bound)
			set_driver(write->tree, write->address, name);
		if (bound && is_vfio(name))
			set_power(write->tree, write->address, "auto");
		free(ids);
	}
	strings_done(&drivers);
}

/* ---- attributes, and functions that come and go */

/* resource_resize_store() in drivers/pci/pci-sysfs.c: the number N of 2^N MiB. */
static int resize(const struct fake_write *write)
{
	unsigned number = (unsigned)(write->name[strlen("resource")] - '0');
	struct pci_bar bars[PCI_BAR_COUNT];
	struct text text = { 0 };
	char path[PATH_MAX];
	char *lines;

	if (*write->driver)
		return -EBUSY;
	if (number >= PCI_BAR_COUNT || pci_bars_read(&write->tree->root, write->address, bars) < 0)
		return -EINVAL;
	bars[number].end = bars[number].start + ((uint64_t)1 << (20 + atoi(write->value))) - 1;
	for (size_t i = 0; i < PCI_BAR_COUNT; i++)
		text_add(&text, "0x%016jx 0x%016jx 0x%016x\n", (uintmax_t)bars[i].start,
			 (uintmax_t)bars[i].end, bars[i].end ? 0x14220c : 0);
	lines = text_take(&text);
	tree_format(path, DEVICES "%s/resource", write->address);
	tree_file(write->tree, path, "%s", lines);
	free(lines);
	return 0;
}

/* sriov_numvfs_store() in drivers/pci/iov.c: it is the host's driver that makes and ends them. */
static int store_numvfs(const struct fake_write *write)
{
	char path[PATH_MAX];
	char *content;
	int now;

	tree_format(path, DEVICES "%s/sriov_numvfs", write->address);
	content = tree_read(write->tree, path);
	now = content ? atoi(content) : 0;
	free(content);
	if (atoi(write->value) == now)
		return 0;
	if (!*write->driver || is_vfio(write->driver))
		return -ENOENT;
	if (now > 0 && atoi(write->value) > 0)
		return -EBUSY;
	set_attribute(write->tree, path, write->value);
	make_vfs(write->tree, write->address, (unsigned)atoi(write->value));
	count_functions(write->tree, write->address, (unsigned)atoi(write->value));
	return 0;
}

/* reset_method_store() in drivers/pci/pci.c. */
static const char *chosen_method(const char *value)
{
	return strcmp(value, "default") == 0 ? FAKE_RESET_METHODS : value;
}

static int store(const struct fake_write *write)
{
	const char *value = write->value;
	char path[PATH_MAX];

	/* sysfs does not even call the store function for no bytes */
	if (!*value)
		return 0;
	if (text_starts_with(write->name, "resource"))
		return resize(write);
	if (strcmp(write->name, "sriov_numvfs") == 0)
		return store_numvfs(write);
	tree_format(path, DEVICES "%s/%s", write->address, write->name);
	if (text_starts_with(write->address, "vtcon"))
		tree_format(path, CONSOLES "%s/%s", write->address, write->name);
	if (strcmp(write->name, "reset_method") == 0)
		value = chosen_method(value);
	set_attribute(write->tree, path, value);
	return 0;
}

/* A driver that goes takes its virtual functions along. A VFIO one waits for its user. */
static void unbind(const struct fake_write *write)
{
	char path[PATH_MAX];

	while (is_vfio(write->driver) && is_group_open(write->tree, write->address))
		clock_sleep_ms(5);

	set_driver(write->tree, write->address, NULL);
	if (is_vfio(write->driver))
		set_power(write->tree, write->address, "on");
	tree_format(path, DEVICES "%s/sriov_numvfs", write->address);
	if (tree_has(write->tree, path))
		set_attribute(write->tree, path, "0");
}

static void group_link(const struct tree *tree, const char *address, char path[PATH_MAX])
{
	char group[NAME_SIZE];

	tree_format(path, DEVICES "%s/iommu_group", address);
	link_name(tree, path, group);
	tree_format(path, "sys/kernel/iommu_groups/%s/devices/%s", group, address);
}

static void move(const struct tree *tree, const char *from, const char *to)
{
	char source[PATH_MAX], target[PATH_MAX];

	tree_folder_of(tree, to);
	tree_path(tree, from, source);
	tree_path(tree, to, target);
	if (rename(source, target) < 0)
		tree_broken("rename", source);
}

/* What sysfs shows of it waits aside for its return. */
static void take_away(const struct tree *tree, const char *address)
{
	char folder[PATH_MAX], path[PATH_MAX];

	set_driver(tree, address, NULL);
	group_link(tree, address, path);
	tree_remove(tree, path);
	tree_format(path, "sys/devices/pci0000:00/%s", address);
	tree_format(folder, ".fake/removed/%s", address);
	move(tree, path, folder);
	tree_format(path, DEVICES "%s", address);
	tree_remove(tree, path);
}

/* It is a new device to the kernel: without an override, and with the driver of its id. */
static void bring_back(const struct tree *tree, const char *address)
{
	struct fake_write found = { .tree = tree, .address = address };
	char folder[PATH_MAX], path[PATH_MAX], target[PATH_MAX];

	tree_format(folder, ".fake/removed/%s", address);
	tree_format(path, "sys/devices/pci0000:00/%s", address);
	move(tree, folder, path);
	tree_format(path, DEVICES "%s", address);
	tree_format(target, "../../../devices/pci0000:00/%s", address);
	tree_link(tree, path, target);
	group_link(tree, address, path);
	tree_format(target, "../../../../devices/pci0000:00/%s", address);
	tree_link(tree, path, target);
	set_override(tree, address, NULL);
	probe(&found);
}

static void rescan(const struct fake_write *write)
{
	struct strings removed = { 0 };

	sysroot_list(&write->tree->root, ".fake/removed", &removed);
	for (size_t i = 0; i < removed.count; i++)
		if (text_starts_with(removed.items[i], write->address))
			bring_back(write->tree, removed.items[i]);
	strings_done(&removed);
}

int do_write(const struct fake_write *write)
{
	char value[NAME_SIZE];

	switch (write->kind) {
	case OVERRIDE:
		/* sysfs does not even call the store function for no bytes */
		if (!*write->value)
			return 0;
		snprintf(value, sizeof(value), "%.*s", (int)strcspn(write->value, "\n"),
			 write->value);
		set_override(write->tree, write->address, value);
		return 0;
	case UNBIND:
		unbind(write);
		return 0;
	case PROBE:
		probe(write);
		return 0;
	case ATTRIBUTE:
		return store(write);
	case REMOVE:
		take_away(write->tree, write->address);
		return 0;
	case RESCAN:
		rescan(write);
		return 0;
	case LAYER:
		return change_layer(write);
	}
	return -EINVAL;
}

/* ---- the way in */

void write_detail(const struct fake_write *write, bool listed, char detail[NAME_SIZE])
{
	const char *text = "";

	switch (write->kind) {
	case OVERRIDE:
	case ATTRIBUTE:
	case LAYER:
		text = write->value;
		break;
	case UNBIND:
		text = write->driver;
		break;
	case PROBE:
		text = listed ? "" : write->override;
		break;
	case REMOVE:
	case RESCAN:
		break;
	}
	snprintf(detail, NAME_SIZE, "%.*s", (int)strcspn(text, "\n"), text);
}

static void append(const struct tree *tree, const char *address, const char *words)
{
	char path[PATH_MAX], full[PATH_MAX];
	int fd;

	device_file(address, "writes", path);
	tree_folder_of(tree, path);
	tree_path(tree, path, full);
	fd = open(full, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0 || dprintf(fd, "%s", words) < 0)
		tree_broken("write", full);
	close(fd);
}

static void note_write(const struct fake_write *write)
{
	bool plain = write->kind == PROBE || write->kind == REMOVE || write->kind == RESCAN;
	char words[3 * NAME_SIZE], detail[NAME_SIZE], all[4 * NAME_SIZE];

	write_detail(write, true, detail);
	snprintf(words, sizeof(words), "%s%s%s ", write->name, plain ? "" : "=", detail);
	append(write->tree, write->address, words);
	snprintf(all, sizeof(all), "%s/%s", write->address, words);
	append(write->tree, FAKE_ALL, all);
}

/* "sys/bus/pci/devices/ADDRESS/NAME" and the like; false for another path. */
static bool split_path(const char *path, const char *folder, struct fake_write *write,
		       char address[NAME_SIZE])
{
	const char *name;

	if (!text_starts_with(path, folder))
		return false;
	path += strlen(folder);
	name = strchr(path, '/');
	if (!name)
		return false;
	snprintf(address, NAME_SIZE, "%.*s", (int)(name - path), path);
	snprintf(write->name, sizeof(write->name), "%s", name + 1);
	return true;
}

/* What is written, by its path. */
static bool understand(const char *path, struct fake_write *write, char address[NAME_SIZE])
{
	if (split_path(path, "sys/class/block/", write, address)) {
		write->kind = LAYER;
		return true;
	}
	write->kind = ATTRIBUTE;
	if (split_path(path, CONSOLES, write, address))
		return true;
	if (split_path(path, BUSES, write, address)) {
		write->kind = RESCAN;
		return strcmp(write->name, "rescan") == 0;
	}
	if (!split_path(path, DEVICES, write, address))
		return false;
	if (strcmp(write->name, "driver_override") == 0) {
		write->kind = OVERRIDE;
		snprintf(write->name, sizeof(write->name), "override");
	} else if (strcmp(write->name, "driver/unbind") == 0) {
		write->kind = UNBIND;
		snprintf(write->name, sizeof(write->name), "unbind");
	} else if (strcmp(write->name, "remove") == 0) {
		write->kind = REMOVE;
	}
	return true;
}

/* The write itself, under the device's lock. */
static int write_locked(struct fake_write *write)
{
	char path[PATH_MAX];
	int lock, r;

	device_file(write->address, "lock", path);
	lock = take_lock(write->tree, path);
	bound_driver(write->tree, write->address, write->driver);
	read_override(write->tree, write->address, write->override);
	note_write(write);
	r = misbehave_or_do(write);
	close(lock);
	return r;
}

int fake_write(const struct sysroot *root, const char *path, const char *value)
{
	struct tree tree = { .root = *root };
	char address[NAME_SIZE], folder[PATH_MAX];
	struct fake_write write = { .tree = &tree, .address = address, .value = value };
	pid_t parent = getppid();
	int on_death = 0, r;

	snprintf(tree.path, sizeof(tree.path), "%s", root->path);
	if (strcmp(path, "sys/bus/pci/drivers_probe") == 0) {
		write.kind = PROBE;
		snprintf(write.name, sizeof(write.name), "probe");
		snprintf(address, sizeof(address), "%s", value);
		tree_format(folder, DEVICES "%s", address);
		if (!tree_has(&tree, folder))
			return -ENODEV;
	} else if (strcmp(path, "dev/mapper/control") == 0) {
		write.kind = LAYER;
		snprintf(write.name, sizeof(write.name), "remove");
		if (!find_mapper(&tree, value, address))
			return -ENXIO;
	} else if (!understand(path, &write, address)) {
		tree_broken("unexpected write to", path);
	} else if (!sysroot_exists(root, path)) {
		return -ENOENT;
	} else if (write.kind == UNBIND && strcmp(value, address) != 0) {
		return -ENODEV;
	}

	/* what the kernel does for a write is not cut off by the death of a parent */
	prctl(PR_GET_PDEATHSIG, &on_death);
	prctl(PR_SET_PDEATHSIG, 0);
	/* and none of its own calls fails where a test lets one fail */
	prctl(FAULT_PAUSE, 1);
	r = write_locked(&write);
	prctl(FAULT_PAUSE, 0);
	prctl(PR_SET_PDEATHSIG, on_death);
	if (on_death && getppid() != parent)
		kill(getpid(), on_death);
	return r;
}
