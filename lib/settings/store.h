/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * settings: writing below /etc/pve/pve-vfio, which is replicated in the cluster (pmxcfs): a write is a
 * message to all nodes, can block, and fails with EACCES or EPERM without quorum.
 */
#pragma once

#include "base/json.h"
#include "host/sysroot.h"
#include "settings/settings.h"

/*
 * Writes the document to `path` ("/etc/pve/pve-vfio/101.json"), as a whole, and makes the folder if
 * need be; a document without members, or with "vm" alone, removes
 * the file. -EACCES or -EPERM without quorum.
 */
int store_write(const struct sysroot *root, const char *path, const json_t *document,
		struct error *err) must_check;

/* Reads a document of that folder; a file that is not there is an object without members. */
int store_read(const struct sysroot *root, const char *path, json_t **ret,
	       struct error *err) must_check;

/*
 * Sets a member of the settings of a VM, or takes it out (`value` NULL), and leaves all else there; but
 * where that is an earlier VM's of this number, nothing of it stays. Takes the reference of `value`.
 */
int store_set(const struct sysroot *root, const struct vm_config *config, uint32_t vmid,
	      const char *key, json_t *value, struct error *err);

/* A member of the VM's own settings, to be freed; NULL where it is not set, or an earlier VM's. */
int store_get(const struct sysroot *root, uint32_t vmid, const char *key, json_t **ret,
	      struct error *err) must_check;

/* Takes the pins of these addresses out of the settings of a VM: their next start pins them anew. */
int store_unpin(const struct sysroot *root, uint32_t vmid, const struct pci_addresses *addresses,
		struct error *err) must_check;

/*
 * Before a downgrade: makes the members that this program writes by itself ("pins" by node, "vm") what
 * version 0.1 reads, which refuses others. Pins of nodes other than `node` are lost. What the
 * administrator wrote stays, but for an earlier VM's. Whether something changed; *ret_refused: what 0.1 will
 * refuse all the same, to be freed, or NULL.
 */
int store_for_0_1(const struct sysroot *root, uint32_t vmid, const char *node, bool *ret_changed,
		  char **ret_refused, struct error *err) must_check;

/*
 * Adds pins to the VM's file, where there are none for their node and address, and notes whose file it
 * is where that is not noted; leaves all else. Writes nothing where nothing changes.
 * A write to /etc/pve is a message to the whole cluster and can block: call it in a lane.
 */
int store_pins(const struct sysroot *root, uint32_t vmid, const struct vm_identity *vm,
	       const struct pin *pins, size_t count, struct error *err) must_check;
