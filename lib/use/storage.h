/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * use: what the host does with the disks that hang on a PCI function, however far below.
 */
#pragma once

#include "host/sysroot.h"
#include "use/holder.h"
#include "use/opener.h"

struct storage_question {
	const char *address;
	/* Those that go to the VM, `address` among them; NULL: all layers stay. */
	const struct strings *functions;
	const struct openings *openings; /* NULL: the processes are looked at */
	struct holders *holders;	 /* NULL: nobody wants to know */
	bool *runs_host; /* true where the host could not run without them; NULL as before */
};

/*
 * Adds to `uses` a sentence for each use of a block device below the function `address`, such as
 * "nvme0n1p3 belongs to the LVM volume pve-root, mounted on /". None: nothing on the host
 * would miss the disks. Looked at are its disks and partitions (with multipath NVMe, the head that
 * represents a hidden path), and whatever is built on them, at any height:
 *
 * - device-mapper (LVM, dm-crypt, multipath), md, bcache: the holders folders in sysfs
 *   (Documentation/ABI/stable/sysfs-block); loop devices: loop/backing_file. Of these a layer that
 *   can be let go of (use/stack.h) and that nobody uses is not a use: it is in `idle`;
 * - mounted file systems: mountinfo; the members of a mounted btrfs: /sys/fs/btrfs/UUID/devices;
 * - swap: /proc/swaps;
 * - exports to other machines (use/export.h);
 * - processes that have the node open, but for udev, which only looks: they are added to `holders`
 *   too, if it is not NULL. `openings` is what is known of the processes; NULL: they are looked at;
 * - file systems that are mounted where the host's mounts do not have them: /sys/fs/TYPE, and for a
 *   journal on a disk of its own /proc/fs/jbd2;
 * - ZFS: the pool the label names;
 * - on the running machine, where nothing of these is found: whether the disk can be opened for exclusive
 *   use (O_EXCL in open(2)). The kernel has no other word for who claims a disk without a link in
 *   holders/: a spare, cache or log of a ZFS pool, whose label has no name; FAT, ISO 9660, UDF or
 *   squashfs mounted in another namespace; the external log of an XFS there; zram's backing device; a
 *   module that is not of the kernel. A mount(8) in that very moment fails, so it is not asked by who
 *   only looks (`anew` in host/sysroot.h), but before a disk is taken from the host, which would fail
 *   that mount all the same.
 *
 * The words of `idle` are those of stack_word(), each once; with a use they are of no importance.
 * Returns 0, or -errno where it cannot tell, with the reason in `err`. Waits for nothing but what
 * opening a disk takes, for reading its label where ZFS is loaded, and 2 s for udev.
 */
int storage_look(const struct sysroot *root, const struct storage_question *question,
		 struct strings *uses, struct strings *idle, struct error *err) must_check;

/* The same where all layers stay: each is a use. */
int storage_uses_find(const struct sysroot *root, const char *address,
		      const struct openings *openings, struct strings *uses,
		      struct holders *holders, struct error *err) must_check;
