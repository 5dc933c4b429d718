/* SPDX-License-Identifier: GPL-2.0-or-later */
/* settings: pins. Replaces no pin that is there. */
#include "settings/pin.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/number.h"
#include "base/text.h"

/* "10de:2484": two ids of four digits. */
static int parse_ids(const json_t *value, uint16_t *ret_first, uint16_t *ret_second)
{
	const char *text = json_string_value(value);
	uint64_t first, second;

	if (!text || strlen(text) != 9 || text[4] != ':' ||
	    parse_number(text, 4, 16, UINT16_MAX, &first) < 0 ||
	    parse_number(text + 5, 4, 16, UINT16_MAX, &second) < 0)
		return -EINVAL;
	*ret_first = (uint16_t)first;
	*ret_second = (uint16_t)second;
	return 0;
}

static int parse_class(const json_t *value, uint32_t *ret)
{
	const char *text = json_string_value(value);
	uint64_t number;

	if (!text || strlen(text) != 6 || parse_number(text, 6, 16, 0xffffff, &number) < 0)
		return -EINVAL;
	*ret = (uint32_t)number;
	return 0;
}

static int parse_serial(const json_t *value, char serial[PCI_SERIAL_TEXT])
{
	const char *text = json_string_value(value);

	if (!text || strlen(text) >= PCI_SERIAL_TEXT)
		return -EINVAL;
	snprintf(serial, PCI_SERIAL_TEXT, "%s", text);
	return 0;
}

int pin_set_member(struct pci_identity *identity, const char *key, const json_t *value)
{
	if (strcmp(key, "id") == 0)
		return parse_ids(value, &identity->vendor, &identity->device);
	if (strcmp(key, "subsystem") == 0)
		return parse_ids(value, &identity->subsystem_vendor, &identity->subsystem_device);
	if (strcmp(key, "class") == 0)
		return parse_class(value, &identity->class_code);
	if (strcmp(key, "serial") == 0)
		return parse_serial(value, identity->serial);
	return -ENOENT;
}

json_t *pin_json(const struct pci_identity *identity)
{
	char id[10], subsystem[10], class_code[8];
	json_t *json;

	snprintf(id, sizeof(id), "%04x:%04x", identity->vendor, identity->device);
	snprintf(subsystem, sizeof(subsystem), "%04x:%04x", identity->subsystem_vendor,
		 identity->subsystem_device);
	snprintf(class_code, sizeof(class_code), "%06x", identity->class_code & 0xffffff);
	json = json_pack("{s:s, s:s, s:s}", "id", id, "subsystem", subsystem, "class", class_code);
	if (json && *identity->serial)
		json_object_set_new(json, "serial", json_string(identity->serial));
	return json;
}

/* The object `key` of another, made where it is not there. NULL: no memory, or it is something else. */
static json_t *member_object(json_t *object, const char *key)
{
	json_t *member = json_object_get(object, key);

	if (!member && json_object_set_new(object, key, json_object()) < 0)
		return NULL;
	member = json_object_get(object, key);
	return json_is_object(member) ? member : NULL;
}

int pin_add(json_t *document, const struct pin *pin)
{
	cleanup_free char *node = text_format("%s%s", PIN_NODES, pin->node);
	json_t *pins = node ? member_object(document, "pins") : NULL;
	json_t *members = pins ? member_object(pins, node) : NULL;
	char name[PCI_ADDRESS_TEXT];

	if (!members)
		return -ENOMEM;
	pci_address_format(pin->address, name);
	if (json_object_get(members, name))
		return 0;
	return json_object_set_new(members, name, pin_json(&pin->identity)) < 0 ? -ENOMEM : 0;
}

int pins_flatten(json_t *document, const char *node)
{
	json_t *pins = json_object_get(document, "pins"), *members;
	const char *name;
	void *next;

	json_object_foreach_safe(pins, next, name, members)
	{
		if (!text_starts_with(name, PIN_NODES))
			continue;
		if (strcmp(name + strlen(PIN_NODES), node) == 0 &&
		    json_object_update(pins, members) < 0)
			return -ENOMEM;
		json_object_del(pins, name);
	}
	if (json_object_size(pins) == 0)
		json_object_del(document, "pins");
	return 0;
}

/* Those of one node, or those that name none. */
static bool remove_from(json_t *members, const struct pci_addresses *addresses)
{
	bool any = false;

	for (size_t i = 0; i < addresses->count; i++) {
		char name[PCI_ADDRESS_TEXT];

		pci_address_format(addresses->items[i], name);
		any |= json_object_del(members, name) == 0;
	}
	return any;
}

bool pins_remove(json_t *document, const struct pci_addresses *addresses)
{
	json_t *pins = json_object_get(document, "pins"), *members;
	bool any = remove_from(pins, addresses);
	const char *name;
	void *next;

	json_object_foreach_safe(pins, next, name, members)
	{
		if (!text_starts_with(name, PIN_NODES))
			continue;
		any |= remove_from(members, addresses);
		if (json_object_size(members) == 0)
			json_object_del(pins, name);
	}
	if (any && json_object_size(pins) == 0)
		json_object_del(document, "pins");
	return any;
}
