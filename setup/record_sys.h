/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * setup: the parts of a recording, each a list of what this program reads.
 */
#pragma once

#include "check/pve_node.h"
#include "recorder.h"

void record_pci(struct recorder *recorder, const struct pve_node *node);
void record_classes(struct recorder *recorder);
void record_kernel(struct recorder *recorder, const struct pve_node *node);
void record_network(struct recorder *recorder);
void record_processes(struct recorder *recorder, const struct pve_node *node);
void record_pve(struct recorder *recorder, const struct pve_node *node);
