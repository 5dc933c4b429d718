/* SPDX-License-Identifier: GPL-2.0-or-later */
/* doctor: what the node's network configuration asks for at boot of cards that are held for VMs. */
#include <string.h>

#include "boot/record.h"
#include "doctor/doctor.h"
#include "use/ifupdown.h"

static bool is_held(const struct record *record, const char *address)
{
	for (size_t i = 0; i < record->settings.count; i++)
		if (record->settings.items[i].kind == BOOT_EARLY &&
		    strcmp(record->settings.items[i].name, address) == 0)
			return true;
	return false;
}

/* By its name, for a card that vfio-pci holds has no interface to ask. */
int node_network(const struct doctor *doctor, struct verdicts *verdicts)
{
	cleanup_ifupdown struct ifupdown ifupdown = { 0 };
	cleanup_record struct record record = { 0 };
	int r = 0;

	if (record_read(doctor->node->root, &record, NULL) < 0 ||
	    ifupdown_read(doctor->node->root, &ifupdown) < 0)
		return 0;
	for (size_t i = 0; i < ifupdown.count && r == 0; i++) {
		const struct ifupdown_name *name = &ifupdown.items[i];
		char address[16];

		if (ifupdown_reason(&ifupdown, name->name) != name->reason ||
		    !ifupdown_name_address(name->name, address) || !is_held(&record, address))
			continue;
		r = verdict_add(verdicts, VERDICT_WARNING, "interfaces-held", address,
				"Take it out of that file, and what is built on it.",
				"It is held for VMs from boot on, so %s, which by its name is on "
				"it, is not there when the network is brought up (%s).",
				name->name, name->reason);
	}
	return r;
}
