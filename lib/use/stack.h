/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * use: what the host has built on the disks of PCI functions without using it: udev brings a guest's
 * LVM volumes, arrays and bcache up as soon as a driver of the host has the disk. Such a layer can be
 * let go of while nothing of it is open, and all of it lies on disks that go to the VM.
 *
 * Kinds that can: LVM and dm-crypt (dm/uuid: LVM-, CRYPT-), md with metadata of its own, bcache. Not a
 * loop device, multipath, or anything else of device-mapper: somebody has made that on purpose.
 */
#pragma once

#include "base/clock.h"
#include "use/block.h"

/*
 * A layer as one word: "lv:data-vol", "crypt:NAME", "md:md127", "bcache" for all there is of that. NULL in `ret` for a kind that is not let go of. 0 or
 * -errno.
 */
int stack_word(const struct sysroot *root, const struct block *block, char **ret);

/*
 * Adds the words of all layers on the disks of a function, each once; without the volumes that LVM
 * keeps to itself, such as a pool's metadata. 0 or -errno.
 */
int stack_words(const struct sysroot *root, const char *address, struct strings *words);

/*
 * A word is among those of an earlier time. An array may have another number when it is brought up
 * again (mdadm --incremental takes the next free one), so each counts as any.
 */
bool stack_has_word(const struct strings *words, const char *word);

/* The same for people: "the LVM volume data-vol"; the caller frees it. NULL without memory. */
char *stack_title(const char *word);

/* The volume group of an LVM volume; the caller frees it. NULL for another layer. */
char *stack_group(const struct block *block);

/*
 * What of `block` lies on a disk of no function in `functions` (addresses), or why that cannot be
 * determined; NULL: nothing. With an LVM volume all active volumes of its group count. 0 or -errno.
 */
int stack_elsewhere(const struct sysroot *root, const struct block *block,
		    const struct strings *functions, char **ret);

/*
 * Whether something has the layer open beside what is built on it, also what shows in no file of the
 * host, such as a mount in a namespace. Known of device-mapper, on the running machine. Waits until
 * the deadline for udev, which opens every new device for a moment.
 */
bool stack_is_open(const struct sysroot *root, const struct block *block, struct deadline deadline);

/*
 * Lets go of one layer on which nothing is built. -EBUSY while it is in use: the kernel refuses it,
 * and for bcache, which would be gone with its last user, this program asks first. It may still be
 * there for a moment after. Blocks for what has not been written yet.
 */
int stack_release(const struct sysroot *root, const struct block *block);

/* Registered for bcache, or a /dev/bcacheN: of the first nothing may show in its holders. */
bool stack_is_bcache(const struct sysroot *root, const struct block *block);

/* Something is built on it. */
bool stack_is_held(const struct sysroot *root, const struct block *block);
