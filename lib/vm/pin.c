/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vm: pins. Replaces no pin that is there. */
#include "vm/pin.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/json.h"
#include "base/number.h"
#include "vm/settings.h"

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

/* The folder is made at the first pin; pmxcfs keeps what other programs put below /etc/pve. */
static int open_folder(const struct sysroot *root)
{
	cleanup_close int parent = sysroot_openat(root, "etc/pve", O_PATH | O_DIRECTORY);
	const char *name = strrchr(SETTINGS_VM_FOLDER, '/') + 1;
	int fd;

	if (parent < 0)
		return parent;
	if (mkdirat(parent, name, 0755) < 0 && errno != EEXIST)
		return -errno;
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int read_document(const struct sysroot *root, const char *path, json_t **ret,
			 struct error *err)
{
	cleanup_free char *data = NULL;
	size_t size;
	int r;

	r = sysroot_read(root, path + 1, SETTINGS_MAX, &data, &size);
	if (r == -ENOENT) {
		*ret = json_object();
		return 0;
	}
	if (r < 0)
		return error_set(err, r, "cannot read %s: %s", path, strerror(-r));
	return json_parse_object(path, data, size, ret, err);
}

static char *add_members(json_t *document, const struct pin *pins, size_t count)
{
	cleanup_free char *text = NULL;
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
	text = json_dumps(document, JSON_INDENT(2));
	return text ? text_format("%s\n", text) : NULL;
}

int pins_add(const struct sysroot *root, uint32_t vmid, const struct pin *pins, size_t count,
	     struct error *err)
{
	cleanup_json json_t *document = NULL;
	cleanup_free char *text = NULL;
	cleanup_close int folder = -1;
	char path[SYSROOT_PATH_MAX];
	int r;

	settings_vm_path(vmid, path);
	r = read_document(root, path, &document, err);
	if (r < 0)
		return r;
	text = add_members(document, pins, count);
	if (!text)
		return error_set_memory(err);
	folder = open_folder(root);
	r = folder < 0 ? folder
		       : file_replace_at(folder, strrchr(path, '/') + 1, text, strlen(text));
	if (r < 0)
		return error_set(err, r, "cannot write %s: %s", path, strerror(-r));
	return 0;
}
