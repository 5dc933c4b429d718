/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: whether the host uses a network interface that hangs on a device of the plan. */
#include <errno.h>
#include <string.h>

#include "check/check.h"
#include "check/remedy.h"
#include "use/network.h"

/*
 * An interface that is merely up gets addresses from any router on its link, as the WAN port of a
 * router's VM does at each boot of the node: then the host is not to have the device at all.
 */
static int advise(const struct start *start, const char *address, const struct strings *uses,
		  const struct holders *holders, struct findings *findings)
{
	const char *name = uses->count > 0 ? uses->items[0] : "";
	cleanup_free char *remedy = holders_remedy(holders, start->vmid);

	if (!remedy)
		return -ENOMEM;
	if (uses->count == 0)
		return 0;
	if (holders->count > 0)
		return finding_advise(findings, "%s", remedy);
	for (size_t i = 0; i < uses->count; i++)
		if (!network_use_is_advertised(uses->items[i]))
			return 0;
	return finding_advise(
		findings,
		"If the host does not need it: 'ip link set %.*s down' for now, and "
		"'pve-vfio setup --add --early %s', so that the host does not have it "
		"after a boot either.",
		(int)strcspn(name, " ,"), name, address);
}

/* A capture or a daemon such as lldpd, which is on every interface: it loses this one. */
static int tell_sockets(const char *address, const struct strings *sockets,
			struct findings *findings)
{
	int r = finding_add_list(findings, CHECK_NETWORK_IN_USE, address, sockets);

	if (r < 0 || sockets->count == 0)
		return r;
	finding_set_level(findings, LEVEL_WARNING);
	return finding_advise(findings,
			      "Nothing, if it may lose the interface; else end its use of it "
			      "before the VM starts.");
}

static int check_one(const struct start *start, const struct plan_device *planned,
		     struct network_sight *sight, struct findings *findings)
{
	const struct pci_device *device = &planned->device;
	cleanup_strings struct strings uses = { 0 }, sockets = { 0 };
	struct error reason = { 0 };
	int r;

	/* for the look alone */
	/* cppcheck-suppress autoVariables */
	sight->sockets = &sockets;
	holders_done(&sight->holders);
	r = network_uses_find(start->root, device->name, sight, &uses, &reason);
	if (r == -ENOMEM)
		return r;
	if (r < 0) {
		r = finding_add(findings, CHECK_NETWORK_IN_USE, device->name,
				"It cannot be determined whether the host uses its network "
				"interfaces: %s.",
				reason.message);
		return r < 0 ? r : remedy_unknown(start, findings);
	}
	r = finding_add_list(findings, CHECK_NETWORK_IN_USE, device->name, &uses);
	if (r == 0 && !planned->sibling)
		r = advise(start, device->name, &uses, &sight->holders, findings);
	return r < 0 || uses.count > 0 ? r : tell_sockets(device->name, &sockets, findings);
}

int check_network(const struct start *start, struct findings *findings, struct error *err)
{
	cleanup_network_sight struct network_sight sight = { 0 };

	for (size_t i = 0; i < start->plan.device_count; i++)
		if (check_one(start, &start->plan.devices[i], &sight, findings) < 0)
			return error_set_memory(err);
	return 0;
}
