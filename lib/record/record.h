/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * record: 'report --record': what this program reads of a node, as a tar archive. Unpacked, it is a
 * tree for --root, on which doctor and devices say what they say on the node.
 */
#pragma once

#include "doctor/pve_node.h"
#include "record/tar.h"
#include "report/anonymise.h"

/* The archive's bytes, which the caller frees with tar_done(). 0 or -ENOMEM. */
int record_make(const struct pve_node *node, const struct anonymiser *anonymiser, struct tar *ret,
		struct error *err) must_check;
