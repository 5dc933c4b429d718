/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pve: the storages of Proxmox VE that can hold a hookscript, as pvesh tells them
 * (/nodes/NODE/storage in pve-storage's API2/Storage/Status.pm).
 */
#pragma once

#include "base/error.h"
#include "base/text.h"

struct storage {
	char *name;
	char *content; /* "iso,vztmpl,backup" */
	bool snippets; /* among its content */
	bool files;    /* a folder, which can have snippets */
	bool shared;   /* all nodes see the same */
	bool active;
};

/* Started as { 0 }. */
struct storages {
	struct storage *items;
	size_t count;
};

/* Asks for the storages of a node; blocks as pvesh does. */
int storages_query(const char *node, struct storages *ret, struct error *err) must_check;

/* Parses pvesh's answer. -EBADMSG. */
int storages_parse(const char *data, size_t size, struct storages *ret,
		   struct error *err) must_check;
const struct storage *storages_find(const struct storages *storages, const char *name);
void storages_done(struct storages *storages);
#define cleanup_storages cleanup(storages_done)

/* The path of a volume on this node ("pvesm path"), which need not exist; the caller frees it. */
int volume_path(const char *volume, char **ret, struct error *err) must_check;

/*
 * Whether a node lists the volume among its snippets: 1, 0, or -errno with a sentence when that
 * cannot be determined, as of a node that is off.
 */
int volume_is_on_node(const char *node, const char *storage, const char *volume,
		      struct error *err) must_check;

/* The nodes of the cluster; one alone gives one. */
int cluster_nodes(struct strings *ret, struct error *err) must_check;
