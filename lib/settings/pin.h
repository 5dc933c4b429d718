/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * settings: pins, the member "pins" of a VM's settings: which device an address had at the first start
 * that went well. Adding a card can renumber buses.
 */
#pragma once

#include <jansson.h>

#include "pci/identity.h"

struct pin {
	struct pci_address address;
	struct pci_identity identity;
};

/* Takes one member of a pin's object. -ENOENT: no such member; -EINVAL: not as pin_json() has it. */
int pin_set_member(struct pci_identity *identity, const char *key, const json_t *value);

/* The object of a pin; the caller frees it. NULL without memory. */
json_t *pin_json(const struct pci_identity *identity);

/*
 * Adds pins to the VM's file, for addresses that have none, and leaves all else in it as it is.
 * A write to /etc/pve is a message to the whole cluster and can block: call it in a lane.
 * -EROFS, -EACCES or -EPERM where the cluster has no quorum.
 */
int pins_add(const struct sysroot *root, uint32_t vmid, const struct pin *pins, size_t count,
	     struct error *err);
