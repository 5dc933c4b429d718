/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * setup: 'report --record': what this program reads of a node, as a tar archive. Unpacked, it is a
 * tree for --root, on which doctor and devices say what they say on the node.
 */
#pragma once

#include "check/pve_node.h"
#include "report/anonymise.h"

/* Writes the archive to `path` ("-": standard output). 0 or -errno. */
int recording_write(const struct pve_node *node, const struct anonymiser *anonymiser,
		    const char *path, struct error *err);
