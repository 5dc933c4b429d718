/* SPDX-License-Identifier: GPL-2.0-or-later */
/* settings: what attach has changed. Changes no VM. */
#include "settings/attached.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "pve/identity.h"
#include "settings/settings.h"
#include "settings/store.h"

#define VERSION 1

static void file_path(uint32_t vmid, char path[SYSROOT_PATH_MAX])
{
	snprintf(path, SYSROOT_PATH_MAX, "%s/%u.attached.json", SETTINGS_VM_FOLDER, vmid);
}

static int read_change(const json_t *json, struct vm_edit *edit, struct error *err)
{
	cleanup_free char *key = NULL, *before = NULL, *after = NULL;
	int r = json_member_string(json, "key", &key, err);

	if (r == 0)
		r = json_member_string_or_null(json, "before", &before, err);
	if (r == 0)
		r = json_member_string_or_null(json, "after", &after, err);
	if (r < 0)
		return r;
	if (vm_edit_find(edit, key))
		return error_set(err, -EBADMSG, "'%.64s' is there twice", key);
	return vm_edit_set(edit, key, before, after, NULL) < 0 ? error_set_memory(err) : 0;
}

/* Written since 0.2 only. */
static int read_displace(const json_t *document, struct attached *attached, struct error *err)
{
	json_t *displace = json_object_get(document, "displace");
	json_t *before = json_object_get(displace, "before");

	if (!displace || json_is_null(displace))
		return 0;
	if (!json_is_object(json_object_get(displace, "after")) ||
	    !(json_is_object(before) || json_is_null(before)))
		return error_set(err, -EBADMSG, "'displace' has no settings from before and after");
	attached->displace = json_incref(displace);
	return 0;
}

static int read_members(const json_t *document, struct attached *attached, struct error *err)
{
	const json_t *changes;
	uint64_t version;
	int r;

	r = json_member_u64(document, "version", UINT32_MAX, &version, err);
	if (r == 0 && version != VERSION)
		r = error_set(err, -EBADMSG, "its version is %u, and this program knows %u",
			      (unsigned)version, VERSION);
	if (r == 0)
		r = json_member_string_or_null(document, "uuid", &attached->uuid, err);
	if (r == 0)
		r = json_member_array(document, "changes", &changes, err);
	if (r == 0)
		r = json_member_string_or_null(document, "chain", &attached->chain, err);
	if (r == 0)
		r = json_member_string_or_null(document, "mapping", &attached->mapping, err);
	if (r == 0)
		r = read_displace(document, attached, err);
	for (size_t i = 0; r == 0 && i < json_array_size(changes); i++)
		r = read_change(json_array_get(changes, i), &attached->edit, err);
	return r;
}

int attached_parse(const char *name, const char *data, size_t size, struct attached *ret,
		   struct error *err)
{
	cleanup_attached struct attached attached = { 0 };
	cleanup_json json_t *document = NULL;
	struct error inner = { 0 };
	int r = json_parse_object(name, data, size, &document, err);

	if (r < 0)
		return r;
	r = read_members(document, &attached, &inner);
	if (r < 0)
		return error_set(err, r, "%s is not as pve-vfio wrote it: %.512s", name,
				 inner.message);
	*ret = TAKE_STRUCT(attached);
	return 0;
}

static bool is_of(const struct attached *attached, const struct vm_config *config)
{
	struct vm_identity identity;

	vm_identity_of(config, &identity);
	return strcmp(attached->uuid ? attached->uuid : "", identity.uuid) == 0;
}

int attached_name(struct attached *attached, const struct vm_config *config)
{
	struct vm_identity identity;

	vm_identity_of(config, &identity);
	free(attached->uuid);
	attached->uuid = *identity.uuid ? strdup(identity.uuid) : NULL;
	return *identity.uuid && !attached->uuid ? -ENOMEM : 0;
}

int attached_read(const struct sysroot *root, uint32_t vmid, const struct vm_config *config,
		  struct attached *ret, struct error *err)
{
	cleanup_attached struct attached attached = { 0 };
	cleanup_free char *data = NULL;
	char path[SYSROOT_PATH_MAX];
	size_t size;
	int r;

	file_path(vmid, path);
	r = sysroot_read(root, path + 1, SETTINGS_MAX, &data, &size);
	if (r == -ENOENT)
		return r;
	if (r < 0)
		return error_set(err, r, "cannot read %s: %s", path, strerror(-r));
	r = attached_parse(path, data, size, &attached, err);
	if (r < 0)
		return r;
	if (!is_of(&attached, config))
		return -ENOENT;
	*ret = TAKE_STRUCT(attached);
	return 0;
}

/* What somebody has changed since an earlier attach is what this one found. */
static int forget(struct vm_edit *edit, const struct vm_change *change)
{
	const struct vm_change *earlier = vm_edit_find(edit, change->key);

	if (!earlier || text_equal(earlier->after, change->before))
		return 0;
	return vm_edit_set(edit, change->key, NULL, earlier->before, NULL);
}

int attached_add(struct attached *attached, const struct vm_edit *edit)
{
	int r = 0;

	for (size_t i = 0; i < edit->count && r == 0; i++) {
		const struct vm_change *change = &edit->items[i];

		r = forget(&attached->edit, change);
		if (r == 0)
			r = vm_edit_set(&attached->edit, change->key, change->before, change->after,
					NULL);
	}
	return r;
}

static json_t *attached_json(const struct attached *attached)
{
	json_t *changes = json_array();

	for (size_t i = 0; i < attached->edit.count; i++) {
		const struct vm_change *change = &attached->edit.items[i];

		json_array_append_new(changes,
				      json_pack("{s:s, s:s?, s:s?}", "key", change->key, "before",
						change->before, "after", change->after));
	}
	return json_pack("{s:i, s:s?, s:o, s:s?, s:s?, s:O*}", "version", VERSION, "uuid",
			 attached->uuid, "changes", changes, "chain", attached->chain, "mapping",
			 attached->mapping, "displace", attached->displace);
}

static bool is_empty(const struct attached *attached)
{
	return attached->edit.count == 0 && !attached->chain && !attached->mapping &&
	       !attached->displace;
}

int attached_write(const struct sysroot *root, uint32_t vmid, const struct attached *attached,
		   struct error *err)
{
	cleanup_json json_t *document =
		is_empty(attached) ? json_object() : attached_json(attached);
	char path[SYSROOT_PATH_MAX];

	file_path(vmid, path);
	return store_write(root, path, document, err);
}

void attached_done(struct attached *attached)
{
	free(attached->uuid);
	vm_edit_done(&attached->edit);
	free(attached->chain);
	free(attached->mapping);
	json_decref(attached->displace);
	*attached = (struct attached){ 0 };
}
