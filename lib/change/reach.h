/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * change: how far the actions of a lane reach. A lane confines itself to that before it acts (base/cage.h), so
 * that a fault in it, or in what it reads, changes nothing else of the host.
 */
#pragma once

#include "change/run.h"

/*
 * From here on this process reaches what the actions with these numbers need, and no more: of functions alone
 * their attributes, `drivers_probe`, and the unbinding of the driver that they have; nothing is read but /sys
 * when they are taken (a driver of the host may read what it likes in its probe). Others
 * reach more (the table in reach.c), and what runs programs is not confined. In a tree with a stand-in for
 * the kernel (struct sysroot) that may write all of the tree. Paths are those of the tree.
 */
void reach_confine(const struct sysroot *root, const struct actions *actions, const size_t *steps,
		   size_t count, enum run_direction direction);
