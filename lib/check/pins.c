/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: whether each address still has the device the VM first had there. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "check/check.h"
#include "check/remedy.h"

/* "10de:2484 (class 030000, serial …)". */
static void identity_words(const struct pci_identity *identity, char words[80])
{
	snprintf(words, 80, "%04x:%04x (class %06x%s%s)", identity->vendor, identity->device,
		 identity->class_code & 0xffffff, *identity->serial ? ", serial " : "",
		 identity->serial);
}

/* Where the pinned device is now; empty when it is nowhere. */
static void find_device(const struct start *start, const struct pci_identity *identity,
			char ret[PCI_ADDRESS_TEXT])
{
	cleanup_pci_addresses struct pci_addresses present = { 0 };

	ret[0] = '\0';
	if (pci_devices_list(start->root, &present, NULL) < 0)
		return;
	for (size_t i = 0; i < present.count; i++) {
		cleanup_pci_device struct pci_device device = { 0 };
		struct pci_identity now;

		if (pci_device_read(start->root, present.items[i], &device, NULL) < 0)
			continue;
		pci_identity_read(start->root, &device, &now);
		if (!pci_identity_matches(&now, identity))
			continue;
		pci_address_format(device.address, ret);
		return;
	}
}

/* In a cluster of more nodes than this. */
static bool has_other_nodes(const struct sysroot *root)
{
	cleanup_strings struct strings nodes = { 0 };

	return sysroot_list(root, "etc/pve/nodes", &nodes) == 0 && nodes.count > 1;
}

/* Where the address is a line's only one, the command that follows the device. */
static int advise(const struct start *start, const struct plan_device *planned, const char *moved,
		  struct findings *findings)
{
	const struct hostpci *line = vm_config_line(&start->config, planned->source);
	cleanup_free char *command = NULL, *host = NULL;
	bool whole;

	if (*moved && line && line->host.count == 1) {
		whole = !strchr(line->host.items[0], '.');
		host = text_format("%.*s", (int)(whole ? strcspn(moved, ".") : strlen(moved)),
				   moved);
		command = host ? remedy_line(start, planned->source, NULL, host, NULL) : NULL;
		if (!command)
			return -ENOMEM;
	}
	return finding_advise(findings,
			      "%s%s%s If the device that is there now is meant, remove \"%s\" from "
			      "\"pins\" in /etc/pve/pve-vfio/%u.json.",
			      command ? "Follow it: '"
				      : "Correct the address in the VM's configuration",
			      command ? command : "", command ? "'." : ".", planned->device.name,
			      start->vmid);
}

static int check_pin(const struct start *start, const struct pin *pin,
		     const struct plan_device *planned, struct findings *findings)
{
	const struct pci_device *device = &planned->device;

	struct pci_identity now;
	char pinned_words[80], now_words[80], moved[PCI_ADDRESS_TEXT];

	pci_identity_read(start->root, device, &now);
	if (pci_identity_matches(&now, &pin->identity))
		return 0;
	find_device(start, &pin->identity, moved);
	/* A pin of before 0.2 names no node: a device that is nowhere on this one was another's. */
	if (!*pin->node && !*moved && has_other_nodes(start->root))
		return 0;
	identity_words(&pin->identity, pinned_words);
	identity_words(&now, now_words);
	if (finding_add(findings, CHECK_DEVICE_CHANGED, device->name,
			"The VM had %s here; now it is %s. %s%s.", pinned_words, now_words,
			*moved ? "The former is now at " : "The former is not in this node",
			moved) < 0)
		return -ENOMEM;
	return advise(start, planned, moved, findings);
}

/* What a resource mapping gives is what the mapping says, which Proxmox VE and check_config() compare. */
static bool is_mapped(const struct start *start, const struct plan_device *planned)
{
	const struct hostpci *line = vm_config_line(&start->config, planned->source);

	return line && line->mapping;
}

int check_pins(const struct start *start, struct findings *findings, struct error *err)
{
	for (size_t i = 0; i < start->plan.device_count; i++) {
		const struct plan_device *planned = &start->plan.devices[i];
		const struct pin *pin =
			settings_pin(&start->settings, start->node, planned->device.address);

		if (pin && !planned->sibling && !is_mapped(start, planned) &&
		    check_pin(start, pin, planned, findings) < 0)
			return error_set_memory(err);
	}
	return 0;
}
