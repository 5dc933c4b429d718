/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * use: block devices that the host serves to others over a network, by the kernel's targets.
 */
#pragma once

#include "use/node.h"

struct export
{
	struct node_id id;
	char *path;  /* "/dev/nvme0n1", or of a whole controller "/dev/nvme0" */
	char *words; /* "exported over NVMe as nqn.2026-01.com.example:a" */
};

/* Started as { 0 }. */
struct exports {
	struct export *items;
	size_t count;
};

/*
 * Those of nvmet that are enabled (drivers/nvme/target/configfs.c: device_path of namespaces and
 * of passthru), and those of LIO (Documentation/target/tcm_mod_builder.rst; udev_path of what is in
 * target/core). Without configfs there are none. -ENOMEM only.
 */
int exports_read(const struct sysroot *root, struct exports *ret);

/* The export of a block device, by its number or name; NULL. `name`: "nvme0n1". */
const struct export *export_find(const struct exports *exports, const struct node_id *id,
				 const char *node, const char *name);
void exports_done(struct exports *exports);
#define cleanup_exports cleanup(exports_done)
