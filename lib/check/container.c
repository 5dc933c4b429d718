/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: whether a container is given a device of the plan. */
#include "use/container.h"

#include <errno.h>
#include <string.h>

#include "change/holding.h"
#include "check/check.h"

/* One of its processes has a node of the device open, which check_opener() tells. */
static bool is_told(const struct holdings *helds, const char *address, uint32_t vmid)
{
	for (size_t i = 0; i < helds->count; i++) {
		const struct holding *held = &helds->items[i];

		if (held->node->kind == NODE_OWN && held->holder.kind == HOLDER_CONTAINER &&
		    held->holder.vmid == vmid && strcmp(held->node->address, address) == 0)
			return true;
	}
	return false;
}

/* The plan stops it. */
static bool is_stopped(const struct start *start, uint32_t vmid)
{
	cleanup_holder struct holder holder = {
		.kind = HOLDER_CONTAINER,
		.vmid = vmid,
		.unit = text_format("pve-container@%u.service", vmid),
	};

	return holding_is_stopped(&start->plan, &holder);
}

static int add_use(const struct start *start, const struct container_use *use, const char *subject,
		   struct findings *findings)
{
	const struct guest guest = { GUEST_CONTAINER, use->vmid };
	cleanup_free char *advice = NULL;
	enum check_id id =
		use->running && use->gives ? CHECK_CONTAINER_USES : CHECK_CONTAINER_LISTS;
	uint32_t ct = use->vmid;

	if (finding_add(findings, id, subject, "Container %u, which %s, has the line '%.200s'.", ct,
			use->running ? "runs" : "does not run", use->line) < 0)
		return -ENOMEM;
	if (id == CHECK_CONTAINER_USES) {
		advice = check_displace_advice(start, &guest);
		if (!advice)
			return -ENOMEM;
		return finding_advise(findings,
				      "Shut container %u down ('pct shutdown %u'), or take the "
				      "device out of it in its settings.%s%s",
				      ct, ct, *advice ? " " : "", advice);
	}
	if (use->running)
		return finding_advise(
			findings,
			"If container %u uses this device, shut it down first: 'pct "
			"shutdown %u'. If it uses another of the kind, name that one in "
			"/etc/pve/lxc/%u.conf in place of that line.",
			ct, ct, ct);
	return finding_advise(
		findings,
		"Do not start container %u while VM %u runs: it would not get the "
		"device, or not start. Nobody gives way to a container by itself: "
		"a hookscript of it ('pct set %u --hookscript local:snippets/NAME') can run 'qm shutdown "
		"%u' and then 'pve-vfio restore %u' in its pre-start.",
		ct, start->vmid, ct, start->vmid, start->vmid);
}

static int check_one(const struct start *start, const struct pci_device *device,
		     const struct holdings *helds, struct findings *findings)
{
	cleanup_container_uses struct container_uses uses = { 0 };
	struct error reason = { 0 };
	int r = container_uses_find(start->root, &start->plan.nodes, device->name, &uses, &reason);

	if (r == -ENOMEM)
		return r;
	if (r < 0) {
		r = finding_add(findings, CHECK_CONTAINER_LISTS, device->name,
				"It cannot be determined whether a container is given it: %s.",
				reason.message);
		return r < 0 ? r
			     : finding_advise(findings, "See that no container that runs uses it: "
							"'pct list' lists them.");
	}
	for (size_t i = 0; r == 0 && i < uses.count; i++)
		if (!is_told(helds, device->name, uses.items[i].vmid) &&
		    !(uses.items[i].running && is_stopped(start, uses.items[i].vmid)))
			r = add_use(start, &uses.items[i], device->name, findings);
	return r;
}

int check_container(const struct start *start, struct findings *findings, struct error *err)
{
	cleanup_holdings struct holdings helds = { 0 };

	/* Without it a container may be named twice. */
	(void)holdings_find(&start->plan, start->root, &helds, NULL);
	for (size_t i = 0; i < start->plan.device_count; i++)
		if (check_one(start, &start->plan.devices[i].device, &helds, findings) < 0)
			return error_set_memory(err);
	return 0;
}
