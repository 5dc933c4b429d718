/* SPDX-License-Identifier: GPL-2.0-or-later */
/* change: how the plan of a start is made. Reads, and changes nothing. */
#include "change/plan.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/lanes.h"
#include "change/holding.h"
#include "change/release.h"
#include "host/remembered.h"
#include "pci/driver.h"
#include "use/child.h"

/* How long one may hold up the others. */
#define AT_ONCE_MS 250

static int add_device(struct plan *plan, const struct sysroot *root, struct pci_address address,
		      const char *source, bool sibling, bool foreseen, struct error *err)
{
	struct plan_device device = { .sibling = sibling, .foreseen = foreseen };
	int r;

	r = pci_device_read(root, address, &device.device, err);
	if (r < 0)
		return r;
	if (sibling && device.device.bridge) {
		pci_device_done(&device.device);
		return 0;
	}
	r = pci_driver_module(root, device.device.name, &device.module);
	if (r < 0 || array_reserve(&plan->devices, plan->device_count, sizeof(device)) < 0) {
		pci_device_done(&device.device);
		free(device.module);
		return error_set(err, r < 0 ? r : -ENOMEM, "cannot note the device");
	}
	snprintf(device.source, sizeof(device.source), "%s", source);
	plan->devices[plan->device_count++] = device;
	return 0;
}

/*
 * PVE gives every endpoint of the group to vfio-pci and never back: pci_dev_group_bind_to_vfio()
 * in pve-common's SysFSTools.pm. VFIO itself wants no other driver in the group; bridges may stay
 * (Documentation/driver-api/vfio.rst).
 */
static int add_siblings(struct plan *plan, const struct sysroot *root, int group, bool foreseen,
			struct error *err)
{
	cleanup_pci_addresses struct pci_addresses members = { 0 };
	char source[SOURCE_MAX];
	int r;

	snprintf(source, sizeof(source), "group %d", group);
	r = iommu_group_members(root, group, &members, err);
	for (size_t i = 0; i < members.count && r == 0; i++)
		if (!plan_has_device(plan, members.items[i]))
			r = add_device(plan, root, members.items[i], source, true, foreseen, err);
	return r;
}

/* Adds the wanted devices of one use, and what comes along with their groups. */
static int collect_use(struct plan *plan, const struct sysroot *root, const struct wanted *wanted,
		       enum wanted_use use, struct error *err)
{
	bool foreseen = use == WANTED_ALTERNATIVE;
	size_t first = plan->device_count, behind;
	int r = 0;

	for (size_t i = 0; i < wanted->count && r == 0; i++) {
		const struct wanted_device *device = &wanted->devices[i];

		if (device->use == use && !plan_has_device(plan, device->address))
			r = add_device(plan, root, device->address, device->source, false, foreseen,
				       err);
	}
	behind = plan->device_count;
	for (size_t i = first; i < behind && r == 0; i++) {
		int group = plan->devices[i].device.iommu_group;

		if (group != IOMMU_GROUP_NONE)
			r = add_siblings(plan, root, group, foreseen, err);
	}
	return r;
}

static int collect_devices(struct plan *plan, const struct sysroot *root,
			   const struct wanted *wanted, struct error *err)
{
	int r = collect_use(plan, root, wanted, WANTED_TAKE, err);

	return r < 0 ? r : collect_use(plan, root, wanted, WANTED_ALTERNATIVE, err);
}

/* PVE swaps any other driver for vfio-pci, but where it leaves the driver to us. */
static int choose_drivers(struct plan *plan, const struct sysroot *root,
			  const struct wanted *wanted, const struct settings *settings,
			  struct error *err)
{
	bool best = !settings->driver || strcmp(settings->driver, "auto") == 0;
	int r = 0;

	for (size_t i = 0; i < plan->device_count && r == 0; i++) {
		struct plan_device *device = &plan->devices[i];
		const struct wanted_device *wish = wanted_find(wanted, device->device.address);

		if (!wish || !wish->own_driver)
			r = vfio_driver_named(VFIO_DRIVER, &device->vfio, err);
		else if (best)
			r = vfio_driver_find(root, device->device.name, &device->vfio, err);
		else
			r = vfio_driver_named(settings->driver, &device->vfio, err);
	}
	return r;
}

/* What a lane reads of: the devices from `first` on, of `count`. */
struct override_reading {
	const struct sysroot *root;
	struct plan_device *first;
	size_t count;
	size_t read; /* that it has reported */
};

static void read_overrides_in_lane(int fd, void *work, void *context)
{
	const struct override_reading *reading = work;

	(void)context;
	for (size_t i = 0; i < reading->count; i++) {
		cleanup_free char *override = NULL;
		struct lane_report report = { .step = i };

		report.result =
			pci_override_read(reading->root, reading->first[i].device.name, &override);
		if (report.result == 0)
			snprintf(report.text, sizeof(report.text), "%s",
				 override ? override : DRIVER_OVERRIDE_UNSET);
		lane_send(fd, &report);
	}
}

static void note_override(const struct lane_report *report, struct lane *lane, void *context)
{
	struct override_reading *reading = lane->work;
	int *first = context;

	reading->read++;
	if (report->result < 0)
		*first = *first < 0 ? *first : report->result;
	else if (strcmp(report->text, DRIVER_OVERRIDE_UNSET) != 0) {
		reading->first[report->step].override = strdup(report->text);
		if (!reading->first[report->step].override)
			*first = -ENOMEM;
	}
}

static int cannot_read(int r, struct error *err)
{
	return error_set(err, r, "cannot read a device's driver_override: %s", strerror(-r));
}

static int read_overrides_here(struct plan *plan, const struct sysroot *root, struct error *err)
{
	for (size_t i = 0; i < plan->device_count; i++) {
		struct plan_device *device = &plan->devices[i];
		int r = pci_override_read(root, device->device.name, &device->override);

		device->stuck = r == -ETIMEDOUT;
		if (r < 0 && !device->stuck)
			return cannot_read(r, err);
	}
	return 0;
}

static int run_readings(struct lane *lanes, size_t count, unsigned deadline_ms, struct error *err)
{
	static const struct lanes_callbacks callbacks = { .run = read_overrides_in_lane,
							  .report = note_override };
	int first = 0;
	int r = lanes_run(lanes, count, deadline_ms, &callbacks, &first);

	if (r < 0)
		return error_set(err, r, "cannot start a child process: %s", strerror(-r));
	if (first < 0)
		return cannot_read(first, err);
	for (size_t i = 0; i < count; i++) {
		const struct override_reading *reading = lanes[i].work;

		if (lanes[i].end == LANE_DIED && reading->read < reading->count)
			return error_set(err, -EIO, "%s: reading its driver_override was cut short",
					 reading->first[reading->read].device.name);
	}
	return 0;
}

/* Each in a lane of its own, from the one on that holds the others up. */
static int read_overrides_apart(struct plan *plan, size_t from, const struct sysroot *root,
				unsigned deadline_ms, struct error *err)
{
	size_t count = plan->device_count - from;
	cleanup_free struct override_reading *readings = calloc(count + 1, sizeof(*readings));
	cleanup_free struct lane *lanes = calloc(count + 1, sizeof(*lanes));
	int r;

	if (!readings || !lanes)
		return error_set_memory(err);
	for (size_t i = 0; i < count; i++) {
		readings[i] = (struct override_reading){ root, &plan->devices[from + i], 1, 0 };
		lanes[i].work = &readings[i];
	}
	r = run_readings(lanes, count, deadline_ms, err);
	for (size_t i = 0; r == 0 && i < count; i++)
		plan->devices[from + i].stuck = lanes[i].end != LANE_FINISHED;
	return r;
}

/*
 * Reading driver_override waits for the device's lock, so it is done in a lane: one for all, which takes
 * no time where nobody holds a lock. Who does may do so for a moment, or for ever.
 */
static int read_overrides(struct plan *plan, const struct sysroot *root, unsigned deadline_ms,
			  struct error *err)
{
	struct override_reading all = { root, plan->devices, plan->device_count, 0 };
	struct lane lane = { .work = &all };
	int r;

	if (root->anew)
		return read_overrides_here(plan, root, err);
	if (plan->device_count < 2)
		return read_overrides_apart(plan, 0, root, deadline_ms, err);
	r = run_readings(&lane, 1, deadline_ms < AT_ONCE_MS ? deadline_ms : AT_ONCE_MS, err);
	return r < 0 || all.read == all.count
		       ? r
		       : read_overrides_apart(plan, all.read, root, deadline_ms, err);
}

static int add_bind_action(struct plan *plan, const struct plan_device *device,
			   const struct settings *settings)
{
	struct action action = { 0 };
	int r;

	r = action_make(ACTION_BIND, device->device.name, device->device.driver, device->vfio.name,
			device->source, &action);
	if (r == 0)
		r = action_set_binding(&action, device->override, device->module,
				       device->device.iommu_group);
	if (r < 0) {
		action_done(&action);
		return r;
	}
	action.keep = settings_keep(settings, device->device.address);
	if (device->foreseen)
		action.state = ACTION_FORESEEN;
	return actions_add(&plan->actions, &action);
}

/* The module of a VFIO driver that is not there yet. */
static int add_module_action(struct plan *plan, const struct sysroot *root,
			     const struct vfio_driver *driver, struct error *err)
{
	struct action action = { 0 };
	char path[SYSROOT_PATH_MAX];
	int r;

	snprintf(path, sizeof(path), "sys/bus/pci/drivers/%s", driver->name);
	r = sysroot_find(root, path);
	if (r < 0)
		return error_set(err, r, "cannot open '/%s': %s", path, strerror(-r));
	if (r > 0 || actions_find(&plan->actions, ACTION_LOAD_MODULE, driver->module))
		return 0;
	r = action_make(ACTION_LOAD_MODULE, driver->module, NULL, "loaded", "the VM", &action);
	if (r == 0)
		r = actions_add(&plan->actions, &action);
	return r < 0 ? error_set_memory(err) : 0;
}

static int add_actions(struct plan *plan, const struct sysroot *root,
		       const struct settings *settings, struct error *err)
{
	int r = release_host(plan, root, settings, err);

	for (size_t i = 0; i < plan->device_count && r == 0; i++)
		r = add_module_action(plan, root, &plan->devices[i].vfio, err);
	for (size_t i = 0; i < plan->device_count && r == 0; i++) {
		const struct plan_device *device = &plan->devices[i];

		r = release_before(plan, root, settings, device, err);
		if (r == 0 && add_bind_action(plan, device, settings) < 0)
			r = error_set_memory(err);
		if (r == 0)
			r = release_after(plan, root, settings, device, err);
	}
	return r;
}

/* Nothing is changed meanwhile, so what was read for one device is good for the others. */
static int look(struct plan *plan, const struct sysroot *root, const struct wanted *wanted,
		const struct settings *settings, struct error *err)
{
	cleanup_child_memory struct child_memory children = { 0 };
	cleanup_remembered struct remembered remembered = { 0 };
	struct sysroot remembering = *root;
	int r;

	remembering.children = &children;
	remembering.remembered = &remembered;
	r = choose_drivers(plan, &remembering, wanted, settings, err);
	if (r == 0)
		r = holdings_read(plan, &remembering, err);
	return r < 0 ? r : add_actions(plan, &remembering, settings, err);
}

int plan_make(const struct sysroot *root, const struct wanted *wanted,
	      const struct settings *settings, struct plan *ret, struct error *err)
{
	cleanup_plan struct plan plan = { 0 };
	int r;

	r = collect_devices(&plan, root, wanted, err);
	if (r == 0)
		r = read_overrides(&plan, root, settings->deadline_s * 1000, err);
	if (r == 0)
		r = look(&plan, root, wanted, settings, err);
	if (r < 0)
		return r;
	*ret = TAKE_STRUCT(plan);
	return 0;
}

/* Takes the values before from an action that an earlier run recorded. */
static int adopt_values(struct action *action, const struct action *recorded)
{
	struct action adopted = { 0 };
	int r;

	r = action_make(action->type, action->target, recorded->before, action->wanted,
			action->source, &adopted);
	if (r == 0)
		r = action_set_binding(&adopted, recorded->override, recorded->module,
				       action->group);
	if (r < 0) {
		action_done(&adopted);
		return r;
	}
	adopted.state = action->state;
	adopted.keep = action->keep;
	adopted.adopted = true;
	action_done(action);
	*action = adopted;
	return 0;
}

/*
 * What was done for the sake of a device, whose address its source is, and shows no more. On a function
 * itself it was done before the binding.
 */
static int adopt_release(struct plan *plan, const struct action *recorded)
{
	struct action adopted = { 0 };
	int r;

	if (!actions_find(&plan->actions, ACTION_BIND, recorded->source))
		return 0;
	r = action_copy(recorded, &adopted);
	if (r < 0)
		return r;
	adopted.state = ACTION_ANNOUNCED;
	adopted.adopted = true;
	r = actions_add(&plan->actions, &adopted);
	if (r == 0 && !action_operations(recorded->type)->host_wide)
		actions_move_last(&plan->actions, ACTION_BIND, recorded->source);
	return r;
}

int plan_adopt(struct plan *plan, const struct journal *earlier)
{
	for (size_t i = 0; i < earlier->actions.count; i++) {
		const struct action *recorded = &earlier->actions.items[i];
		struct action *action;
		int r;

		/* A guest that gave way is not asked once more. */
		if (recorded->state == ACTION_FORESEEN || recorded->type == ACTION_RESERVE ||
		    recorded->type == ACTION_DISPLACE)
			continue;
		action = actions_find(&plan->actions, recorded->type, recorded->target);
		r = action ? adopt_values(action, recorded) : adopt_release(plan, recorded);
		if (r < 0)
			return r;
	}
	return 0;
}

static bool has_all_devices(const struct plan *plan, const struct journal *other)
{
	for (size_t i = 0; i < other->actions.count; i++)
		if (other->actions.items[i].type == ACTION_BIND &&
		    !actions_find(&plan->actions, ACTION_BIND, other->actions.items[i].target))
			return false;
	return true;
}

int plan_inherit(struct plan *plan, const struct journal *other)
{
	int r = plan_adopt(plan, other);

	if (r < 0 || !has_all_devices(plan, other))
		return r;
	for (size_t i = 0; r == 0 && i < other->actions.count; i++) {
		const struct action *recorded = &other->actions.items[i];
		struct action copy = { 0 };

		if (!action_operations(recorded->type)->host_wide ||
		    recorded->type == ACTION_RESERVE || recorded->type == ACTION_DISPLACE ||
		    actions_find(&plan->actions, recorded->type, recorded->target))
			continue;
		r = action_copy(recorded, &copy);
		if (r < 0)
			return r;
		copy.adopted = true;
		r = actions_add(&plan->actions, &copy);
	}
	return r;
}

/* A rescan has no value before: it is for the way back. */
static bool is_needless(const struct action *action, const void *context)
{
	(void)context;
	return action->type != ACTION_BIND && !action->adopted && action->before &&
	       strcmp(action->before, action->wanted) == 0;
}

void plan_prune(struct plan *plan)
{
	(void)actions_drop(&plan->actions, is_needless, NULL);
}
