/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vm: what the administrator set for a VM, in JSON: /etc/pve/pve-vfio/VMID.json, which travels
 * with the VM, over /etc/pve-vfio/config.json, of this node. None is needed. The keys are
 * described in pve-vfio.json(5).
 */
#pragma once

#include <jansson.h>

#include "pci/identity.h"

#define SETTINGS_NODE_PATH "/etc/pve-vfio/config.json"
#define SETTINGS_VM_FOLDER "/etc/pve/pve-vfio"

/* The deadline where none is set: a driver's remove is a matter of a few seconds at most. */
#define SETTINGS_DEADLINE_S 30

/* pmxcfs holds files of up to 1 MiB. */
#define SETTINGS_MAX ((size_t)1 << 20)

/* Which device an address had at the first start that went well. */
struct pin {
	struct pci_address address;
	struct pci_identity identity;
};

struct device_settings {
	struct pci_address address;
	bool has_keep; /* after_stop is set for this device */
	bool keep;
};

struct settings {
	bool keep;	      /* after_stop: the VFIO driver keeps the devices */
	bool refuse_siblings; /* siblings: a start that would take more than it names is refused */
	unsigned deadline_s;  /* for what the kernel does with one device */
	struct strings allow; /* ids of checks whose findings refuse no start */
	struct device_settings *devices;
	size_t device_count;
	struct pin *pins;
	size_t pin_count;
};

/*
 * Reads both files; one that is missing leaves the defaults. -EBADMSG for an unknown key, a wrong
 * type or value or a duplicate key, with file, line and the nearest valid key: nothing of a broken
 * file applies.
 */
int settings_read(const struct sysroot *root, uint32_t vmid, struct settings *ret,
		  struct error *err);

/* Parses one document over what `settings` has; `name` is what messages call the file. */
int settings_parse(const char *name, const char *data, size_t size, struct settings *settings,
		   struct error *err);

void settings_init(struct settings *settings);
void settings_done(struct settings *settings);
#define cleanup_settings cleanup(settings_done)

/* All of it as the object that would give these settings; the caller frees it. NULL: no memory. */
json_t *settings_json(const struct settings *settings);

/* Whether the device stays with its VFIO driver when the VM stops. */
bool settings_keep(const struct settings *settings, struct pci_address address);
const struct pin *settings_pin(const struct settings *settings, struct pci_address address);

/*
 * Adds pins to the VM's file, for addresses that have none, and leaves all else in it as it is.
 * A write to /etc/pve is a message to the whole cluster and can block: call it in a lane.
 * -EROFS, -EACCES or -EPERM where the cluster has no quorum.
 */
int settings_add_pins(const struct sysroot *root, uint32_t vmid, const struct pin *pins,
		      size_t count, struct error *err);
