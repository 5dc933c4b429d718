/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * use: how much memory a VM can still have.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "host/sysroot.h"

struct memory {
	uint64_t available_kib; /* MemAvailable: free, and page cache that can go (proc(5)) */
	uint64_t arc_kib;	/* what ZFS would give back of its cache: its size above c_min */
	uint64_t hugepages_kib; /* free huge pages of all sizes; for nobody who does not ask */
};

/*
 * Reads /proc/meminfo, /proc/spl/kstat/zfs/arcstats (OpenZFS, arc_kstats in arc.c) and
 * /sys/kernel/mm/hugepages (Documentation/admin-guide/mm/hugetlbpage.rst). ZFS and huge pages may
 * not be there. 0 or -errno; does not block.
 */
int memory_read(const struct sysroot *root, struct memory *ret, struct error *err) must_check;

/* What is free: in blocks that a page of 2 MiB fits into, and in smaller ones. */
struct memory_blocks {
	uint64_t huge_mib, small_mib;
};

/*
 * Reads /proc/buddyinfo (proc(5)): free blocks of 4 KiB times 2^0, 2^1 and so on, by zone. 0 or -errno; does not
 * block.
 */
int memory_blocks_read(const struct sysroot *root, struct memory_blocks *ret) must_check;

/*
 * What a process has of the host's memory already, huge pages too: VmRSS and HugetlbPages of
 * /proc/PID/status (proc(5)). 0 or -errno.
 */
int memory_of_process(const struct sysroot *root, pid_t pid, uint64_t *ret_kib) must_check;
