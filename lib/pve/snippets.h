/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pve: the storages that can hold a hookscript, from /etc/pve/storage.cfg (pve-storage's Storage.pm
 * and Storage/Plugin.pm, over pve-common's SectionConfig.pm): sections "TYPE: NAME" with indented
 * lines "KEY VALUE". Read without asking Proxmox VE, so that it works on any tree.
 */
#pragma once

#include "host/sysroot.h"

#define STORAGE_PATH "/etc/pve/storage.cfg"

struct snippet_store {
	char *name;
	char *folder;  /* of its snippets: "/var/lib/vz/snippets" */
	bool snippets; /* "snippets" is among its content: PVE lists them there */
	bool disabled; /* switched off, or not for this node */
};

/* In order of file. Started as { 0 }. */
struct snippet_stores {
	struct snippet_store *items;
	size_t count;
};

/*
 * Parses the content of the file for a node. Storages without a folder (LVM, ZFS, RBD …) are left
 * out; "local", which PVE has by itself, is added where it is not there. -ENOMEM only.
 */
int snippet_stores_parse(const char *data, size_t size, const char *node,
			 struct snippet_stores *ret, struct error *err) must_check;

/* Reads it; no file gives "local" alone. */
int snippet_stores_read(const struct sysroot *root, const char *node, struct snippet_stores *ret,
			struct error *err) must_check;
const struct snippet_store *snippet_stores_find(const struct snippet_stores *stores,
						const char *name);

/*
 * The path of a hookscript's volume ("local:snippets/pve-vfio-hook"); the caller frees it. NULL for
 * one of an unknown storage, or that is not a snippet (or without memory).
 */
char *snippet_path(const struct snippet_stores *stores, const char *volume);
void snippet_stores_done(struct snippet_stores *stores);
#define cleanup_snippet_stores cleanup(snippet_stores_done)
