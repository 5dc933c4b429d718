/* SPDX-License-Identifier: GPL-2.0-or-later */
/* change: what a start is made from. Decides nothing: the checks do. */
#include "change/start.h"

#include <errno.h>
#include <string.h>

#include "change/displace.h"
#include "pci/driver.h"
#include "pve/node_name.h"
#include "pve/qemu.h"
#include "use/sriov.h"

static int resolve(struct start *start, struct error *err)
{
	struct choosing choosing = {
		.root = start->root,
		.state = start->state,
		.claims = &start->claims,
		.journal = &start->journal,
		.vmid = start->vmid,
		.deadline_ms = start->settings.deadline_s * 1000,
		.dry = start->dry,
		.settings = &start->settings,
	};
	struct wanted_input input = {
		.root = start->root,
		.config = &start->config,
		.present = &start->present,
		.mappings = &start->mappings,
		.node = start->node,
		.take_kept = start->settings.driver != NULL,
		.choose = choose_alternative,
		.context = &choosing,
	};

	return wanted_resolve(&input, &start->wanted, err);
}

/* What is set for lines and mappings is from now on set for the devices that they have led to. */
static int follow_lines(struct start *start)
{
	for (size_t i = 0; i < start->wanted.count; i++) {
		const struct wanted_device *device = &start->wanted.devices[i];
		const struct hostpci *line = vm_config_line(&start->config, device->source);

		if (device->use == WANTED_TAKE &&
		    settings_follow(&start->settings, device->address, device->source,
				    line ? line->mapping : NULL) < 0)
			return -ENOMEM;
	}
	return 0;
}

/*
 * Newer kernels let driver_override be read while a driver's remove hangs. An earlier run's child
 * that is stuck with a device keeps the VM's lock; the hook, which has the lock, never sees one.
 */
static void note_stuck(struct start *start)
{
	cleanup_close int lock = -1;

	if (!start->dry || !start->state)
		return;
	lock = state_lock_vm(start->state, start->vmid, deadline_in_ms(0), NULL);
	for (size_t i = 0; lock < 0 && i < start->plan.device_count; i++) {
		struct plan_device *device = &start->plan.devices[i];
		const struct action *action =
			actions_find(&start->journal.actions, ACTION_BIND, device->device.name);

		device->stuck |= action && action->state == ACTION_STUCK;
	}
}

/* A device that another VM has let go of but kept from the host comes with its values before. */
static int adopt(struct start *start)
{
	int r = plan_adopt(&start->plan, &start->journal);

	for (size_t i = 0; i < start->claims.count && r == 0; i++)
		if (claim_is_free(&start->claims.items[i], &start->journal)) {
			r = plan_inherit(&start->plan, &start->claims.items[i]);
			if (r == 0)
				r = displace_inherit(start, &start->claims.items[i]);
		}
	plan_prune(&start->plan);
	return r;
}

int start_read_config(struct start *start, struct error *err)
{
	int r = 0;

	if (start->config_read)
		return 0;
	if (start->config_text)
		r = vm_config_parse(start->root, "the configuration as it would be",
				    start->config_text, strlen(start->config_text), &start->config,
				    err);
	else
		r = vm_config_read(start->root, start->config_node, start->vmid, &start->config,
				   err);
	start->config_read = r == 0;
	return r;
}

/* For most VMs there is nothing to look for, on hosts with hundreds of functions. */
static int read_host(struct start *start, struct error *err)
{
	int r;

	if (!vm_config_names_devices(&start->config))
		return 0;
	r = mappings_read(start->root, &start->mappings, err);
	return r < 0 ? r : pci_present_read(start->root, &start->present, err);
}

/* What the VM's own QEMU has open is no reason against it. At a start there is no QEMU. */
static int set_own_apart(struct start *start, struct error *err)
{
	int r;

	if (!start->dry)
		return 0;
	r = qemu_find(start->root, start->vmid, &start->qemu, err);
	if (r == 0 && start->qemu.pid &&
	    openings_take(&start->plan.openings, start->qemu.pid, &start->own) < 0)
		return error_set_memory(err);
	return r;
}

bool start_has(const struct start *start, const struct plan_device *device)
{
	for (size_t i = 0; i < start->own.count; i++)
		for (size_t k = 0; k < start->plan.nodes.count; k++) {
			const struct device_node *node = &start->plan.nodes.items[k];

			if (node->kind == NODE_VFIO &&
			    strcmp(node->address, device->device.name) == 0 &&
			    node_is(node, &start->own.items[i].id, start->own.items[i].path))
				return true;
		}
	return false;
}

int start_prepare(struct start *start, struct error *err)
{
	int r;

	r = settings_read(start->root, start->vmid, start->config_node, &start->settings, err);
	if (r == 0 && start->displace)
		r = displace_parse(start->displace, &start->settings.displace);
	if (r == 0 && start->limit_ms)
		*start->limit_ms = start->settings.deadline_s * 1000;
	if (r == 0)
		r = start_read_config(start, err);
	if (r == 0)
		r = read_host(start, err);
	if (r == 0)
		r = start_read_claims(start, err);
	if (r == 0)
		r = node_name_read(start->root, &start->node, err);
	if (r == 0)
		r = resolve(start, err);
	if (r == 0 && follow_lines(start) < 0)
		r = error_set_memory(err);
	if (r == 0)
		r = plan_make(start->root, &start->wanted, &start->settings, &start->plan, err);
	if (r == 0)
		r = set_own_apart(start, err);
	if (r == 0)
		note_stuck(start);
	if (r == 0 && adopt(start) < 0)
		r = error_set_memory(err);
	return r < 0 ? r : displace_plan(start, err);
}

static bool is_owned(const struct start *start, const struct claims *claims,
		     const struct plan_device *device)
{
	return claims_against(claims, &start->journal, device->device.name);
}

/*
 * A device that another VM was giving back while the plan was made may have been read half way: its
 * values before are not those to go back to.
 */
static int check_unchanged(const struct start *start, const struct claims *seen, struct error *err)
{
	for (size_t i = 0; i < start->plan.device_count; i++) {
		const struct plan_device *device = &start->plan.devices[i];
		cleanup_free char *driver = NULL;

		if (device->foreseen || is_owned(start, &start->claims, device))
			continue;
		if (is_owned(start, seen, device) ||
		    pci_driver_read(start->root, device->device.name, &driver) < 0 ||
		    !text_equal(driver, device->device.driver))
			return error_set(err, -EAGAIN,
					 "%s has just changed hands; start VM %u once more",
					 device->device.name, start->vmid);
	}
	return 0;
}

/* Which devices it has cannot be determined, so none may be claimed until somebody has settled it. */
static int add_remedy(int r, struct error *err)
{
	struct error why = err ? *err : (struct error){ 0 };

	return error_set(err, r,
			 "%s; 'pve-vfio restore --stale' settles it once its VM has stopped",
			 why.message);
}

/* It is that function, or a virtual one of it. */
static bool is_of_physical(const struct sysroot *root, const char *name, const char *physical)
{
	struct sriov_place place = { .physical = "" };

	return strcmp(name, physical) == 0 ||
	       (sriov_place_find(root, name, &place) == 0 && strcmp(place.physical, physical) == 0);
}

/*
 * 'pve-vfio sriov' announces a change under the claims lock, after which the virtual functions that the
 * plan was made with are not those there will be.
 */
static int check_counts(const struct start *start, struct error *err)
{
	cleanup_strings struct strings changing = { 0 };
	int r = 0;

	if (start->plan.device_count > 0)
		r = journal_list_physical(start->state, &changing, err);
	for (size_t i = 0; r == 0 && i < changing.count; i++) {
		const char *physical = changing.items[i];

		if (!state_physical_is_locked(start->state, physical))
			continue;
		for (size_t k = 0; k < start->plan.device_count; k++) {
			const char *name = start->plan.devices[k].device.name;

			if (is_of_physical(start->root, name, physical))
				return error_refuse(
					err,
					"%s: how many virtual functions %s has is being "
					"changed just now ('pve-vfio sriov'); start VM "
					"%u when that has ended",
					name, physical, start->vmid);
		}
	}
	return r;
}

int start_read_claims(struct start *start, struct error *err)
{
	cleanup_claims struct claims seen = start->claims;
	int r;

	start->claims = (struct claims){ 0 };
	if (!start->state)
		return 0;
	r = claims_read(start->root, start->state, start->vmid, &start->claims, err);
	if (r == -EBADMSG)
		return add_remedy(r, err);
	if (r == 0)
		r = check_counts(start, err);
	return r < 0 ? r : check_unchanged(start, &seen, err);
}

void start_forget(struct start *start)
{
	openings_done(&start->own);
	plan_done(&start->plan);
	wanted_done(&start->wanted);
	free(start->node);
	start->node = NULL;
	claims_done(&start->claims);
	pci_present_done(&start->present);
	mappings_done(&start->mappings);
	vm_config_done(&start->config);
	start->config_read = false;
	settings_done(&start->settings);
}

void start_done(struct start *start)
{
	start_forget(start);
	journal_done(&start->journal);
}
