/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * change: free memory is put together to pages of 2 MiB while the devices are taken (setting
 * "compact_memory"), since QEMU's is pinned next. On its own time: nobody waits for it, and no start
 * fails for it.
 */
#pragma once

#include "host/sysroot.h"
#include "use/memory.h"

/* How much longer than the devices take it may go on. */
#define COMPACT_GRACE_MS 2000

/*
 * Whether it would help QEMU to `wanted_mib` of memory outside of hugetlbfs: fewer is free in whole
 * blocks, what is free in smaller ones is worth putting together, and the kernel gives huge pages to
 * programs at all (Documentation/admin-guide/mm/transhuge.rst). Does not block.
 */
bool compact_helps(const struct sysroot *root, uint64_t wanted_mib, struct memory_blocks *ret);

/*
 * Has two processes begin it, which neither hold what this one has open nor end with it: one writes
 * 1 to /proc/sys/vm/compact_memory (Documentation/admin-guide/sysctl/vm.rst), which blocks for as long as
 * it takes, and the other ends that COMPACT_GRACE_MS after compact_over(), or this process's end. The
 * descriptor for compact_over(), or -errno.
 */
int compact_begin(const struct sysroot *root);
void compact_over(int *go);
