/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * report: the cluster on one page of HTML, without script: its nodes, their devices with who may have
 * them, and for each VM with devices on which nodes it could start.
 */
#pragma once

#include "cluster/place.h"

/* The page, which the caller frees. 0 or -errno. */
int cluster_page(const struct cluster *cluster, char **ret, struct error *err) must_check;
