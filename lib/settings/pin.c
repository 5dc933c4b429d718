/* SPDX-License-Identifier: GPL-2.0-or-later */
/* settings: pins. Replaces no pin that is there. */
#include "settings/pin.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/number.h"
#include "settings/settings.h"
#include "settings/store.h"

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

static void add_members(json_t *document, const struct pin *pins, size_t count)
{
	json_t *members = json_object_get(document, "pins");

	if (!members) {
		members = json_object();
		json_object_set_new(document, "pins", members);
	}
	for (size_t i = 0; i < count; i++) {
		char name[PCI_ADDRESS_TEXT];

		pci_address_format(pins[i].address, name);
		if (!json_object_get(members, name))
			json_object_set_new(members, name, pin_json(&pins[i].identity));
	}
}

int pins_add(const struct sysroot *root, uint32_t vmid, const struct pin *pins, size_t count,
	     struct error *err)
{
	cleanup_json json_t *document = NULL;
	char path[SYSROOT_PATH_MAX];
	int r;

	settings_vm_path(vmid, path);
	r = store_read(root, path, &document, err);
	if (r < 0)
		return r;
	add_members(document, pins, count);
	return store_write(root, path, document, err);
}
