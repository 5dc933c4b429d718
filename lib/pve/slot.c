/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pve: the PCI devices of a running QEMU. Changes nothing. */
#include "pve/slot.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/json.h"
#include "pve/hostpci.h"

/* Bridges behind bridges: QEMU's own machines have three at most. */
#define DEPTH_MAX 16

static int bad(struct error *err)
{
	return error_set(err, -EBADMSG, "QEMU's list of PCI devices is not as documented");
}

static bool read_number(const json_t *object, const char *key, unsigned max, unsigned *ret)
{
	const json_t *value = json_object_get(object, key);
	json_int_t number = json_integer_value(value);

	if (!json_is_integer(value) || number < 0 || number > (json_int_t)max)
		return false;
	*ret = (unsigned)number;
	return true;
}

/* A BAR that the guest has not switched on is at an address of all ones (PCI_BAR_UNMAPPED). */
static bool is_mapped(const json_t *regions)
{
	const json_t *region;
	size_t i;

	json_array_foreach(regions, i, region) {
		const json_t *address = json_object_get(region, "address");

		if (json_is_integer(address) && json_integer_value(address) != -1)
			return true;
	}
	return false;
}

static int parse_devices(const json_t *devices, const char *parent, unsigned depth,
			 struct qemu_functions *ret, struct error *err);

static int parse_device(const json_t *device, const char *parent, unsigned depth,
			struct qemu_functions *ret, struct error *err)
{
	const json_t *bridge = json_object_get(device, "pci_bridge");
	const char *id = json_string_value(json_object_get(device, "qdev_id"));
	struct qemu_function *function;
	char own[sizeof(function->id)];
	unsigned secondary = 0;

	if (array_reserve(&ret->items, ret->count, sizeof(*ret->items)) < 0)
		return error_set_memory(err);
	function = &ret->items[ret->count];
	*function = (struct qemu_function){ .bridge = bridge };
	if (!id || !read_number(device, "slot", 31, &function->slot) ||
	    !read_number(device, "function", 7, &function->function) ||
	    !read_number(json_object_get(device, "class_info"), "class", 0xffff,
			 &function->class_code))
		return bad(err);
	snprintf(function->id, sizeof(function->id), "%s", id);
	snprintf(own, sizeof(own), "%s", id);
	snprintf(function->parent, sizeof(function->parent), "%s", parent);
	function->mapped = is_mapped(json_object_get(device, "regions"));
	if (bridge && !read_number(json_object_get(bridge, "bus"), "secondary", 0xff, &secondary))
		return bad(err);
	function->numbered = secondary != 0;
	ret->count++;
	bridge = json_object_get(bridge, "devices");
	return bridge ? parse_devices(bridge, own, depth + 1, ret, err) : 0;
}

static int parse_devices(const json_t *devices, const char *parent, unsigned depth,
			 struct qemu_functions *ret, struct error *err)
{
	const json_t *device;
	size_t i;
	int r = 0;

	if (!json_is_array(devices) || depth > DEPTH_MAX)
		return bad(err);
	json_array_foreach(devices, i, device) {
		r = parse_device(device, parent, depth, ret, err);
		if (r < 0)
			break;
	}
	return r;
}

int qemu_functions_parse(const json_t *answer, struct qemu_functions *ret, struct error *err)
{
	cleanup_qemu_functions struct qemu_functions functions = { 0 };
	const json_t *bus;
	size_t i;
	int r = 0;

	if (!json_is_array(answer))
		return bad(err);
	json_array_foreach(answer, i, bus) {
		r = parse_devices(json_object_get(bus, "devices"), "", 0, &functions, err);
		if (r < 0)
			return r;
	}
	*ret = TAKE_STRUCT(functions);
	return 0;
}

int qemu_functions_read(struct qmp *qmp, struct qemu_functions *ret, struct error *err)
{
	cleanup_json json_t *answer = NULL;
	int r = qmp_command(qmp, "query-pci", NULL, QMP_ANSWER_MS, &answer, err);

	return r < 0 ? r : qemu_functions_parse(answer, ret, err);
}

void qemu_functions_done(struct qemu_functions *functions)
{
	free(functions->items);
	*functions = (struct qemu_functions){ 0 };
}

const struct qemu_function *qemu_functions_find(const struct qemu_functions *functions,
						const char *id)
{
	for (size_t i = 0; i < functions->count; i++)
		if (strcmp(functions->items[i].id, id) == 0)
			return &functions->items[i];
	return NULL;
}

void qemu_line_id(unsigned number, size_t function, size_t count, char id[32])
{
	if (count > 1)
		snprintf(id, 32, "hostpci%u.%zu", number, function);
	else
		snprintf(id, 32, "hostpci%u", number);
}

size_t qemu_functions_of_line(const struct qemu_functions *functions, unsigned number,
			      size_t *ret_mapped)
{
	size_t count = 0, length;
	char name[32];

	snprintf(name, sizeof(name), "hostpci%u", number);
	length = strlen(name);
	*ret_mapped = 0;
	for (size_t i = 0; i < functions->count; i++) {
		const struct qemu_function *function = &functions->items[i];

		if (strncmp(function->id, name, length) != 0 ||
		    (function->id[length] != '\0' && function->id[length] != '.'))
			continue;
		count++;
		*ret_mapped += function->mapped;
	}
	return count;
}

/* The first four are on the machine's own bus, the others behind a bridge that is always there. */
static void place(bool q35, unsigned number, struct qemu_slot *ret)
{
	static const unsigned first[] = { 16, 17, 27, 28 };

	*ret = (struct qemu_slot){ 0 };
	if (q35) {
		snprintf(ret->bus, sizeof(ret->bus), "ich9-pcie-port-%u", number + 1);
		return;
	}
	snprintf(ret->bus, sizeof(ret->bus), "%s", number < ARRAY_SIZE(first) ? "pci.0" : "pci.2");
	ret->slot = number < ARRAY_SIZE(first) ? first[number] : number + 9;
}

int qemu_slot_find(const struct qemu_functions *functions, bool q35, unsigned number,
		   struct qemu_slot *ret)
{
	const struct qemu_function *bridge;
	const char *parent = "";
	struct qemu_slot slot;

	place(q35, number, &slot);
	if (strcmp(slot.bus, "pci.0") != 0) {
		parent = slot.bus;
		bridge = qemu_functions_find(functions, slot.bus);
		if (!bridge || !bridge->bridge)
			return -ENXIO;
		if (!bridge->numbered)
			return -EAGAIN;
	}
	for (size_t i = 0; i < functions->count; i++) {
		const struct qemu_function *function = &functions->items[i];

		if (strcmp(function->parent, parent) == 0 && function->slot == slot.slot)
			return -EBUSY;
	}
	*ret = slot;
	return 0;
}
