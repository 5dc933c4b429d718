/* SPDX-License-Identifier: GPL-2.0-or-later */
/* change: what of a plan's devices is held. Releases nothing. */
#include "change/holding.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"

/* Whose nodes are shared, and where they are no device's own: use/node.h. */
static const char *const sharing[] = { "nvidia", "amdgpu" };

bool holding_driver_is_left(const struct plan *plan, const struct sysroot *root, const char *driver)
{
	cleanup_free char *folder = text_format("sys/bus/pci/drivers/%s", driver);
	cleanup_strings struct strings names = { 0 };

	if (folder)
		(void)sysroot_list(root, folder, &names);
	for (size_t i = 0; i < names.count; i++) {
		struct pci_address address;
		bool taken = false;

		if (pci_address_parse(names.items[i], &address) < 0)
			continue;
		for (size_t k = 0; k < plan->device_count; k++)
			taken |= !plan->devices[k].foreseen &&
				 pci_address_equal(plan->devices[k].device.address, address);
		if (!taken)
			return true;
	}
	return false;
}

static const struct pci_device *find_with_driver(const struct plan *plan, const char *driver)
{
	for (size_t i = 0; i < plan->device_count; i++)
		if (!plan->devices[i].foreseen &&
		    text_equal(plan->devices[i].device.driver, driver))
			return &plan->devices[i].device;
	return NULL;
}

static int find_shared(struct plan *plan, const struct sysroot *root, struct error *err)
{
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(sharing) && r == 0; i++) {
		const struct pci_device *device = find_with_driver(plan, sharing[i]);

		if (device && !holding_driver_is_left(plan, root, sharing[i]))
			r = nodes_find_shared(root, sharing[i], device->name, &plan->nodes, err);
	}
	return r;
}

int holdings_read(struct plan *plan, const struct sysroot *root, struct error *err)
{
	int r = 0;

	for (size_t i = 0; i < plan->device_count && r == 0; i++) {
		const struct pci_device *device = &plan->devices[i].device;

		if (plan->devices[i].foreseen)
			continue;
		r = nodes_find(root, device, &plan->nodes, err);
		/* What is wrong with them is a finding, of check_sriov(). */
		if (r == 0 && nodes_find_functions(root, device, &plan->nodes, NULL) == -ENOMEM)
			r = error_set_memory(err);
	}
	if (r == 0)
		r = find_shared(plan, root, err);
	if (r == 0 && plan->nodes.count > 0)
		openings_read(root, &plan->openings);
	return r;
}

bool holding_is_stopped(const struct plan *plan, const struct holder *holder)
{
	if (holder->kind == HOLDER_VM)
		return actions_displace(&plan->actions, GUEST_VM, holder->vmid, false);
	if (holder->kind == HOLDER_CONTAINER &&
	    actions_displace(&plan->actions, GUEST_CONTAINER, holder->vmid, false))
		return true;
	return holder->unit && actions_find(&plan->actions, ACTION_STOP_UNIT, holder->unit);
}

/* Takes the holder over. */
static int add(struct holdings *helds, const struct device_node *node,
	       const struct opening *opening, const struct holder *holder)
{
	struct holding *added;

	if (array_reserve(&helds->items, helds->count, sizeof(*added)) < 0)
		return -ENOMEM;
	added = &helds->items[helds->count];
	*added = (struct holding){ .node = node,
				   .path = node->any || !*node->path ? opening->path : node->path,
				   .holder = *holder };
	added->holder.unit = holder->unit ? strdup(holder->unit) : NULL;
	if (holder->unit && !added->holder.unit)
		return -ENOMEM;
	helds->count++;
	return 0;
}

static bool is_taken(const struct plan *plan, const char *address)
{
	for (size_t i = 0; i < plan->device_count; i++)
		if (!plan->devices[i].foreseen &&
		    strcmp(plan->devices[i].device.name, address) == 0)
			return true;
	return false;
}

static int add_matches(const struct plan *plan, const struct sysroot *root,
		       const struct opening *opening, struct holdings *helds)
{
	cleanup_holder struct holder holder = { 0 };
	int r = 0;

	for (size_t i = 0; i < plan->nodes.count && r == 0; i++) {
		const struct device_node *node = &plan->nodes.items[i];

		if (!node_is(node, &opening->id, opening->path) || !is_taken(plan, node->address))
			continue;
		if (!holder.pid)
			r = holder_read(root, opening->pid, &holder);
		if (r < 0 || holder_only_looks(&holder) || holding_is_stopped(plan, &holder))
			break;
		r = add(helds, node, opening, &holder);
	}
	return r;
}

int holdings_find(const struct plan *plan, const struct sysroot *root, struct holdings *ret,
		  struct error *err)
{
	cleanup_holdings struct holdings helds = { 0 };

	if (plan->openings.unseen < 0)
		return error_set(err, plan->openings.unseen, "%s", plan->openings.why.message);
	for (size_t i = 0; i < plan->openings.count; i++)
		if (add_matches(plan, root, &plan->openings.items[i], &helds) < 0)
			return error_set_memory(err);
	*ret = TAKE_STRUCT(helds);
	return 0;
}

void holdings_done(struct holdings *helds)
{
	for (size_t i = 0; i < helds->count; i++)
		holder_done(&helds->items[i].holder);
	free(helds->items);
	*helds = (struct holdings){ 0 };
}
