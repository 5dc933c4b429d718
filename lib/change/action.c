/* SPDX-License-Identifier: GPL-2.0-or-later */
/* change: the types of action. Believes no write: each ends in a look. */
#include "change/action.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/number.h"
#include "change/operations.h"
#include "host/module.h"
#include "pci/driver.h"
#include "pve/reservation.h"

/*
 * A reservation lasts until PVE makes its own, which is when it has made the VM's disks ready; PVE
 * drops it when the start fails.
 */
#define RESERVE_S	300
#define RESERVE_LOCK_MS 5000

static int reserve_vmid(const struct action *action, uint32_t *ret, struct error *err)
{
	if (parse_u32(action->wanted, ret) < 0)
		return error_set(err, -EINVAL, "'%s' is no VM id", action->wanted);
	return 0;
}

static int reserve_apply(const struct sysroot *root, const struct action *action, struct error *err)
{
	uint32_t vmid;
	int r = reserve_vmid(action, &vmid, err);

	if (r < 0)
		return r;
	return reservation_add(root, action->target, vmid, time(NULL) + RESERVE_S,
			       deadline_in_ms(RESERVE_LOCK_MS), err);
}

/* By now it is most often PVE that has replaced or dropped it. */
static int reserve_revert(const struct sysroot *root, const struct action *action,
			  const char **note, struct error *err)
{
	uint32_t vmid;
	int r = reserve_vmid(action, &vmid, err);

	if (r < 0)
		return r;
	*note = "no longer reserved";
	return reservation_remove(root, action->target, vmid, deadline_in_ms(RESERVE_LOCK_MS), err);
}

static int load_apply(const struct sysroot *root, const struct action *action, struct error *err)
{
	return module_load(root, action->target, err);
}

/* A loaded module harms nothing, and another VM may have come to rely on it. */
static int load_revert(const struct sysroot *root, const struct action *action, const char **note,
		       struct error *err)
{
	(void)root, (void)action, (void)err;
	*note = "stays loaded";
	return 0;
}

static int bind_apply(const struct sysroot *root, const struct action *action, struct error *err)
{
	return pci_driver_bind(root, action->target, action->wanted, err);
}

/*
 * The driver before gets the device by name: an id that vfio-pci has learned from somebody else's
 * new_id would let a plain probe end at vfio-pci again.
 */
static int bind_back(const struct sysroot *root, const struct action *action, struct error *err)
{
	struct error ignored;

	if (!action->before)
		return pci_driver_unbind(root, action->target, err);
	/* Should the driver still be missing, the probe tells. */
	if (action->module)
		(void)module_load(root, action->module, &ignored);
	return pci_driver_bind(root, action->target, action->before, err);
}

/* An override of ours: the one that took the device, or the one that was giving it back. */
static bool is_our_override(const struct action *action, const char *override)
{
	return override &&
	       (text_equal(override, action->wanted) || text_equal(override, action->before));
}

static int bind_revert(const struct sysroot *root, const struct action *action, const char **note,
		       struct error *err)
{
	cleanup_free char *driver = NULL, *override = NULL;
	int bound = 0, r;

	r = pci_driver_read(root, action->target, &driver);
	if (r == -ENODEV) {
		*note = NOTE_GONE;
		return 0;
	}
	if (r < 0)
		return error_set(err, r, "cannot read its driver: %s", strerror(-r));

	/* Where our own attempt failed, whoever has it now got it by that. */
	if (text_equal(driver, action->before))
		*note = "already there";
	else if (driver && !text_equal(driver, action->wanted) && action->state != ACTION_FAILED)
		*note = NOTE_LEFT;
	else
		bound = bind_back(root, action, err);

	/* Also after a failure: a device without a driver is at least open to every driver. */
	r = pci_override_read(root, action->target, &override);
	if (r < 0)
		return bound < 0
			       ? bound
			       : error_set(err, r, "cannot read driver_override: %s", strerror(-r));
	if (is_our_override(action, override) && !text_equal(override, action->override))
		r = pci_override_write(root, action->target, action->override,
				       bound < 0 ? NULL : err);
	return bound < 0 ? bound : r;
}

static const struct action_operations operations[] = {
	[ACTION_RESERVE] = { "reserve", true, reserve_apply, reserve_revert },
	[ACTION_DISPLACE] = { "displace", true, displace_apply, displace_revert },
	[ACTION_STOP_UNIT] = { "stop-unit", true, unit_apply, unit_revert },
	[ACTION_RELEASE_CONSOLE] = { "release-console", true, console_apply, console_revert },
	[ACTION_RELEASE_FRAMEBUFFER] = { "release-framebuffer", true, framebuffer_apply,
					 framebuffer_revert },
	[ACTION_UNLOAD_MODULE] = { "unload-module", true, unload_apply, unload_revert },
	[ACTION_LOAD_MODULE] = { "load-module", true, load_apply, load_revert },
	[ACTION_KEEP_ATTRIBUTE] = { "keep-attribute", false, keep_apply, keep_revert },
	[ACTION_KEEP_VFS] = { "keep-vfs", false, keep_apply, vfs_revert },
	[ACTION_SET_ATTRIBUTE] = { "set-attribute", false, attribute_apply, attribute_revert },
	[ACTION_KEEP_ESWITCH] = { "keep-eswitch", false, keep_apply, eswitch_revert },
	[ACTION_SET_VF] = { "set-vf", false, vf_apply, vf_revert },
	[ACTION_RELEASE_DISKS] = { "release-disks", false, disks_apply, disks_revert },
	[ACTION_BIND] = { "bind", false, bind_apply, bind_revert },
	[ACTION_KEEP_VF] = { "keep-vf", false, keep_apply, vf_revert },
	[ACTION_RESCAN] = { "rescan", false, rescan_apply, rescan_revert },
	[ACTION_RESIZE_BAR] = { "resize-bar", false, resize_apply, resize_revert },
};
TABLE_FOLLOWS(operations, ACTION_TYPE_COUNT);

static const char *const states[] = {
	[ACTION_FORESEEN] = "foreseen", [ACTION_ANNOUNCED] = "announced", [ACTION_DONE] = "done",
	[ACTION_FAILED] = "failed",	[ACTION_STUCK] = "stuck",
};
TABLE_FOLLOWS(states, ACTION_STATE_COUNT);

const struct action_operations *action_operations(enum action_type type)
{
	return &operations[type];
}

int action_type_parse(const char *name, enum action_type *ret)
{
	int at = TABLE_FIND(operations, name);

	if (at < 0)
		return at;
	*ret = (enum action_type)at;
	return 0;
}

const char *action_state_name(enum action_state state)
{
	return states[state];
}

int action_state_parse(const char *name, enum action_state *ret)
{
	int at = TABLE_FIND(states, name);

	if (at < 0)
		return at;
	*ret = (enum action_state)at;
	return 0;
}

static bool copy_string(const char *from, char **to)
{
	*to = from ? strdup(from) : NULL;
	return !from || *to;
}

int action_make(enum action_type type, const char *target, const char *before, const char *wanted,
		const char *source, struct action *ret)
{
	struct action action = { .type = type };

	if (!copy_string(target, &action.target) || !copy_string(before, &action.before) ||
	    !copy_string(wanted, &action.wanted) || !copy_string(source, &action.source)) {
		action_done(&action);
		return -ENOMEM;
	}
	*ret = action;
	return 0;
}

int action_set_binding(struct action *action, const char *override, const char *module, int group)
{
	if (!copy_string(override, &action->override) || !copy_string(module, &action->module))
		return -ENOMEM;
	action->group = group;
	return 0;
}

int action_copy(const struct action *action, struct action *ret)
{
	struct action copy = { 0 };
	int r;

	r = action_make(action->type, action->target, action->before, action->wanted,
			action->source, &copy);
	if (r == 0)
		r = action_set_binding(&copy, action->override, action->module, action->group);
	if (r < 0) {
		action_done(&copy);
		return r;
	}
	copy.timeout_s = action->timeout_s;
	copy.state = action->state;
	copy.keep = action->keep;
	copy.adopted = action->adopted;
	*ret = copy;
	return 0;
}

bool action_asks_for(const struct action *action, const char *address)
{
	return action->type == ACTION_DISPLACE && strstr(action->source, address);
}

const char *action_split(const struct action *action, char address[PCI_ADDRESS_TEXT])
{
	size_t size = strcspn(action->target, "/");

	snprintf(address, PCI_ADDRESS_TEXT, "%.*s", (int)size, action->target);
	return action->target + size + (action->target[size] == '/');
}

bool action_address(const struct action *action, struct pci_address *ret)
{
	char address[PCI_ADDRESS_TEXT];

	if (operations[action->type].host_wide || strcspn(action->target, "/") >= sizeof(address))
		return false;
	(void)action_split(action, address);
	return pci_address_parse(address, ret) == 0;
}

void action_done(struct action *action)
{
	free(action->target);
	free(action->before);
	free(action->wanted);
	free(action->source);
	free(action->override);
	free(action->module);
	*action = (struct action){ 0 };
}

int actions_add(struct actions *actions, struct action *action)
{
	if (array_reserve(&actions->items, actions->count, sizeof(*action)) < 0) {
		action_done(action);
		return -ENOMEM;
	}
	actions->items[actions->count++] = *action;
	*action = (struct action){ 0 };
	return 0;
}

size_t actions_drop(struct actions *actions,
		    bool (*drop)(const struct action *action, const void *context),
		    const void *context)
{
	size_t count = actions->count, kept = 0;

	for (size_t i = 0; i < count; i++) {
		if (drop(&actions->items[i], context))
			action_done(&actions->items[i]);
		else
			actions->items[kept++] = actions->items[i];
	}
	actions->count = kept;
	return count - kept;
}

struct action *actions_find(const struct actions *actions, enum action_type type,
			    const char *target)
{
	for (size_t i = 0; i < actions->count; i++)
		if (actions->items[i].type == type && strcmp(actions->items[i].target, target) == 0)
			return &actions->items[i];
	return NULL;
}

bool actions_displace(const struct actions *actions, enum guest_kind kind, uint32_t vmid, bool done)
{
	const struct guest guest = { kind, vmid };
	const struct action *action;
	char name[GUEST_NAME];

	action = actions_find(actions, ACTION_DISPLACE, guest_name(&guest, name));
	return action && (action->state == ACTION_DONE) == done;
}

void actions_move_last(struct actions *actions, enum action_type type, const char *target)
{
	struct action *at = actions_find(actions, type, target), last;
	size_t behind;

	if (!at)
		return;
	last = actions->items[actions->count - 1];
	behind = actions->count - 1 - (size_t)(at - actions->items);
	memmove(at + 1, at, behind * sizeof(*at));
	*at = last;
}

void actions_remove(struct actions *actions, enum action_type type, const char *target)
{
	struct action *action = actions_find(actions, type, target);
	size_t behind;

	if (!action)
		return;
	action_done(action);
	behind = actions->count - (size_t)(action - actions->items) - 1;
	memmove(action, action + 1, behind * sizeof(*action));
	actions->count--;
}

void actions_done(struct actions *actions)
{
	for (size_t i = 0; i < actions->count; i++)
		action_done(&actions->items[i]);
	free(actions->items);
	*actions = (struct actions){ 0 };
}
