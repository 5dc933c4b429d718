/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * boot: what forum guides leave behind: settings that do nothing, that keep devices from the host, or
 * that are in the way of the hook. Each is reported with file and line; removed only on request.
 */
#pragma once

#include "boot/existing.h"
#include "boot/machine.h"

#define BOOT_IOMMU_OFF "iommu-off"

struct boot_leftover {
	const char *id;	 /* "vfio-virqfd" */
	const char *why; /* what it does, or does not, and what to do */
	char *path;
	unsigned line;	     /* from 1 */
	char *text;	     /* what is there: "ipcie_acs_override=downstream" */
	size_t offset, size; /* what is to be cut out of the file; 0: only by hand */
};

/* Started as { 0 }. */
struct boot_leftovers {
	struct boot_leftover *items;
	size_t count;
};

void boot_leftovers_done(struct boot_leftovers *leftovers);
#define cleanup_boot_leftovers cleanup(boot_leftovers_done)

/* Modules that are kept away and are no leftovers. Both borrowed. */
struct boot_kept_away {
	const struct strings *asked;	/* for --blacklist */
	const struct strings *replaced; /* another driver has their devices on purpose */
};

/*
 * Finds them in what exists. What is in a file that is a package's is none; but in pve-blacklist.conf
 * guides have people write. A switched-off IOMMU is reported with the id BOOT_IOMMU_OFF.
 * 0 or -ENOMEM with its sentence.
 */
int boot_leftovers_find(const struct boot_existing *existing, const struct boot_machine *machine,
			const struct boot_kept_away *kept_away, struct boot_leftovers *ret,
			struct error *err) must_check;

/*
 * Takes all that can be cut out of the draft's files. Returns how many, or -errno.
 */
int boot_leftovers_cut(const struct boot_leftovers *leftovers, struct boot_draft *draft,
		       const struct sysroot *root, struct error *err) must_check;

/*
 * A word of a file that nobody reads here would make sense if it were read: it does something on this
 * machine, and no harm to passing devices.
 */
bool boot_leftovers_is_sensible(const struct boot_word *word, const struct boot_machine *machine);
