/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup: which guests give way to a VM, set by attach and taken away by detach. Displaces nobody. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/number.h"
#include "settings/store.h"
#include "setup/attach/attach.h"

#define KEY "displace"

/* On any node: it may be migrated to this one. */
static bool is_guest(const struct sysroot *root, uint32_t vmid)
{
	static const char *const folders[] = { "qemu-server", "lxc" };
	cleanup_strings struct strings nodes = { 0 };

	(void)sysroot_list(root, "etc/pve/nodes", &nodes);
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		char path[SYSROOT_PATH_MAX];

		snprintf(path, sizeof(path), "etc/pve/%s/%u.conf", folders[i], vmid);
		if (sysroot_exists(root, path))
			return true;
		for (size_t k = 0; k < nodes.count; k++) {
			snprintf(path, sizeof(path), "etc/pve/nodes/%s/%s/%u.conf", nodes.items[k],
				 folders[i], vmid);
			if (sysroot_exists(root, path))
				return true;
		}
	}
	return false;
}

static int add_guest(const struct attach *attach, const char *word, size_t size, json_t *guests,
		     struct error *err)
{
	uint64_t vmid;

	if (parse_number(word, size, 10, UINT32_MAX, &vmid) < 0 || vmid == 0)
		return error_refuse(err,
				    "--displace takes the numbers of guests, as 101,200, or 'any', "
				    "not '%.*s'",
				    (int)size, word);
	if (vmid == attach->vm.vmid)
		return error_refuse(err, "VM %u cannot give way to itself", attach->vm.vmid);
	if (!is_guest(attach->root, (uint32_t)vmid))
		return error_refuse(err,
				    "there is no VM or container %u; 'qm list' and 'pct list' "
				    "show those of this node",
				    (uint32_t)vmid);
	return json_array_append_new(guests, json_integer((json_int_t)vmid)) < 0
		       ? error_set_memory(err)
		       : 0;
}

/* "any", or "101,200" as an array. */
static int parse_guests(const struct attach *attach, json_t **ret, struct error *err)
{
	cleanup_json json_t *guests = NULL;
	const char *at = attach->options->displace;

	guests = strcmp(at, "any") == 0 ? json_string(at) : json_array();
	if (!guests)
		return error_set_memory(err);
	while (json_is_array(guests)) {
		size_t size = strcspn(at, ",");
		int r = add_guest(attach, at, size, guests, err);

		if (r < 0)
			return r;
		at += size;
		if (!*at)
			break;
		at++;
	}
	*ret = TAKE_PTR(guests);
	return 0;
}

int attach_displace_look(struct attach *attach, struct error *err)
{
	struct attach_displace *displace = &attach->displace;
	cleanup_json json_t *guests = NULL, *after = NULL;
	int r;

	if (!attach->options->displace)
		return 0;
	r = parse_guests(attach, &guests, err);
	if (r == 0)
		r = store_get(attach->root, attach->vm.vmid, KEY, &displace->before, err);
	if (r < 0)
		return r;
	/* How, and for how long, stays as somebody has set it. */
	after = json_is_object(displace->before) ? json_deep_copy(displace->before) : json_object();
	if (!after || json_object_set(after, "guests", guests) < 0)
		return error_set_memory(err);
	if (!displace->before || !json_equal(displace->before, after))
		displace->after = TAKE_PTR(after);
	return 0;
}

int attach_displace_record(const struct attach *attach, struct attached *attached)
{
	const struct attach_displace *now = &attach->displace;
	json_t *before = now->before, *pair;

	if (!now->after)
		return 0;
	/* What somebody has set since an earlier attach is what this one found. */
	if (attached->displace &&
	    json_equal(json_object_get(attached->displace, "after"), now->before))
		before = json_object_get(attached->displace, "before");
	pair = json_pack("{s:O?, s:O}", "before", before, "after", now->after);
	if (!pair)
		return -ENOMEM;
	json_decref(attached->displace);
	attached->displace = pair;
	return 0;
}

int attach_displace_set(const struct attach_vm *vm, const struct sysroot *root, json_t *value,
			struct error *err)
{
	return store_set(root, &vm->config, vm->vmid, KEY,
			 json_is_null(value) ? NULL : json_incref(value), err);
}

void attach_displace_tell(struct deeds *deeds, uint32_t vmid, const json_t *value)
{
	cleanup_free char *text =
		json_is_object(value) ? json_text(value, JSON_COMPACT) : strdup("null");

	deeds_note(deeds, "# %s/%u.json: \"" KEY "\": %s", SETTINGS_VM_FOLDER, vmid,
		   text ? text : "");
}

int detach_displace_look(struct deeds *deeds, const struct sysroot *root, uint32_t vmid,
			 const struct attached *attached, json_t **ret, struct error *err)
{
	cleanup_json json_t *now = NULL;
	json_t *before = json_object_get(attached->displace, "before");
	int r;

	*ret = NULL;
	if (!attached->displace)
		return 0;
	r = store_get(root, vmid, KEY, &now, err);
	if (r < 0)
		return r;
	if (json_equal(now, json_object_get(attached->displace, "after"))) {
		*ret = json_incref(before ? before : json_null());
		attach_displace_tell(deeds, vmid, *ret);
	} else if (now && !json_equal(now, before)) {
		deeds_note(deeds, "# \"" KEY "\" was changed since: left as it is");
	}
	return 0;
}

void attach_displace_words(const struct attach *attach, struct text *text)
{
	const json_t *guests = json_object_get(attach->displace.after, "guests");

	if (!attach->displace.after)
		return;
	if (json_is_string(guests))
		text_add(text, ", and any guest gives way to it");
	for (size_t i = 0; i < json_array_size(guests); i++)
		text_add(text, "%s%" JSON_INTEGER_FORMAT, i == 0 ? ", and " : ", ",
			 json_integer_value(json_array_get(guests, i)));
	if (json_is_array(guests))
		text_add(text, " give%s way to it", json_array_size(guests) == 1 ? "s" : "");
}
