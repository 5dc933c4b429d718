/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup: pve-vfio devices. Shows the node's PCI functions and who uses them; changes nothing. */
#include <stdio.h>

#include "report/devices.h"
#include "setup/look/device.h"
#include "setup/print.h"
#include "setup/setup.h"
#include "setup/terminal.h"

static void print_faults(const struct pve_node *node)
{
	for (size_t i = 0; i < node->faults.count; i++)
		fprintf(stderr, "pve-vfio: %s\n", node->faults.items[i]);
	if (node->journals_hidden)
		fprintf(stderr, "pve-vfio: without root it is not seen what VMs hold\n");
}

static int print_rows(struct command *command, const struct pve_node *node,
		      const struct device_rows *rows)
{
	struct terminal terminal = terminal_of_output();
	cleanup_free char *words = NULL;

	if (command->argc > 0)
		return device_print(command, node, rows);
	if (command->json)
		return print_json(json_pack("{s:o}", "devices", device_rows_json(rows)));
	words = device_rows_words(rows, &terminal);
	fputs(words ? words : "", stdout);
	return STATUS_DONE;
}

int verb_devices(struct command *command, struct error *err)
{
	cleanup_pve_node struct pve_node node = { .root = &command->root };
	cleanup_safeties struct safeties safeties = { 0 };
	cleanup_pci_claims struct pci_claims claims = { 0 };
	cleanup_pci_names struct pci_names names = { 0 };
	cleanup_device_rows struct device_rows rows = { 0 };

	if (pve_node_read(&node, err) < 0 || safeties_judge(&node, &safeties, err) < 0)
		return STATUS_FAILED;
	if (pci_claims_read(&command->root, &node.inventory, &claims) < 0 ||
	    device_rows_make(&node, &safeties, &claims, &names, &rows) < 0) {
		error_set_memory(err);
		return STATUS_FAILED;
	}
	print_faults(&node);
	return print_rows(command, &node, &rows);
}
