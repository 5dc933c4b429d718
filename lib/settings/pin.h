/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * settings: pins, the member "pins" of a VM's settings: which device an address had on a node at the
 * first start there that went well. Adding a card can renumber buses. A device of a resource mapping
 * has none: the mapping says itself what it is, on each node.
 */
#pragma once

#include <jansson.h>

#include "pci/device.h"
#include "pci/identity.h"
#include "pve/config.h"

/* Before the name of a node, as in /etc/pve: {"pins": {"nodes/pve1": {"0000:01:00.0": {…}}}}. */
#define PIN_NODES "nodes/"

struct pin {
	char node[NODE_NAME_MAX + 1]; /* empty: before 0.2 it was not noted */
	struct pci_address address;
	struct pci_identity identity;
};

/* Takes one member of a pin's object. -ENOENT: no such member; -EINVAL: not as pin_json() has it. */
int pin_set_member(struct pci_identity *identity, const char *key, const json_t *value);

/* The object of a pin; the caller frees it. NULL without memory. */
json_t *pin_json(const struct pci_identity *identity);

/* Adds one to a VM's document, where its node has none for that address. 0 or -ENOMEM. */
int pin_add(json_t *document, const struct pin *pin);

/* As 0.1 reads it: those of that node name none, and those of others are gone. 0 or -ENOMEM. */
int pins_flatten(json_t *document, const char *node) must_check;

/* Takes those of these addresses out, of all nodes; whether there was one. */
bool pins_remove(json_t *document, const struct pci_addresses *addresses);
