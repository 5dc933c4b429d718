/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cluster: what nodes publish. Writes nothing that is there already. */
#include "cluster/facts.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/array.h"
#include "base/file.h"
#include "base/number.h"

/* What a name of a node is made of cannot lead elsewhere. */
static bool facts_path(const char *node, char path[SYSROOT_PATH_MAX])
{
	size_t size = strlen(node);

	for (const char *c = node; *c; c++)
		if (!isalnum((unsigned char)*c) && *c != '-')
			return false;
	snprintf(path, SYSROOT_PATH_MAX, "%s/%s.json", FACTS_FOLDER, node);
	return size > 0 && size <= NODE_NAME_MAX;
}

static void device_done(struct facts_device *device)
{
	pci_device_done(&device->device);
	free(device->name);
	free(device->why);
}

void facts_done(struct facts *facts)
{
	for (size_t i = 0; i < facts->device_count; i++)
		device_done(&facts->devices[i]);
	for (size_t i = 0; i < facts->hook_count; i++) {
		free(facts->hooks[i].storage);
		free(facts->hooks[i].version);
	}
	free(facts->devices);
	free(facts->hooks);
	free(facts->node);
	free(facts->version);
	free(facts->pve);
	free(facts->release);
	*facts = (struct facts){ 0 };
}

const struct facts_device *facts_find(const struct facts *facts, const char *address)
{
	for (size_t i = 0; i < facts->device_count; i++)
		if (strcmp(facts->devices[i].device.name, address) == 0)
			return &facts->devices[i];
	return NULL;
}

const struct facts_hook *facts_hook_find(const struct facts *facts, const char *storage)
{
	for (size_t i = 0; i < facts->hook_count; i++)
		if (strcmp(facts->hooks[i].storage, storage) == 0)
			return &facts->hooks[i];
	return NULL;
}

/* ---- as JSON */

static json_t *device_json(const struct facts_device *device)
{
	const struct pci_device *of = &device->device;
	char ids[16], subsystem[16], class[8];

	snprintf(ids, sizeof(ids), "%04x:%04x", of->vendor, of->device);
	snprintf(subsystem, sizeof(subsystem), "%04x:%04x", of->subsystem_vendor,
		 of->subsystem_device);
	snprintf(class, sizeof(class), "%06x", of->class_code & 0xffffff);
	return json_pack("{s:s, s:s, s:s, s:s, s:o, s:s, s:s, s:s?, s:b}", "address", of->name,
			 "id", ids, "subsystem_id", subsystem, "class", class, "group",
			 of->iommu_group == IOMMU_GROUP_NONE ? json_null()
							     : json_integer(of->iommu_group),
			 "name", device->name, "pass", pass_name(device->pass), "why", device->why,
			 "mdev", device->mdev);
}

json_t *facts_json(const struct facts *facts)
{
	json_t *devices = json_array(), *hooks = json_object();

	for (size_t i = 0; i < facts->device_count; i++)
		json_array_append_new(devices, device_json(&facts->devices[i]));
	for (size_t i = 0; i < facts->hook_count; i++)
		json_object_set_new(hooks, facts->hooks[i].storage,
				    json_string(facts->hooks[i].version));
	return json_pack("{s:i, s:s, s:s, s:s, s:s, s:I, s:o, s:o, s:I}", "format", FACTS_FORMAT,
			 "node", facts->node, "version", facts->version, "qemu_server", facts->pve,
			 "kernel", facts->release, "written", (json_int_t)facts->written, "hooks",
			 hooks, "devices", devices, "left_out", (json_int_t)facts->left_out);
}

static bool parse_ids(const json_t *json, const char *key, uint16_t *first, uint16_t *second)
{
	const char *text = json_string_value(json_object_get(json, key));
	uint64_t a, b;

	if (!text || strlen(text) != 9 || text[4] != ':' ||
	    parse_number(text, 4, 16, UINT16_MAX, &a) < 0 ||
	    parse_number(text + 5, 4, 16, UINT16_MAX, &b) < 0)
		return false;
	*first = (uint16_t)a;
	*second = (uint16_t)b;
	return true;
}

static bool parse_pass(const char *word, enum pass *ret)
{
	for (unsigned pass = PASS_YES; pass <= PASS_NO; pass++)
		if (text_equal(word, pass_name((enum pass)pass))) {
			*ret = (enum pass)pass;
			return true;
		}
	return false;
}

static int parse_device(const json_t *json, struct facts_device *device, struct error *err)
{
	const char *class = json_string_value(json_object_get(json, "class"));
	const json_t *group = json_object_get(json, "group");
	const char *address = json_string_value(json_object_get(json, "address"));
	struct pci_device *of = &device->device;
	json_int_t number = json_is_integer(group) ? json_integer_value(group) : IOMMU_GROUP_NONE;
	int r;

	if (!address || pci_address_parse(address, &of->address) < 0 ||
	    !parse_ids(json, "id", &of->vendor, &of->device) ||
	    !parse_ids(json, "subsystem_id", &of->subsystem_vendor, &of->subsystem_device) ||
	    !class || parse_hex_u32(class, &of->class_code) < 0 || number < IOMMU_GROUP_NONE ||
	    number > INT32_MAX ||
	    !parse_pass(json_string_value(json_object_get(json, "pass")), &device->pass))
		return error_set(err, -EBADMSG, "a device is not as pve-vfio-json(5) has it");
	pci_address_format(of->address, of->name);
	of->iommu_group = (int)number;
	r = json_member_string(json, "name", &device->name, err);
	if (r == 0)
		r = json_member_string_or_null(json, "why", &device->why, err);
	if (r == 0)
		r = json_member_bool(json, "mdev", &device->mdev, err);
	return r;
}

static int parse_devices(const json_t *document, struct facts *facts, struct error *err)
{
	const json_t *devices;
	int r = json_member_array(document, "devices", &devices, err);

	for (size_t i = 0; r == 0 && i < json_array_size(devices); i++) {
		struct facts_device device = { 0 };

		r = parse_device(json_array_get(devices, i), &device, err);
		if (r == 0 &&
		    array_reserve(&facts->devices, facts->device_count, sizeof(device)) < 0)
			r = error_set_memory(err);
		if (r < 0)
			device_done(&device);
		else
			facts->devices[facts->device_count++] = device;
	}
	return r;
}

static int add_hook(struct facts *facts, const char *storage, const char *version)
{
	struct facts_hook hook;

	if (array_reserve(&facts->hooks, facts->hook_count, sizeof(hook)) < 0)
		return -ENOMEM;
	hook = (struct facts_hook){ strdup(storage), strdup(version) };
	facts->hooks[facts->hook_count++] = hook;
	return hook.storage && hook.version ? 0 : -ENOMEM;
}

static int parse_hooks(const json_t *document, struct facts *facts, struct error *err)
{
	json_t *hooks = json_object_get(document, "hooks"), *version;
	const char *storage;

	if (!json_is_object(hooks))
		return error_set(err, -EBADMSG, "'hooks' is missing, or not an object");
	json_object_foreach(hooks, storage, version) {
		if (!json_is_string(version))
			return error_set(err, -EBADMSG, "a version in 'hooks' is not a string");
		if (add_hook(facts, storage, json_string_value(version)) < 0)
			return error_set_memory(err);
	}
	return 0;
}

static int parse_document(const json_t *document, struct facts *facts, struct error *err)
{
	uint64_t format, written = 0;
	int r = json_member_u64(document, "format", UINT32_MAX, &format, err);

	if (r == 0 && format != FACTS_FORMAT)
		return error_set(err, -EBADMSG, "it is of format %ju, of a newer version",
				 (uintmax_t)format);
	if (r == 0)
		r = json_member_string(document, "node", &facts->node, err);
	if (r == 0)
		r = json_member_string(document, "version", &facts->version, err);
	if (r == 0)
		r = json_member_string(document, "qemu_server", &facts->pve, err);
	if (r == 0)
		r = json_member_string(document, "kernel", &facts->release, err);
	if (r == 0)
		r = json_member_u64(document, "written", INT64_MAX, &written, err);
	if (r == 0)
		r = parse_hooks(document, facts, err);
	if (r == 0)
		r = parse_devices(document, facts, err);
	facts->written = (time_t)written;
	return r;
}

int facts_parse(const char *name, const char *data, size_t size, struct facts *ret,
		struct error *err)
{
	cleanup_facts struct facts facts = { 0 };
	cleanup_json json_t *document = NULL;
	struct error reason = { 0 };
	int r = json_parse_object(name, data, size, &document, err);

	if (r < 0)
		return r;
	r = parse_document(document, &facts, &reason);
	if (r < 0)
		return error_set(err, r, "%s: %s", name, reason.message);
	*ret = TAKE_STRUCT(facts);
	return 0;
}

int facts_read(const struct sysroot *root, const char *node, struct facts *ret, struct error *err)
{
	cleanup_free char *data = NULL;
	char path[SYSROOT_PATH_MAX];
	size_t size;
	int r;

	if (!facts_path(node, path))
		return -ENOENT;
	r = sysroot_read(root, path + 1, FACTS_MAX, &data, &size);
	if (r == -ENOENT)
		return r;
	if (r < 0)
		return error_set(err, r, "cannot read %s: %s", path, strerror(-r));
	r = facts_parse(path, data, size, ret, err);
	if (r == 0 && strcmp(ret->node, node) != 0) {
		facts_done(ret);
		r = error_set(err, -EBADMSG, "%s is of another node", path);
	}
	return r;
}

/* ---- publishing */

/* The same but for when it was written, and not so old that it has to be written again. */
static bool is_there(const struct sysroot *root, const struct facts *facts)
{
	cleanup_facts struct facts before = { 0 };
	cleanup_json json_t *old = NULL, *new = NULL;

	if (facts_read(root, facts->node, &before, NULL) < 0 || before.written > facts->written ||
	    facts->written - before.written > FACTS_AGAIN_S)
		return false;
	before.written = facts->written;
	before.left_out = facts->left_out;
	old = facts_json(&before);
	new = facts_json(facts);
	return old && new &&json_equal(old, new);
}

static int make_folder(const struct sysroot *root)
{
	cleanup_close int pve = sysroot_openat(root, "etc/pve", O_PATH | O_DIRECTORY);
	int fd;

	if (pve < 0)
		return pve;
	if ((mkdirat(pve, "pve-vfio", 0755) < 0 && errno != EEXIST) ||
	    (mkdirat(pve, "pve-vfio/nodes", 0755) < 0 && errno != EEXIST))
		return -errno;
	fd = openat(pve, "pve-vfio/nodes", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int facts_write(const struct sysroot *root, const struct facts *facts, bool *ret_written,
		struct error *err)
{
	cleanup_json json_t *document = facts_json(facts);
	cleanup_free char *json = document ? json_text(document, JSON_COMPACT) : NULL;
	cleanup_close int folder = -1;
	char path[SYSROOT_PATH_MAX];
	int r;

	*ret_written = false;
	if (!json)
		return error_set_memory(err);
	if (!facts_path(facts->node, path))
		return error_set(err, -EINVAL, "'%s' cannot be the name of a node", facts->node);
	if (is_there(root, facts))
		return 0;
	folder = make_folder(root);
	r = folder < 0 ? folder
		       : file_replace_at(folder, strrchr(path, '/') + 1, json, strlen(json));
	if (r == -EACCES || r == -EPERM || r == -EROFS)
		return error_refuse(err,
				    "cannot write %s: %s; without quorum /etc/pve is read-only, "
				    "and 'pvecm status' shows whether there is one",
				    path, strerror(-r));
	if (r < 0)
		return error_set(err, r, "cannot write %s: %s", path, strerror(-r));
	*ret_written = true;
	return 0;
}
