/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: whether running VMs have mediated devices of the plan's devices. */
#include <errno.h>
#include <string.h>

#include "change/holding.h"
#include "check/check.h"
#include "pve/qemu.h"
#include "use/child.h"
#include "use/mdev.h"

/* The VM that PVE has made a mediated device for, if it runs; else 0. */
static uint32_t running_vm(const struct start *start, const char *uuid)
{
	struct task qemu = { 0 };
	uint32_t vmid, index;

	if (!mdev_uuid_parse(uuid, &vmid, &index) || vmid == start->vmid ||
	    qemu_find(start->root, vmid, &qemu, NULL) < 0)
		return 0;
	return qemu.pid ? vmid : 0;
}

static const struct holding *find_held(const struct holdings *helds, const char *uuid)
{
	for (size_t i = 0; i < helds->count; i++)
		if (helds->items[i].node->kind == NODE_MDEV &&
		    strcmp(helds->items[i].node->part, uuid) == 0)
			return &helds->items[i];
	return NULL;
}

static int add_use(const struct start *start, const char *uuid, const struct holdings *helds,
		   struct strings *uses, struct holders *holders)
{
	const struct holding *held = find_held(helds, uuid);
	struct holder holder = { .kind = HOLDER_VM };
	cleanup_free char *who = NULL, *words = NULL;

	if (!held)
		holder.vmid = running_vm(start, uuid);
	if (!held && !holder.vmid)
		return 0;
	who = held ? holder_words(&held->holder) : text_format("VM %u, which runs,", holder.vmid);
	words = who ? text_format("%s has its mediated device %s", who, uuid) : NULL;
	if (!words || strings_add(uses, words) < 0)
		return -ENOMEM;
	return holders_add(holders, held ? &held->holder : &holder);
}

static int check_one(const struct start *start, const char *address, const struct holdings *helds,
		     struct findings *findings)
{
	cleanup_strings struct strings uuids = { 0 }, uses = { 0 };
	cleanup_holders struct holders holders = { 0 };
	cleanup_free char *remedy = NULL;
	int r = child_list(start->root, "sys/bus/mdev/devices", address, &uuids);

	for (size_t i = 0; i < uuids.count && r == 0; i++)
		r = add_use(start, uuids.items[i], helds, &uses, &holders);
	if (r < 0 || uses.count == 0)
		return r;
	remedy = holders_remedy(&holders, start->vmid);
	r = remedy ? finding_add_list(findings, CHECK_MDEV_IN_USE, address, &uses) : -ENOMEM;
	return r < 0 ? r : finding_advise(findings, "%s", remedy);
}

int check_mdev(const struct start *start, struct findings *findings, struct error *err)
{
	cleanup_holdings struct holdings helds = { 0 };
	int r = holdings_find(&start->plan, start->root, &helds, NULL);

	/* Who it is cannot be determined: then a VM that runs is what there is to go by. */
	if (r < 0)
		helds = (struct holdings){ 0 };
	for (size_t i = 0; i < start->plan.device_count; i++) {
		r = check_one(start, start->plan.devices[i].device.name, &helds, findings);
		if (r < 0)
			return error_set(err, r, "cannot read /sys/bus/mdev/devices: %s",
					 strerror(-r));
	}
	return 0;
}
