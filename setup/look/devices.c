/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup: pve-vfio devices. Shows the node's PCI functions and who uses them; changes nothing. */
#include <errno.h>
#include <stdio.h>

#include "report/devices.h"
#include "setup/look/device.h"
#include "setup/print.h"
#include "setup/setup.h"
#include "setup/terminal.h"

/* Those that all words fit. */
static int choose(const struct command *command, struct device_rows *rows, struct error *err)
{
	for (int i = 0; i < command->argc; i++)
		if (device_rows_keep(rows, command->argv[i]) == 0)
			return error_set(err, -ENODEV,
					 "there is no PCI device '%s'%s; 'pve-vfio devices' lists "
					 "them",
					 command->argv[i],
					 i > 0 ? " among those that fit the words before" : "");
	return 0;
}

static int print_rows(struct command *command, const struct pve_node *node,
		      struct device_rows *rows, struct error *err)
{
	struct terminal terminal = terminal_of_output();
	bool tree = command_has(command, "--tree");
	cleanup_free char *words = NULL;
	int r;

	if (command->argc == 1 && device_is_address(command->argv[0]))
		return device_print(command, node, rows, err);
	r = choose(command, rows, err);
	if (r < 0)
		return r;
	if (command->json)
		return print_json(json_pack("{s:o}", "devices", device_rows_json(rows)), err);
	words = tree ? device_rows_tree(rows, &terminal) : device_rows_words(rows, &terminal);
	fputs(words ? words : "", stdout);
	return 0;
}

int verb_devices(struct command *command, struct error *err)
{
	cleanup_pve_node struct pve_node node = { .root = &command->root };
	cleanup_safeties struct safeties safeties = { 0 };
	cleanup_pci_claims struct pci_claims claims = { 0 };
	cleanup_pci_names struct pci_names names = { 0 };
	cleanup_device_rows struct device_rows rows = { 0 };
	int r = pve_node_read(&node, err);

	if (r == 0)
		r = safeties_judge(&node, &safeties, err);
	if (r < 0)
		return r;
	if (pci_claims_read(&command->root, &node.inventory, &claims) < 0 ||
	    device_rows_make(&node, &safeties, &claims, &names, &rows) < 0)
		return error_set_memory(err);
	print_node_faults(&node);
	return print_rows(command, &node, &rows, err);
}
