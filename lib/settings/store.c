/* SPDX-License-Identifier: GPL-2.0-or-later */
/* settings: writing below /etc/pve/pve-vfio. Touches nothing of /etc/pve that is not this program's. */
#include "settings/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/array.h"
#include "base/file.h"
#include "settings/settings.h"

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

/* Whose settings they would be is not worth a file. */
static bool has_content(const json_t *document)
{
	return json_object_size(document) > (json_object_get(document, "vm") ? 1 : 0);
}

int store_write(const struct sysroot *root, const char *path, const json_t *document,
		struct error *err)
{
	cleanup_free char *json = json_text(document, JSON_INDENT(2));
	cleanup_free char *text = json ? text_format("%s\n", json) : NULL;
	const char *name = strrchr(path, '/') + 1;
	cleanup_close int folder = -1;
	int r;

	if (!text)
		return error_set_memory(err);
	folder = open_folder(root);
	if (folder < 0)
		r = folder;
	else if (has_content(document))
		r = file_replace_at(folder, name, text, strlen(text));
	else
		r = unlinkat(folder, name, 0) < 0 && errno != ENOENT ? -errno : 0;
	return r < 0 ? error_set(err, r, "cannot write %s: %s", path, strerror(-r)) : 0;
}

int store_read(const struct sysroot *root, const char *path, json_t **ret, struct error *err)
{
	cleanup_free char *data = NULL;
	size_t size;
	int r = sysroot_read(root, path + 1, SETTINGS_MAX, &data, &size);

	if (r == -ENOENT || (r == 0 && strspn(data, " \t\r\n") == size)) {
		*ret = json_object();
		return *ret ? 0 : error_set_memory(err);
	}
	if (r < 0)
		return error_set(err, r, "cannot read %s: %s", path, strerror(-r));
	return json_parse_object(path, data, size, ret, err);
}

/* Notes whose settings these are, where that is not noted. */
static void note_vm(json_t *document, const struct vm_identity *vm)
{
	if (vm_identity_is_known(vm) && !json_object_get(document, "vm"))
		json_object_set_new(document, "vm", settings_vm_json(vm));
}

/* The document, without a member where it is an earlier VM's of this number. */
static int read_own(const struct sysroot *root, uint32_t vmid, json_t **ret, bool *ret_foreign,
		    struct error *err)
{
	cleanup_settings struct settings settings = { 0 };
	cleanup_json json_t *document = NULL;
	char path[SYSROOT_PATH_MAX];
	int r;

	settings_vm_path(vmid, path);
	r = store_read(root, path, &document, err);
	if (r == 0)
		r = settings_read(root, vmid, NULL, &settings, err);
	if (r < 0)
		return r;
	*ret_foreign = settings.foreign;
	if (settings.foreign)
		json_object_clear(document);
	*ret = TAKE_PTR(document);
	return 0;
}

int store_get(const struct sysroot *root, uint32_t vmid, const char *key, json_t **ret,
	      struct error *err)
{
	cleanup_json json_t *document = NULL;
	bool foreign;
	int r = read_own(root, vmid, &document, &foreign, err);

	if (r == 0)
		*ret = json_incref(json_object_get(document, key));
	return r;
}

int store_set(const struct sysroot *root, const struct vm_config *config, uint32_t vmid,
	      const char *key, json_t *value, struct error *err)
{
	cleanup_json json_t *document = NULL, *wanted = value;
	struct vm_identity now;
	char path[SYSROOT_PATH_MAX];
	const json_t *there;
	bool foreign;
	int r = read_own(root, vmid, &document, &foreign, err);

	if (r < 0)
		return r;
	there = json_object_get(document, key);
	if ((!wanted && !there) || (wanted && there && json_equal(wanted, there)))
		return 0;
	if (wanted && json_object_set(document, key, wanted) < 0)
		return error_set_memory(err);
	if (!wanted)
		json_object_del(document, key);
	vm_identity_of(config, &now);
	if (json_object_size(document) > 0)
		note_vm(document, &now);
	settings_vm_path(vmid, path);
	return store_write(root, path, document, err);
}

int store_unpin(const struct sysroot *root, uint32_t vmid, const struct pci_addresses *addresses,
		struct error *err)
{
	cleanup_json json_t *document = NULL;
	char path[SYSROOT_PATH_MAX];
	int r;

	settings_vm_path(vmid, path);
	r = store_read(root, path, &document, err);
	if (r < 0 || !pins_remove(document, addresses))
		return r;
	return store_write(root, path, document, err);
}

int store_pins(const struct sysroot *root, uint32_t vmid, const struct vm_identity *vm,
	       const struct pin *pins, size_t count, struct error *err)
{
	cleanup_json json_t *document = NULL, *before = NULL;
	char path[SYSROOT_PATH_MAX];
	int r;

	settings_vm_path(vmid, path);
	r = store_read(root, path, &document, err);
	if (r < 0)
		return r;
	before = json_deep_copy(document);
	for (size_t i = 0; i < count; i++)
		if (pin_add(document, &pins[i]) < 0)
			return error_set_memory(err);
	if (json_object_size(document) > 0)
		note_vm(document, vm);
	return json_equal(document, before) ? 0 : store_write(root, path, document, err);
}

/* What 0.1 knows. It refuses all else; so this list is complete, whatever comes after it. */
static const char *const keys_0_1[] = {
	"after_stop", "siblings", "deadline_s", "driver", "stop_units", "unload_modules",
	"console",    "trace",	  "allow",	"chain",  "devices",	"pins",
};
static const char *const device_keys_0_1[] = {
	"after_stop", "reset_method", "d3cold", "power", "resize_bar", "rescan",
};

/* The first member that 0.1 refuses: its key, or for a device that is not named by address its name. */
static const char *find_refused(json_t *document)
{
	const char *name, *key;
	json_t *member, *value;

	json_object_foreach(document, name, member)
		if (TABLE_FIND(keys_0_1, name) < 0)
			return name;
	json_object_foreach(json_object_get(document, "devices"), name, member) {
		struct pci_address address;

		if (pci_address_parse(name, &address) < 0)
			return name;
		json_object_foreach(member, key, value)
			if (TABLE_FIND(device_keys_0_1, key) < 0)
				return key;
	}
	return NULL;
}

int store_for_0_1(const struct sysroot *root, uint32_t vmid, const char *node, bool *ret_changed,
		  char **ret_refused, struct error *err)
{
	cleanup_json json_t *document = NULL, *before = NULL;
	cleanup_free char *refused = NULL;
	char path[SYSROOT_PATH_MAX];
	bool foreign, changed;
	const char *name;
	int r;

	settings_vm_path(vmid, path);
	r = store_read(root, path, &before, err);
	if (r == 0)
		r = read_own(root, vmid, &document, &foreign, err);
	if (r < 0)
		return r;
	if (pins_flatten(document, node) < 0)
		return error_set_memory(err);
	json_object_del(document, "vm");
	name = find_refused(document);
	refused = name ? strdup(name) : NULL;
	if (name && !refused)
		return error_set_memory(err);
	changed = !json_equal(document, before);
	if (changed)
		r = store_write(root, path, document, err);
	if (r < 0)
		return r;
	*ret_changed = changed;
	*ret_refused = TAKE_PTR(refused);
	return 0;
}
