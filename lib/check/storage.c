/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: whether the host uses a disk that hangs on a device of the plan. */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "check/check.h"
#include "check/remedy.h"
#include "pve/layer.h"
#include "use/stack.h"
#include "use/storage.h"
#include "use/usb.h"

/* Whoever has it open comes first; the table has what is to be done about the host's own uses. */
static int advise(const struct start *start, enum check_id id, const struct strings *uses,
		  const struct holders *holders, bool runs_host, struct findings *findings)
{
	const struct plan_device *planned =
		plan_find_device(&start->plan, findings->items[findings->count - 1].subject);
	cleanup_free char *remedy = holders_remedy(holders, start->vmid);
	bool others = false;

	if (!remedy)
		return -ENOMEM;
	if (runs_host && planned->sibling)
		return finding_advise(findings, "The host itself runs from this disk.");
	if (runs_host)
		return finding_advise(findings,
				      "The host itself runs from this disk: give VM %u another "
				      "device; 'pve-vfio devices' lists them.",
				      start->vmid);
	if (holders->count == 0)
		return 0;
	for (size_t i = 0; i < uses->count; i++)
		others |= !strstr(uses->items[i], " is open in ");
	return finding_advise(findings, "%s%s%s", remedy, others ? " " : "",
			      others ? check_describe(id)->remedy : "");
}

/* A storage or a guest that is off uses nothing, and will. */
static int check_owners(const struct start *start, enum check_id id, const char *address,
			const struct strings *words, struct findings *findings)
{
	cleanup_strings struct strings owners = { 0 };
	cleanup_blocks struct blocks blocks = { 0 };
	cleanup_free char *title = NULL;
	struct error reason = { 0 };
	int r = blocks_find(start->root, address, &blocks);

	if (r == 0)
		r = layer_owners(start->root, start->node, &blocks, &owners, &reason);
	if (r == -ENOMEM)
		return r;
	if (r < 0) {
		r = finding_add(findings, id, address,
				"It cannot be determined whether Proxmox VE uses what is built on "
				"its disks: %s.",
				*reason.message ? reason.message : strerror(-r));
		return r < 0 ? r : remedy_unknown(start, findings);
	}
	if (owners.count == 0)
		return 0;
	title = stack_title(words->items[0]);
	if (!title)
		return -ENOMEM;
	r = finding_add(findings, id, address, "%c%s on its disks is used by %s of this node.",
			toupper((unsigned char)*title), title + 1, owners.items[0]);
	return r < 0 ? r
		     : finding_advise(
			       findings,
			       "Take %s out of VM %u, or see that %s does not use it any more.",
			       address, start->vmid, owners.items[0]);
}

static int check_one(const struct start *start, const struct strings *functions,
		     const struct pci_device *device, struct findings *findings)
{
	enum check_id id =
		usb_is_controller(device) ? CHECK_USB_STORAGE_IN_USE : CHECK_STORAGE_IN_USE;
	cleanup_holders struct holders holders = { 0 };
	bool runs_host = false;
	const struct storage_question question = { device->name, functions, &start->plan.openings,
						   &holders, &runs_host };
	cleanup_strings struct strings uses = { 0 }, idle = { 0 };
	struct error reason = { 0 };
	int r = storage_look(start->root, &question, &uses, &idle, &reason);

	if (r == -ENOMEM)
		return r;
	if (r < 0) {
		r = finding_add(findings, id, device->name,
				"It cannot be determined whether the host uses its disks: %s.",
				reason.message);
		return r < 0 ? r : remedy_unknown(start, findings);
	}
	if (uses.count == 0)
		return idle.count > 0 ? check_owners(start, id, device->name, &idle, findings) : 0;
	r = finding_add_list(findings, id, device->name, &uses);
	return r < 0 ? r : advise(start, id, &uses, &holders, runs_host, findings);
}

int check_storage(const struct start *start, struct findings *findings, struct error *err)
{
	const struct plan *plan = &start->plan;
	cleanup_strings struct strings functions = { 0 };

	for (size_t i = 0; i < plan->device_count; i++)
		if (strings_add(&functions, plan->devices[i].device.name) < 0)
			return error_set_memory(err);
	for (size_t i = 0; i < plan->device_count; i++)
		if (check_one(start, &functions, &plan->devices[i].device, findings) < 0)
			return error_set_memory(err);
	return 0;
}
