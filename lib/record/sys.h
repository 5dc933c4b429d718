/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * record: the parts of a recording, each a list of what this program reads.
 */
#pragma once

#include "doctor/pve_node.h"
#include "record/recorder.h"

void recorder_pci(struct recorder *recorder, const struct pve_node *node);
void recorder_classes(struct recorder *recorder);
void recorder_kernel(struct recorder *recorder, const struct pve_node *node);
void recorder_network(struct recorder *recorder);
void recorder_processes(struct recorder *recorder, const struct pve_node *node);
void recorder_pve(struct recorder *recorder, const struct pve_node *node);
