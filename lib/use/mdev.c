/* SPDX-License-Identifier: GPL-2.0-or-later */
/* use: mediated devices. Makes and removes none. */
#include "use/mdev.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/lanes.h"
#include "base/number.h"
#include "pci/device.h"
#include "use/child.h"

#define NVIDIA_PREFIX "nvidia-"
#define DIGITS	      "0123456789"

/* NVIDIA's list has a line of some 40 bytes for each of its few dozen types. */
#define NVIDIA_LIST_MAX ((size_t)64 << 10)

static bool has_folder(const struct sysroot *root, const char *address, const char *name)
{
	char path[SYSROOT_PATH_MAX];

	pci_attribute_path(path, address, name);
	return sysroot_exists(root, path);
}

enum mdev_support mdev_support(const struct sysroot *root, const char *address)
{
	if (has_folder(root, address, "mdev_supported_types"))
		return MDEV_TYPES;
	return has_folder(root, address, "nvidia") ? MDEV_NVIDIA : MDEV_NONE;
}

const char *mdev_nvidia_number(const char *type)
{
	const char *number;

	if (!type || !text_starts_with(type, NVIDIA_PREFIX))
		return NULL;
	number = type + strlen(NVIDIA_PREFIX);
	return *number && !number[strspn(number, DIGITS)] ? number : NULL;
}

static int add_type(struct mdev_types *types, char *id, char *name, unsigned available)
{
	struct mdev_type type = { id, name, available };

	if (!id || array_reserve(&types->items, types->count, sizeof(type)) < 0) {
		free(id);
		free(name);
		return -ENOMEM;
	}
	types->items[types->count++] = type;
	return 0;
}

/* A type without a number of instances is not one that can be made. */
static int read_type(const struct sysroot *root, const char *folder, const char *id,
		     struct mdev_types *types)
{
	cleanup_free char *path = text_format("%s/%s/available_instances", folder, id);
	cleanup_free char *name_path = text_format("%s/%s/name", folder, id);
	cleanup_free char *count = NULL;
	uint32_t available = 0;
	char *name = NULL;
	int r;

	if (!path || !name_path)
		return -ENOMEM;
	r = sysroot_read_attribute(root, path, &count);
	if (r < 0 || parse_u32(count, &available) < 0)
		available = 0;
	(void)sysroot_read_attribute(root, name_path, &name);
	return add_type(types, strdup(id), name, available);
}

static int read_supported(const struct sysroot *root, const char *folder, struct mdev_types *types)
{
	cleanup_strings struct strings names = { 0 };
	int r = sysroot_list(root, folder, &names);

	for (size_t i = 0; i < names.count && r == 0; i++)
		if (names.items[i][0] != '.')
			r = read_type(root, folder, names.items[i], types);
	return r;
}

/* "558  : NVIDIA RTX 6000 Ada-1Q"; the first line, "ID : vGPU Name", has no number. */
static int read_nvidia_line(const char *line, struct mdev_types *types)
{
	size_t blanks = strspn(line, " \t"), digits = strspn(line + blanks, DIGITS);
	const char *at = line + blanks + digits;
	char *name;

	at += strspn(at, " \t");
	if (digits == 0 || *at != ':')
		return 0;
	at += 1 + strspn(at + 1, " \t");
	name = strndup(at, strcspn(at, "\r"));
	return add_type(types, text_format(NVIDIA_PREFIX "%.*s", (int)digits, line + blanks), name,
			1);
}

static int read_current(const struct sysroot *root, const char *address, char **ret)
{
	cleanup_free char *current = NULL;
	char path[SYSROOT_PATH_MAX];

	*ret = NULL;
	pci_attribute_path(path, address, "nvidia/current_vgpu_type");
	if (sysroot_read_attribute(root, path, &current) < 0 || strcmp(current, "0") == 0)
		return 0;
	*ret = text_format(NVIDIA_PREFIX "%s", current);
	return *ret ? 0 : -ENOMEM;
}

static int read_nvidia(const struct sysroot *root, const char *address, struct mdev_types *types)
{
	cleanup_free char *list = NULL;
	char path[SYSROOT_PATH_MAX];
	char *rest, *line;
	size_t size;
	int r;

	pci_attribute_path(path, address, "nvidia/creatable_vgpu_types");
	r = sysroot_read(root, path, NVIDIA_LIST_MAX, &list, &size);
	rest = list;
	while (r == 0 && (line = strsep(&rest, "\n")))
		r = read_nvidia_line(line, types);
	if (r < 0 && r != -ENOENT)
		return r;
	return read_current(root, address, &types->current);
}

int mdev_types_read(const struct sysroot *root, const char *address, struct mdev_types *ret)
{
	cleanup_mdev_types struct mdev_types types = { 0 };
	char folder[SYSROOT_PATH_MAX];
	int r = 0;

	pci_attribute_path(folder, address, "mdev_supported_types");
	switch (mdev_support(root, address)) {
	case MDEV_TYPES:
		r = read_supported(root, folder, &types);
		break;
	case MDEV_NVIDIA:
		r = read_nvidia(root, address, &types);
		break;
	case MDEV_NONE:
		break;
	}
	if (r < 0)
		return r;
	*ret = TAKE_STRUCT(types);
	return 0;
}

/* ---- in a lane */

struct types_reading {
	const struct sysroot *root;
	const char *address;
	bool current_only;
	struct mdev_types types;
	int result;
};

/* A report a type: its count is the result, its text "ID\tNAME"; the last has the current one. */
static void read_in_lane(int fd, void *work, void *context)
{
	struct types_reading *reading = work;
	struct mdev_types types = { 0 };
	struct lane_report report = { 0 };

	(void)context;
	if (reading->current_only)
		report.result = read_current(reading->root, reading->address, &types.current);
	else
		report.result = mdev_types_read(reading->root, reading->address, &types);
	for (size_t i = 0; i < types.count; i++) {
		const struct mdev_type *type = &types.items[i];
		struct lane_report one = { .step = 1 };

		one.result = type->available > INT32_MAX ? INT32_MAX : (int)type->available;
		snprintf(one.text, sizeof(one.text), "%s\t%s", type->id,
			 type->name ? type->name : "");
		lane_send(fd, &one);
	}
	snprintf(report.text, sizeof(report.text), "%s", types.current ? types.current : "");
	lane_send(fd, &report);
	mdev_types_done(&types);
}

static void note_report(const struct lane_report *report, struct lane *lane, void *context)
{
	struct types_reading *reading = lane->work;
	cleanup_free char *text = strdup(report->text);
	char *name = text, *id;

	(void)context;
	if (!text) {
		reading->result = -ENOMEM;
	} else if (report->step == 0) {
		if (reading->result == -EINPROGRESS)
			reading->result = report->result;
		if (*text)
			reading->types.current = TAKE_PTR(text);
	} else {
		id = strsep(&name, "\t");
		if (add_type(&reading->types, strdup(id), name && *name ? strdup(name) : NULL,
			     (unsigned)report->result) < 0)
			reading->result = -ENOMEM;
	}
}

static int read_bounded(struct types_reading *reading, unsigned deadline_ms)
{
	static const struct lanes_callbacks callbacks = { .run = read_in_lane,
							  .report = note_report };
	struct lane lane = { .work = reading };
	int r;

	if (mdev_support(reading->root, reading->address) == MDEV_NONE)
		return 0;
	if (reading->root->anew)
		return reading->current_only
			       ? read_current(reading->root, reading->address,
					      &reading->types.current)
			       : mdev_types_read(reading->root, reading->address, &reading->types);
	reading->result = -EINPROGRESS;
	r = lanes_run(&lane, 1, deadline_ms, &callbacks, NULL);
	if (r < 0)
		return r;
	if (reading->result == -EINPROGRESS)
		return lane.end == LANE_DIED ? -EIO : -ETIMEDOUT;
	return reading->result;
}

int mdev_types_read_bounded(const struct sysroot *root, const char *address, unsigned deadline_ms,
			    struct mdev_types *ret)
{
	struct types_reading reading = { .root = root, .address = address };
	int r = read_bounded(&reading, deadline_ms);

	if (r < 0) {
		mdev_types_done(&reading.types);
		return r;
	}
	*ret = reading.types;
	return 0;
}

int mdev_current_read_bounded(const struct sysroot *root, const char *address, unsigned deadline_ms,
			      char **ret)
{
	struct types_reading reading = { .root = root, .address = address, .current_only = true };
	int r = read_bounded(&reading, deadline_ms);

	*ret = r == 0 ? TAKE_PTR(reading.types.current) : NULL;
	mdev_types_done(&reading.types);
	return r;
}

const struct mdev_type *mdev_types_find(const struct mdev_types *types, const char *id)
{
	for (size_t i = 0; i < types->count; i++)
		if (strcmp(types->items[i].id, id) == 0)
			return &types->items[i];
	return NULL;
}

void mdev_types_done(struct mdev_types *types)
{
	for (size_t i = 0; i < types->count; i++) {
		free(types->items[i].id);
		free(types->items[i].name);
	}
	free(types->items);
	free(types->current);
	*types = (struct mdev_types){ 0 };
}

/* ---- instances */

/* %08d-0000-0000-0000-%012d */
bool mdev_uuid_parse(const char *uuid, uint32_t *ret_vmid, uint32_t *ret_index)
{
	static const char middle[] = "-0000-0000-0000-";
	uint64_t vmid, index;

	if (strlen(uuid) != 36 || strncmp(uuid + 8, middle, strlen(middle)) != 0 ||
	    parse_number(uuid, 8, 10, UINT32_MAX, &index) < 0 ||
	    parse_number(uuid + 24, 12, 10, UINT32_MAX, &vmid) < 0 || vmid == 0)
		return false;
	*ret_vmid = (uint32_t)vmid;
	*ret_index = (uint32_t)index;
	return true;
}

int mdev_instances_read(const struct sysroot *root, const char *address, struct mdev_instances *ret)
{
	cleanup_mdev_instances struct mdev_instances instances = { 0 };
	cleanup_strings struct strings uuids = { 0 };
	int r = child_list(root, "sys/bus/mdev/devices", address, &uuids);

	for (size_t i = 0; i < uuids.count && r == 0; i++) {
		struct mdev_instance instance = { 0 };
		cleanup_free char *link =
			text_format("sys/bus/mdev/devices/%s/mdev_type", uuids.items[i]);

		instance.uuid = strdup(uuids.items[i]);
		if (!link || !instance.uuid ||
		    array_reserve(&instances.items, instances.count, sizeof(instance)) < 0) {
			free(instance.uuid);
			return -ENOMEM;
		}
		(void)sysroot_link_name(root, link, &instance.type);
		(void)mdev_uuid_parse(instance.uuid, &instance.vmid, &instance.index);
		instances.items[instances.count++] = instance;
	}
	if (r < 0)
		return r;
	*ret = TAKE_STRUCT(instances);
	return 0;
}

void mdev_instances_done(struct mdev_instances *instances)
{
	for (size_t i = 0; i < instances->count; i++) {
		free(instances->items[i].uuid);
		free(instances->items[i].type);
	}
	free(instances->items);
	*instances = (struct mdev_instances){ 0 };
}

char *mdev_removal(const char *uuid)
{
	return text_format("echo 1 > /sys/bus/mdev/devices/%s/remove", uuid);
}
